"""Every op through JSON and back; what is refused, and in which words."""

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfpipe import ops
from tfpipe.errors import DataError, RequestError
from tfpipe.ops import Chain, config

side = st.integers(1, 5000)
size = st.tuples(side, side)
fraction = st.floats(0, 1)
mask_fill = st.integers(-1, 255)


def ranges(least, most):
    return st.tuples(*[st.floats(least, most)] * 2).map(lambda pair: tuple(sorted(pair)))


numbers = st.lists(st.tuples(st.floats(-300, 300), st.floats(1e-3, 300)), min_size=1, max_size=4)
OPS = {
    "Decode": st.builds(ops.Decode, st.sampled_from([1, 3])),
    "Resize": st.builds(
        ops.Resize,
        size,
        st.sampled_from(["bilinear", "area"]),
        st.booleans(),
        st.booleans(),
        mask_fill,
    ),
    "CenterCrop": st.builds(ops.CenterCrop, size),
    "Clahe": st.builds(
        ops.Clahe,
        st.floats(-1, 1000),
        st.tuples(st.integers(1, 12), st.integers(1, 12)),
        st.sampled_from([None, "lab", "channels"]),
    ),
    "Grayscale": st.just(ops.Grayscale()),
    "ToFloat": st.just(ops.ToFloat()),
    "Normalize": st.just(ops.Normalize())
    | numbers.map(lambda pairs: ops.Normalize(*zip(*pairs, strict=True))),
    "PreprocessInput": st.builds(
        ops.PreprocessInput, st.sampled_from(["caffe", "tf", "torch", "none"])
    ),
    "RandomAffine": st.builds(ops.RandomAffine, fraction, fraction, ranges(0.1, 10), mask_fill),
    "RandomRotation": st.builds(ops.RandomRotation, fraction, mask_fill),
    "RandomZoom": st.builds(ops.RandomZoom, ranges(0.1, 10), mask_fill),
    "RandomFlip": st.builds(
        ops.RandomFlip, st.sampled_from(["horizontal", "vertical", "horizontal_and_vertical"])
    ),
    "RandomResizedCrop": st.builds(ops.RandomResizedCrop, size, ranges(0.01, 1), ranges(0.1, 10)),
    "ColorJitter": st.builds(ops.ColorJitter, fraction, fraction, fraction, st.floats(0, 0.5)),
    "MixUp": st.builds(ops.MixUp, st.none() | st.integers(2, 1000), st.floats(0.1, 10)),
    "CutMix": st.builds(ops.CutMix, st.none() | st.integers(2, 1000), st.floats(0.1, 10)),
    "Tokenize": st.lists(st.sampled_from("abcd\u4e2d\u0437"), min_size=1, unique=True).map(
        lambda words: ops.Tokenize(("[PAD]", "[UNK]", *words))
    ),
    "WordDropout": st.builds(ops.WordDropout, fraction),
    "RandomWindow": st.builds(ops.RandomWindow, side),
    "Window": st.builds(ops.Window, side, st.none() | st.just(1)),
    "Standardize": numbers.map(lambda pairs: ops.Standardize(*zip(*pairs, strict=True))),
}


def refused(*entries):
    with pytest.raises(RequestError) as caught:
        config.from_config(list(entries))
    return str(caught.value)


def test_every_op_is_tested_here():
    public = {name for name in ops.__all__ if isinstance(getattr(ops, name), type)}
    every = {name for name in public if issubclass(getattr(ops, name), ops.Op)}
    assert every - {"Op", "RandomOp"} == set(OPS)
    assert set(OPS) <= set(config._CLASSES)


@settings(max_examples=100)
@given(st.one_of(*OPS.values()))
def test_every_op_comes_back_from_json(op):
    entries = json.loads(json.dumps(config.to_config([op])))
    (back,) = config.from_config(entries)
    assert back == op
    assert hash(back) == hash(op)
    assert repr(back) == repr(op)
    assert eval(repr(op), vars(ops)) == op


def test_the_file_is_for_people(tmp_path):
    chain = Chain([ops.Decode(1), ops.Resize((32, 24)), ops.RandomZoom(), ops.ToFloat()])
    path = chain.to_json(tmp_path / "chain.json")
    assert path.read_text() == (
        '{\n  "format": "tfpipe chain 1",\n  "ops": [\n'
        '    {"op": "Decode", "channels": 1},\n'
        '    {"op": "Resize", "size": [32, 24], "method": "bilinear", "antialias": true, '
        '"letterbox": false, "mask_fill": 0},\n'
        '    {"op": "RandomZoom", "zoom": [0.8, 1.2], "mask_fill": 0},\n'
        '    {"op": "ToFloat"}\n  ]\n}\n'
    )
    assert Chain.from_json(path) == chain


