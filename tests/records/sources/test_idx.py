"""`records.idx`: the files of MNIST, and broken ones."""

import collections
import gzip

import numpy as np
import pytest

from tfpipe import records
from tfpipe.errors import DataError, RequestError
from tfpipe.records.sources.idx import load_idx


def encoded(values):
    """Three bytes and the axes' number, then the axes, then the elements."""
    shape = b"".join(size.to_bytes(4, "big") for size in values.shape)
    return bytes([0, 0, 8, values.ndim]) + shape + values.astype(np.uint8).tobytes()


def four(number=40):
    x, y = np.arange(number * 6).reshape(number, 2, 3) % 251, np.arange(number) % 2
    return {
        "train-images-idx3-ubyte": encoded(x),
        "train-labels-idx1-ubyte.gz": gzip.compress(encoded(y)),
        "t10k-images-idx3-ubyte.gz": gzip.compress(encoded(x[:10])),
        "t10k-labels-idx1-ubyte": encoded(y[:10]),
    }


def test_train_is_divided_and_the_t10k_files_are_test(tmp_path, make_files):
    make_files(tmp_path, four())
    source = records.idx(tmp_path, split=(0.5, 0.5), stratify=True)
    examples = {e["id"]: e for e in source}
    counts = collections.Counter((e["label"], e["split"]) for e in examples.values())
    assert counts == {(n, s): k for n in (0, 1) for s, k in
                      (("train", 10), ("val", 10), ("test", 5))}  # fmt: skip
    assert examples["train-000007"]["image"][..., 0].tolist() == [[42, 43, 44], [45, 46, 47]]
    assert examples["test-000003"]["split"] == "test"
    assert source.features["image"].shape == (2, 3, 1)
    assert source.rule == {
        "by": "fractions of train",
        "given_by": "files",
        "fractions": {"train": 0.5, "val": 0.5},
        "seed": 0,
        "grouped_by": None,
        "stratified": True,
    }
    assert {e["split"] for e in records.idx(tmp_path, split=None)} == {"train", "test"}


def test_the_test_set_takes_nothing_from_train(tmp_path, make_files):
    make_files(tmp_path, four())
    with pytest.raises(RequestError) as caught:
        records.idx(tmp_path, split=(0.8, 0.1, 0.1))
    assert str(caught.value) == (
        "Expected `split` to hold fractions of the given 'train', for parts that are not given "
        "(given: test, train). Received: split=(0.8, 0.1, 0.1)"
    )


@pytest.mark.parametrize(
    ("change", "file", "problem"),
    [
        (lambda data: data[:3], "t10k-labels-idx1-ubyte",
         "expected an idx header of 8 bytes, found 3 bytes"),
        (lambda data: b"\1" + data[1:], "t10k-labels-idx1-ubyte",
         "expected the magic number 2049 of an idx file of 1 axes, found 16779265"),
        (lambda data: data[:-1], "t10k-labels-idx1-ubyte",
         "expected 10 bytes for the shape (10,), found 9"),
        (lambda data: encoded(np.zeros(3)), "t10k-labels-idx1-ubyte",
         "expected one label for each of 10 images, found 3"),
        (lambda data: encoded(np.zeros((0, 2, 3))), "train-images-idx3-ubyte",
         "expected images, found the shape (0, 2, 3)"),
        (lambda data: data[:-9], "t10k-images-idx3-ubyte.gz",
         "the gzip stream ends early: the file is truncated"),
        (lambda data: b"x" + data, "t10k-images-idx3-ubyte.gz",
         "not a sound gzip file (Not a gzipped file (b'x\\x1f'))"),
    ],
)  # fmt: skip
def test_a_broken_file_is_named(tmp_path, make_files, change, file, problem):
    files = four()
    make_files(tmp_path, {**files, file: change(files[file])})
    with pytest.raises(DataError) as caught:
        records.idx(tmp_path)
    assert str(caught.value) == f"{tmp_path / file}: {problem}"


