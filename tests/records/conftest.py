"""What the tests of records share."""

import pytest


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