def test_an_empty_chain_comes_back_too(tmp_path):
    assert Chain.from_json(Chain([]).to_json(tmp_path / "chain.json")) == Chain([])


def test_arguments_that_are_left_out_take_their_defaults():
    assert config.from_config([{"op": "Resize", "size": [8, 6]}]) == [ops.Resize((8, 6))]


def test_an_unknown_op_is_refused_with_the_nearest():
    sentence = refused({"op": "Resise"})
    assert sentence.startswith("Expected `op` to be one of 'CenterCrop', ")
    assert sentence.endswith(
        "Received: op='Resise'. Did you mean 'Resize'? An op of your own is known once its module "
        "is imported, with `@tfpipe.ops.register` above its class."
    )


def test_an_unknown_argument_is_refused_with_the_nearest():
    assert refused({"op": "Decode", "chanels": 1}) == (
        "Decode: Expected `argument` to be one of 'channels'. Received: argument='chanels'. "
        "Did you mean 'channels'?"
    )
    assert refused({"op": "ToFloat", "scale": 2}) == (
        "ToFloat: Expected no arguments. Received: 'scale'"
    )


def test_a_missing_argument_is_refused():
    assert refused({"op": "Resize", "method": "area"}) == ("Resize needs `size`. Received: method")


@pytest.mark.parametrize("entry", ["Decode", {"name": "Decode"}, None])
def test_what_is_no_op_is_refused(entry):
    assert refused(entry) == (
        f'Expected an op as {{"op": its name, its arguments}}. Received: entry={entry!r}'
    )


RIGHT = [
    ("Standardize", [1]),
    ("Normalize", [1]),
    ("Normalize", [1, 2, 3]),
    ("Clahe", 1),
    ("Clahe", -7),
]
WRONG = ["x", [], [1], {}, -7, [None, None], ["a", "b"], [1, 2, 3]]


@pytest.mark.parametrize(
    ("name", "field"),
    [(name, field.name) for name in OPS for field in dataclasses.fields(getattr(ops, name))],
)
def test_a_wrong_value_is_refused_in_a_sentence(name, field):
    needed = {"Resize": {"size": [8, 8]}, "CenterCrop": {"size": [8, 8]}}
    needed["RandomResizedCrop"] = needed["Resize"]
    needed["Window"], needed["Standardize"] = {"length": 8}, {"mean": [0.0], "std": [1.0]}
    for value in WRONG:
        if (name, value) in RIGHT:
            continue
        sentence = refused({"op": name, **needed.get(name, {}), field: value})
        value = tuple(value) if isinstance(value, list) else value
        assert f"{field}={value!r}" in sentence


def test_files_that_hold_no_chain_are_refused(tmp_path):
    path = tmp_path / "chain.json"

    def refused(text):
        path.write_text(text)
        with pytest.raises(DataError) as caught:
            Chain.from_json(path)
        return str(caught.value)

    assert refused("{").startswith(f"{path}: not JSON (")
    assert refused("[]") == (
        f'{path}: not a chain: expected {{"format": "tfpipe chain 1", "ops": [...]}}'
    )
    assert "not a chain: expected" in refused('{"format": "tfpipe chain 2", "ops": []}')
    head = '{"format": "tfpipe chain 1", "ops": '
    assert refused(head + "3}") == f"{path}: Expected a list of ops. Received: ops=3"
    assert refused(head + '[{"op": "ToFloat"}, {"op": "ToFloat"}]}').endswith("change the order.")


def test_an_op_of_one_s_own_must_be_registered():
    @dataclasses.dataclass(frozen=True)
    class Gamma(ops.Op):
        power: float = 2.0
        takes = gives = "float32"

        def apply(self, image):
            return image**self.power

    with pytest.raises(RequestError) as caught:
        config.to_config([Gamma()])
    assert str(caught.value) == (
        "Gamma() cannot be saved: nothing would know 'Gamma' when it is loaded. Put "
        "`@tfpipe.ops.register` above its class."
    )
    try:
        assert ops.register(Gamma) is Gamma
        assert config.from_config(config.to_config([Gamma(3.0)])) == [Gamma(3.0)]
        with pytest.raises(RequestError, match=r"^Gamma\(power=array.* cannot be saved as JSON: "):
            config.to_config([Gamma(np.ones(2))])
        with pytest.raises(RequestError, match="cannot be saved as JSON: Out of range float"):
            config.to_config([Gamma(float("nan"))])
    finally:
        config._CLASSES.pop("Gamma", None)


def test_a_name_is_taken_once():
    class Resize(ops.Op):
        takes = gives = "uint8"

    with pytest.raises(RequestError) as caught:
        ops.register(Resize)
    assert str(caught.value) == (
        "An op called 'Resize' is registered already, from tfpipe.ops.resize. "
        "Give this one another name."
    )
