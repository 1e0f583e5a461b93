"""The real data sets, which lie beside the repository in some places and are not part of it."""

import pathlib

import pytest

DATA = pathlib.Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture
def shared_data():
    """Returns the folder of a real data set; the test is skipped where there is none."""

    def folder(name):
        if not (DATA / name).is_dir():
            pytest.skip(f"the data set {name} is not here")
        return DATA / name

    return folder


@pytest.fixture
def make_files():
    """Writes files, by their names below a folder, with these bytes or texts."""

    def make(root, files):
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return root

    return make
