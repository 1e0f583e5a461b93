"""The files that build and run containers of a bundle: Docker, Compose, Kubernetes.

Example:

    to_containers("out/digits/bundle", "out/digits/deploy", engine="int8")

Each is a template beside this module, with $names; none needs tfpipe once it is written.
"""

import pathlib
import re
import shutil
import string

import tfpipe
from tfpipe.deploy.serving import SAVED_MODEL, refuse_inside, to_tf_serving
from tfpipe.errors import RequestError, one_of
from tfpipe.export import Bundle, load_bundle
from tfpipe.files import Path, staged, write_text

TEMPLATES = pathlib.Path(__file__).parent / "templates"
SERVER = ("Dockerfile", ".dockerignore", "kubernetes.yaml", "README.md")
COMPOSE = "compose.yaml"


def to_containers(bundle: Path, path: Path, *, engine: str = "") -> pathlib.Path:
    """Writes a folder from which the bundle is built into an image and run.

    In it are the bundle, a Dockerfile for tfpipe's server, Kubernetes manifests for that image
    (deployment, service, autoscaler), and, where the bundle has a SavedModel, `serving/` as
    `to_tf_serving` writes it and a compose file that serves it with TensorFlow Serving. Its
    README.md has the commands.

    Args:
        bundle: the bundle's folder.
        path: the folder to make; it appears whole or not at all.
        engine: the model file that the server runs, such as "int8"; "" takes the first.

    Returns:
        The path.

    Raises:
        RequestError: there is no such bundle or engine, or the folder is there already, or is in
            the bundle.
        DataError: the bundle is damaged, its data's name is none that can stand in a path, or its
            SavedModel does not run.

    Example:

    >>> path = to_containers(made.path, folder / "deploy", engine="keras")
    >>> sorted(entry.name for entry in path.iterdir())
    ['.dockerignore', 'Dockerfile', 'README.md', 'bundle', 'compose.yaml', ...]
    """
    found, target = load_bundle(bundle), pathlib.Path(path)
    engine = _engine(found, engine)
    if target.exists():
        raise RequestError(f"{str(target)!r} is there already. Choose a new folder.")
    words = {
        "name": found.name,
        "dns": dns_label(found.name),
        "engine": engine,
        "version": tfpipe.__version__,
    }
    serving = SAVED_MODEL in found.models
    refuse_inside(bundle, target)
    with staged(target) as aside:
        shutil.copytree(found.path, aside / "bundle")
        for file in (*SERVER, *((COMPOSE,) if serving else ())):
            write_text(aside / file, _filled(file, words))
        if serving:
            to_tf_serving(bundle, aside / "serving")
    return target


def dns_label(name: str) -> str:
    """The name as Kubernetes takes it for a service (RFC 1035).

    That is a small letter, and then small letters, digits and "-", to 63.

    >>> dns_label("ChestX_ray.14"), dns_label("2024")
    ('chestx-ray-14', 'model-2024')
    """
    label = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return (label if label[:1].isalpha() else f"model-{label}")[:63].strip("-")


def _engine(bundle: Bundle, engine: str) -> str:
    names = tuple(bundle.engines)
    if engine and engine not in names:
        raise RequestError(one_of("engine", engine, names))
    return engine or names[0]


def _filled(file: str, words: dict[str, str]) -> str:
    text = (TEMPLATES / f"{file.lstrip('.')}.txt").read_text(encoding="utf-8")
    return string.Template(text).substitute(words)
