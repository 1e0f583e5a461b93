"""to_keras(): what keras.models.load_model makes of the file, in a fresh process too."""

import keras
import numpy as np
import pytest

from tfpipe import export, ops
from tfpipe.errors import RequestError

PIXELS = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 1), np.uint8)


def test_a_fresh_process_loads_it_after_importing_the_ops(trained, prepare, tmp_path, python):
    path = export.to_keras(trained, tmp_path / "a.keras", prepare=prepare)
    np.save(tmp_path / "pixels.npy", PIXELS)
    done = python(f"""
import keras
import numpy as np
import tfpipe.ops
model = keras.models.load_model({str(path)!r})
np.save({str(tmp_path / "scores.npy")!r}, model(np.load({str(tmp_path / "pixels.npy")!r})))
""")
    assert done.returncode == 0, done.stderr
    expected = trained.predict(PIXELS / np.float32(255), verbose=0)
    np.testing.assert_allclose(np.load(tmp_path / "scores.npy"), expected, atol=1e-6)


def test_the_input_has_the_files_name_and_size(trained, prepare, tmp_path):
    path = export.to_keras(trained, tmp_path / "a.keras", prepare=prepare, input_size=(48, 40))
    (takes,) = keras.models.load_model(path).inputs
    assert (takes.name, takes.shape, takes.dtype) == ("images", (None, 48, 40, 1), "uint8")
    large = np.random.default_rng(0).integers(0, 256, (3, 48, 40, 1), np.uint8)
    small = ops.Resize((32, 32))({"image": large})["image"].numpy()
    expected = trained.predict(small / np.float32(255), verbose=0)
    np.testing.assert_allclose(export.load(path).predict(large), expected, atol=1e-6)


def test_without_a_chain_it_is_the_model_with_its_optimizer(trained, tmp_path):
    loaded = keras.models.load_model(export.to_keras(trained, tmp_path / "a.keras"))
    assert [w.path for w in loaded.weights] == [w.path for w in trained.weights]
    assert loaded.optimizer.iterations == trained.optimizer.iterations
    for a, b in zip(loaded.get_weights(), trained.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_another_ending_is_refused(trained, tmp_path):
    with pytest.raises(RequestError) as caught:
        export.to_keras(trained, tmp_path / "a.h5")
    assert str(caught.value) == (
        f"Expected `path` to end in '.keras'. Received: path='{tmp_path}/a.h5'"
    )
    assert list(tmp_path.iterdir()) == []


def test_an_input_size_without_a_chain_is_refused(trained, tmp_path):
    with pytest.raises(RequestError, match=r"^`input_size` puts the resizing of `prepare` into"):
        export.to_keras(trained, tmp_path / "a.keras", input_size=(8, 8))
