"""The programs in a bundle: the Python one runs, with three packages and nothing of tfpipe."""

import re
import shutil
import types

import cv2
import numpy as np
import pytest

from tfpipe import export, ops
from tfpipe.export.bundling.snippets import snippets


def test_the_python_program_says_what_the_file_says(bundled, digits, tmp_path, use):
    picture = cv2.resize(digits[0][7], (90, 60))  # the program resizes it
    cv2.imwrite(str(tmp_path / "digit.png"), picture)
    first, *others = use(bundled, tmp_path / "digit.png")
    prepare = ops.Chain.from_json(bundled.path / "chain.json")
    encoded = (tmp_path / "digit.png").read_bytes()
    pixels = prepare.outside()({"image": encoded})["image"].numpy()
    (scores,) = export.load(bundled.path / "int8.tflite").predict(pixels[None])
    assert first.startswith(f"{scores.argmax()}: ")
    # Pillow rounds each axis by itself: some pixels differ by a grey level or two.
    assert float(first.split()[1]) == pytest.approx(scores.max(), abs=0.05)
    assert len(others) == 2


def test_all_three_name_the_file_and_its_ends(bundled):
    for name in ("use.py", "Use.kt", "Use.swift"):
        text = (bundled.path / name).read_text(encoding="utf-8")
        assert "uint8 (1, 32, 32, 1), scale 1, zero point 0" in text
        assert "float32 (1, 10)" in text
        assert "int8" in text
        assert "labels" in text
        assert not re.search(r"\$[a-z{]", text)
        assert max(map(len, text.splitlines())) <= 100


def test_braces_close(bundled):
    for name in ("Use.kt", "Use.swift"):
        text = (bundled.path / name).read_text(encoding="utf-8")
        for pair in ("()", "{}", "[]"):
            assert text.count(pair[0]) == text.count(pair[1]), (name, pair)


def test_what_pillow_cannot_do_is_named(bundled):
    chain = ops.Chain([ops.Decode(1), ops.Resize((32, 32), antialias=False)])
    text = snippets(bundled.path / "int8.tflite", chain, task="label")["use.py"]
    assert f"# Here belongs what training did: {chain.ops[1]!r}" in text


def test_the_middle_is_cut_out_as_the_op_does(bundled, tmp_path, use, digits):
    chain = ops.Chain([ops.Decode(1), ops.Resize((45, 41)), ops.CenterCrop((32, 32))])
    shutil.copytree(bundled.path, tmp_path / "b")
    text = snippets(bundled.path / "int8.tflite", chain, task="label")["use.py"]
    (tmp_path / "b" / "use.py").write_text(text + "np.save(HERE / 'pixels.npy', pixels)\n")
    picture = cv2.resize(digits[0][7], (41, 45))
    cv2.imwrite(str(tmp_path / "digit.png"), picture)
    use(types.SimpleNamespace(path=tmp_path / "b"), tmp_path / "digit.png")
    encoded = (tmp_path / "digit.png").read_bytes()
    expected = chain.outside()({"image": encoded})["image"].numpy()
    np.testing.assert_array_equal(np.load(tmp_path / "b" / "pixels.npy")[0], expected)


def test_the_phones_programs_say_where_they_do_otherwise(bundled):
    plain = ops.Chain([ops.Decode(1), ops.Resize((32, 32))])
    for ops_, told in [
        ([ops.Resize((32, 32), letterbox=True)], "letterbox=True"),
        ([ops.Resize((40, 40)), ops.CenterCrop((32, 32))], "CenterCrop(size=(32, 32))"),
    ]:
        texts = snippets(
            bundled.path / "int8.tflite", ops.Chain([ops.Decode(1), *ops_]), task="label"
        )
        unsaid = snippets(bundled.path / "int8.tflite", plain, task="label")
        for name in ("Use.kt", "Use.swift"):
            assert "// This only stretches the picture: not as in training." in texts[name]
            assert told in " ".join(texts[name].replace("//", " ").split())
            assert max(map(len, texts[name].splitlines())) <= 100
            assert "stretches" not in unsaid[name]


def test_the_phones_programs_say_where_training_skipped_pixels(bundled):
    skipping = ops.Resize((32, 32), antialias=False)
    halving = "halve a large picture step by step before"
    for op, averages in [(skipping, False), (ops.Resize((32, 32), method="area"), True)]:
        chain = ops.Chain([ops.Decode(1), op])
        texts = snippets(bundled.path / "int8.tflite", chain, task="label")
        assert (halving in texts["Use.kt"]) == averages
        for name in ("Use.kt", "Use.swift"):
            told = f"// Training did: {op!r}. Do the same." in texts[name]
            assert told == (not averages)
            assert "stretches" not in texts[name]


