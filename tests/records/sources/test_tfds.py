"""`records.from_tfds`: a dataset of TensorFlow Datasets, made for the test."""

import collections
import socket
import urllib.request

import cv2
import numpy as np
import pytest
import tensorflow_datasets as tfds

from tfpipe import records
from tfpipe.errors import RequestError
from tfpipe.records.sources.splits import split_of


class TinyPictures(tfds.core.GeneratorBasedBuilder):
    """Grey squares, as bright as their number; train and test."""

    VERSION = tfds.core.Version("1.0.0")
    PARTS: dict[str, int] = {"train": 40, "test": 8}  # noqa: RUF012

    def _info(self):
        features = {
            "image": tfds.features.Image(shape=(4, 4, 1)),
            "label": tfds.features.ClassLabel(names=["dark", "bright"]),
        }
        return self.dataset_info_from_configs(features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {part: self._generate_examples(number) for part, number in self.PARTS.items()}

    def _generate_examples(self, number):
        for n in range(number):
            yield n, {"image": np.full((4, 4, 1), n, np.uint8), "label": n % 2}


class TinyPicturesInFour(TinyPictures):
    """The same, with a validation split, and one that is not taken."""

    PARTS: dict[str, int] = {"train": 8, "validation": 4, "test": 2, "unlabeled": 3}  # noqa: RUF012


class TinyTexts(TinyPictures):
    """No images."""

    PARTS: dict[str, int] = {"train": 1}  # noqa: RUF012

    def _info(self):
        features = tfds.features.FeaturesDict({"text": tfds.features.Text()})
        return self.dataset_info_from_configs(features=features)

    def _generate_examples(self, number):
        yield 0, {"text": "a"}


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("tfds")


def test_the_images_are_the_bytes_that_are_stored(data_dir):
    source = records.from_tfds("tiny_pictures", data_dir=data_dir)
    examples = {e["id"]: e for e in source}
    assert len(examples) == 48
    assert source.class_names == ("dark", "bright")
    seen = collections.Counter()
    for key, example in examples.items():
        pixels = cv2.imdecode(np.frombuffer(example["image"], np.uint8), cv2.IMREAD_UNCHANGED)
        assert example["label"] == pixels[0, 0] % 2
        seen[key.split("-")[0], int(pixels[0, 0])] += 1
    expected = [(part, n) for part, number in (("train", 40), ("test", 8)) for n in range(number)]
    assert seen == collections.Counter(expected)


def test_a_val_part_is_drawn_from_train_where_there_is_none(data_dir):
    fractions = {"train": 0.95, "val": 0.05}
    source = records.from_tfds("tiny_pictures", seed=2, data_dir=data_dir)
    for example in source:
        part = example["id"].split("-")[0]
        expected = split_of(example["id"], fractions, 2) if part == "train" else "test"
        assert example["split"] == expected
    assert source.rule["by"] == "fractions of train"
    half = records.from_tfds("tiny_pictures", split=(0.5, 0.5), data_dir=data_dir)
    assert 8 < [e["split"] for e in half].count("val") < 32
    with pytest.raises(RequestError) as caught:
        records.from_tfds("tiny_pictures", split=(0.8, 0.1, 0.1), data_dir=data_dir)
    assert str(caught.value) == (
        "Expected `split` to hold fractions of the given 'train', for parts that are not given "
        "(given: test, train). Received: split=(0.8, 0.1, 0.1)"
    )


def test_a_validation_split_of_its_own_stays(data_dir):
    source = records.from_tfds("tiny_pictures_in_four", data_dir=data_dir)
    counts = collections.Counter(e["split"] for e in source)
    assert counts == {"train": 8, "val": 4, "test": 2}
    assert source.rule == {"by": "given", "given_by": "TensorFlow Datasets", "grouped_by": None}


def test_a_dataset_without_images_is_an_error(data_dir):
    with pytest.raises(RequestError) as caught:
        records.from_tfds("tiny_texts", data_dir=data_dir)
    assert str(caught.value) == (
        "Expected a dataset with an `image` and a `label`. 'tiny_texts' has: text"
    )


def test_an_unknown_dataset_is_an_error(data_dir):
    with pytest.raises(RequestError) as caught:
        records.from_tfds("mnits", data_dir=data_dir)
    assert str(caught.value) == (
        "TensorFlow Datasets has no dataset 'mnits'. Did you mean 'mnist'?"
    )
    with pytest.raises(RequestError) as caught:
        records.from_tfds("mnist/9.9.9", data_dir=data_dir)
    assert str(caught.value).startswith(
        "TensorFlow Datasets cannot give 'mnist/9.9.9': Failed to construct dataset "
    )
    assert "\n" not in str(caught.value)


def test_without_a_network_it_says_so_at_once(data_dir, monkeypatch):
    def unknown(*arguments, **more):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(urllib.request, "getproxies", dict)
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(RequestError) as caught:
        records.from_tfds("mnist", data_dir=data_dir)
    start, _, end = str(caught.value).partition(" (the host ")
    place = data_dir / "mnist" / "3.0.1"
    assert start == f"The dataset 'mnist' is not in {str(place)!r} and cannot be downloaded"
    assert end.endswith(" is not found). Connect to a network, or copy the prepared dataset there.")