@pytest.mark.parametrize(
    "rename",
    [
        lambda name: name.replace("-idx", ".idx"),
        lambda name: f"emnist-letters-{name.replace('t10k', 'test')}",
        lambda name: name.removesuffix(".gz"),
    ],
)
def test_files_of_other_names_are_found(tmp_path, make_files, rename):
    make_files(tmp_path, {rename(name): data for name, data in four().items()})
    source = records.idx(tmp_path, split=None, transpose=False)
    assert collections.Counter(e["split"] for e in source) == {"train": 40, "test": 10}


def test_emnist_lies_on_its_side_until_it_is_told_to_stand_up(tmp_path, make_files):
    """A digit seven, as EMNIST has it: first column, then row."""
    lying = np.zeros((1, 4, 3), np.uint8)
    lying[0, :, 0] = lying[0, 3] = 255
    names = {
        f"emnist-digits-{part}-{what}-ubyte": encoded(values)
        for part in ("train", "test")
        for what, values in (("images-idx3", lying), ("labels-idx1", np.uint8([7])))
    }
    make_files(tmp_path, names)
    with pytest.raises(RequestError) as caught:
        records.idx(tmp_path, split=None)
    assert str(caught.value) == (
        f"Expected `transpose` for {str(tmp_path / 'emnist-digits-train-images-idx3-ubyte')!r}: "
        "EMNIST's images are published lying on their side. Pass `transpose=True`, which sets them "
        "upright, or `transpose=False`, which leaves them as they are."
    )
    source = records.idx(tmp_path, split=None, transpose=True)
    assert source.features["image"].shape == (3, 4, 1)
    for example in source:
        assert example["image"][..., 0].tolist() == [
            [255, 255, 255, 255],
            [0, 0, 0, 255],
            [0, 0, 0, 255],
        ]


def test_the_classes_are_those_that_occur(tmp_path, make_files):
    files = four()
    for name, number in (("train-labels-idx1-ubyte.gz", 40), ("t10k-labels-idx1-ubyte", 10)):
        data = encoded(np.arange(number) % 2 * 3 + 1)
        files[name] = gzip.compress(data) if name.endswith(".gz") else data
    make_files(tmp_path, files)
    source = records.idx(tmp_path)
    assert source.class_names == ("1", "4")
    assert {e["id"]: e["label"] for e in source}["test-000003"] == 1


def test_two_sets_in_one_folder_are_an_error(tmp_path, make_files):
    more = {f"emnist-{part}-{name}": data for part in "ab" for name, data in four().items()}
    make_files(tmp_path, more)
    with pytest.raises(RequestError) as caught:
        records.idx(tmp_path)
    assert str(caught.value) == (
        f"Expected the files of one set in {str(tmp_path)!r}. Found: "
        "'emnist-a-train-images-idx3-ubyte', 'emnist-b-train-images-idx3-ubyte'. Put each set in a "
        "folder of its own."
    )


def test_a_missing_file_or_folder_is_an_error(tmp_path, make_files):
    with pytest.raises(RequestError) as caught:
        records.idx(tmp_path / "none")
    assert str(caught.value) == (
        f"Expected a folder with idx files. There is no folder {str(tmp_path / 'none')!r}."
    )
    make_files(tmp_path, {"a.png": "x"})
    with pytest.raises(RequestError) as caught:
        records.idx(tmp_path)
    assert str(caught.value) == (
        "Expected train-images-idx3-ubyte.gz (or train-images-idx3-ubyte) in "
        f"{str(tmp_path)!r}. Found: 'a.png'. For images without folders, put their labels in a "
        "table and use `image_csv`."
    )


def test_mnist(shared_data):
    labels = load_idx(shared_data("mnist") / "t10k-labels-idx1-ubyte.gz", num_axes=1)
    # As LeCun's page counts them.
    assert np.bincount(labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