def test_a_letterbox_is_pillows_pad(bundled):
    chain = ops.Chain([ops.Decode(1), ops.Resize((32, 32), method="area", letterbox=True)])
    text = snippets(bundled.path / "int8.tflite", chain, task="labels")["use.py"]
    line = 'picture = ImageOps.pad(picture, (32, 32), Image.Resampling.BOX, color="black")'
    assert line in text
    assert "for label, score in zip(LABELS, scores, strict=True):" in text


def test_a_file_that_takes_floats_has_none(trained, tmp_path):
    file = export.to_tflite(trained, tmp_path / "a.tflite")
    assert snippets(file, ops.Chain([]), task="label") == {}


@pytest.fixture(scope="module")
def segmenter(tmp_path_factory):
    """Light pixels are of class 1, by a model of one convolution; its file and its programs."""
    import keras

    folder = tmp_path_factory.mktemp("masks")
    prepare = ops.Chain([ops.Decode(1), ops.Resize((24, 32)), ops.ToFloat()])
    for name, kernel, bias in (("two", [0.0, 20.0], [0.0, -10.0]), ("one", [20.0], [-10.0])):
        pixels = keras.Input((24, 32, 1))
        activation = "softmax" if name == "two" else "sigmoid"
        last = keras.layers.Conv2D(len(bias), 1, activation=activation)
        model = keras.Model(pixels, last(pixels))
        last.set_weights([np.array(kernel).reshape(1, 1, 1, -1), np.array(bias)])
        (folder / name).mkdir()
        file = export.to_tflite(model, folder / name / "float32.tflite", prepare=prepare)
        export.to_labels(("dark", "light"), folder / name / "labels.txt")
        for program, text in snippets(file, prepare, task="mask").items():
            (folder / name / program).write_text(text)
    return folder


@pytest.mark.parametrize("name", ["one", "two"])
def test_the_python_program_says_how_much_of_a_mask_each_class_is(segmenter, tmp_path, use, name):
    picture = np.zeros((48, 64), np.uint8)
    picture[:12] = 255  # a quarter
    cv2.imwrite(str(tmp_path / "a.png"), picture)
    said = use(types.SimpleNamespace(path=segmenter / name), tmp_path / "a.png")
    assert (
        said
        == {
            "one": ["0.2500 of the pixels are of class 1"],
            "two": ["dark: 0.7500 of the pixels", "light: 0.2500 of the pixels"],
        }[name]
    )


def test_the_other_programs_return_the_class_of_each_pixel(segmenter):
    kotlin, swift = ((segmenter / "two" / name).read_text() for name in ("Use.kt", "Use.swift"))
    assert "fun run(picture: Bitmap): IntArray {" in kotlin
    assert "labels.indices.maxBy { scores[i * labels.size + it] }" in kotlin
    assert "func run(_ picture: CGImage) throws -> [Int] {" in swift
    assert "labels.indices.max { scores[i + $0] < scores[i + $1] }!" in swift
    one = (segmenter / "one" / "Use.kt").read_text()
    assert "return IntArray(scores.size) { if (scores[it] > 0.5f) 1 else 0 } // of each" in one
    for text in (kotlin, swift):
        for pair in ("()", "{}", "[]"):
            assert text.count(pair[0]) == text.count(pair[1])
    # What the Kotlin and Swift lines do to the scores, in Python.
    scores, labels = [0.9, 0.1, 0.2, 0.8], range(2)
    assert [max(labels, key=lambda k: scores[i + k]) for i in range(0, 4, 2)] == [0, 1]


def test_colours_are_taken_apart(tmp_path):
    import keras

    pixels = keras.Input((8, 8, 3))
    model = keras.Model(pixels, keras.layers.GlobalAveragePooling2D()(pixels))
    prepare = ops.Chain([ops.Decode(3), ops.Resize((8, 8)), ops.ToFloat()])
    file = export.to_tflite(model, tmp_path / "a.tflite", prepare=prepare)
    texts = snippets(file, prepare, task="target")
    assert '.convert("RGB")' in texts["use.py"]
    assert texts["use.py"].endswith("print(scores)\n")
    assert not any("labels" in text.lower() for text in texts.values())  # there is no such file
    assert "(argb[i / 3] shr (16 - 8 * (i % 3))).toByte()" in texts["Use.kt"]
    assert "noneSkipLast" in texts["Use.swift"]
    # What the Kotlin line does to an ARGB number, in Python.
    argb = np.array([0x7F102030])
    assert [int(argb[i // 3] >> (16 - 8 * (i % 3))) & 255 for i in range(3)] == [16, 32, 48]
