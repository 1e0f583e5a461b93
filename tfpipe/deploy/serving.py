"""A bundle's SavedModel where TensorFlow Serving looks for it.

Example:

    to_tf_serving("out/digits/bundle", "models", version=2)

    models/models.config                    what is served, for --model_config_file
    models/digits/2/saved_model.pb ...      and its warm-up requests
"""

import pathlib
import shutil

from tfpipe.deploy.warmup import write_warmup
from tfpipe.errors import RequestError, received
from tfpipe.export import load_bundle
from tfpipe.files import Path, staged, write_text

SAVED_MODEL = "saved_model"
CONFIG = "models.config"
MOUNT = "/models"  # where the folder is in TensorFlow Serving's container

_CONFIG = """\
model_config_list {{
  config {{
    name: "{name}"
    base_path: "{mount}/{name}"
    model_platform: "tensorflow"
  }}
}}
"""


def to_tf_serving(bundle: Path, path: Path, *, version: int = 1) -> pathlib.Path:
    """Writes the bundle's SavedModel and its configuration as TensorFlow Serving reads them.

    A later version beside an earlier one takes over without a restart, as TensorFlow Serving does
    it: it loads the highest number, and then lets go of the one before.

    Args:
        bundle: the bundle's folder, with "saved_model" among its formats.
        path: the folder that is `/models` in TensorFlow Serving's container; it may hold other
            versions of this model.
        version: a whole number from 1.

    Returns:
        The path.

    Raises:
        RequestError: there is no such bundle, it has no SavedModel, the version is none or is there
            already, or the folder is another model's, or in the bundle.
        DataError: the bundle is damaged, its data's name is none that can stand in a path, or its
            SavedModel does not run.

    Example:

    >>> path = to_tf_serving(made.path, folder / "models", version=2)
    >>> sorted(entry.name for entry in path.iterdir())
    ['arrays', 'models.config']
    """
    found, models = load_bundle(bundle), pathlib.Path(path)
    if type(version) is not int or version < 1:
        raise RequestError(received("`version` to be a whole number from 1", version=version))
    if SAVED_MODEL not in found.models:
        raise RequestError(
            f"The bundle {str(bundle)!r} has no SavedModel. Write it with "
            f'`formats=(..., "saved_model")`.'
        )
    refuse_inside(bundle, models)
    name = found.name
    text = _CONFIG.format(name=name, mount=MOUNT)
    target = models / name / str(version)
    if target.exists():
        raise RequestError(f"Version {version} is in {str(models)!r} already. Take a higher one.")
    _refuse_other(models / CONFIG, text)
    with staged(target) as aside:
        shutil.copytree(found.path / SAVED_MODEL, aside)
        write_warmup(aside, name=name)
    write_text(models / CONFIG, text)
    return models


def refuse_inside(bundle: Path, path: Path) -> None:
    """Refuses a folder in the bundle, whose copy would have to hold itself."""
    if pathlib.Path(path).resolve().is_relative_to(pathlib.Path(bundle).resolve()):
        raise RequestError(
            f"{str(path)!r} is in the bundle {str(bundle)!r}. Choose a folder outside of it."
        )


def _refuse_other(config: pathlib.Path, text: str) -> None:
    if config.exists() and config.read_text(encoding="utf-8") != text:
        raise RequestError(
            f"{str(config)!r} is of another model, or was changed. Choose another folder, and put "
            "both models into one models.config by hand."
        )
