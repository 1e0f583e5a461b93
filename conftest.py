"""What the examples of docstrings may name without making it.

manifest    records of 16 grey images, 32x32, in the classes "0" and "1", in train and test
prepare     the chain from their bytes to floats
model       a LeNet-5 for them, which has not been trained
made        the bundle of these, with a .keras file and a SavedModel
folder      the path of an empty folder
"""

import re
from typing import Any

import pytest

NAMES = ("manifest", "prepare", "model", "made", "folder")


@pytest.fixture(scope="session")
def things(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The manifest, the chain, the model and the bundle."""
    import numpy as np

    from tfpipe import export, models, ops, records

    root = tmp_path_factory.mktemp("examples")
    greys = np.random.default_rng(0).integers(0, 256, (16, 32, 32), np.uint8)
    halves = {"train": 0.5, "test": 0.5}
    source = records.arrays(greys, np.arange(16) % 2, split=halves, stratify=True)
    manifest = records.write(source, root / "records")
    prepare = ops.Chain([ops.Decode(1), ops.Resize((32, 32)), ops.ToFloat()])
    model = models.lenet5((32, 32, 1), 2)
    formats = ["keras", "saved_model"]
    made = export.bundle(model, manifest, root / "bundle", prepare=prepare, formats=formats)
    return {"manifest": manifest, "prepare": prepare, "model": model, "made": made}


@pytest.fixture(autouse=True)
def named(request: pytest.FixtureRequest) -> None:
    """Gives an example those that it names and neither it nor its module makes."""
    test = getattr(request.node, "dtest", None)
    if test is None:
        return
    said = "".join(example.source for example in test.examples)
    for name in NAMES:
        made_there = name in test.globs or f"{name} =" in said
        if made_there or not re.search(rf"\b{name}\b", said):
            continue
        if name == "folder":
            test.globs[name] = request.getfixturevalue("tmp_path")
        else:
            test.globs[name] = request.getfixturevalue("things")[name]
