"""The command: a bundle's profile beside a records folder, a folder of images, a file of texts."""

import re
import shutil
import subprocess
import sys

import cv2
import pytest

from tfpipe import DataError, drift, records
from tfpipe.drift.__main__ import Flags, examples, main


@pytest.fixture(scope="module")
def folder(known, digits, prepare, tmp_path_factory):
    """A bundle, as far as the command needs it, with other digits as records and as files."""
    folder = tmp_path_factory.mktemp("drift")
    source = records.arrays(known[0], known[1], split={"test": 1.0}, name="known")
    manifest = records.write(source, folder / "records")
    prepare.to_json(folder / "chain.json")
    profile = drift.profile(drift.stored(manifest, "test", prepare), prepare=prepare)
    profile.to_file(folder / "profile.json")
    (folder / "images").mkdir()
    for place, image in enumerate(digits[0][1400:1500]):
        cv2.imwrite(str(folder / "images" / f"{place:03d}.png"), image // 2)
    return folder


def test_records_like_the_profiles_have_not_drifted(folder, capsys):
    main(Flags(bundle=str(folder), data=str(folder / "records")))
    assert capsys.readouterr().out.splitlines()[-1] == (
        "Of 9 tests on 400 examples, at the level 0.0075: nothing drifted."
    )


def test_darker_images_have_and_the_code_is_1(folder, python, tmp_path):
    arguments = (str(folder), str(folder / "images"), "--out", str(tmp_path / "d.html"))
    done = python("-m", "tfpipe.drift", *arguments)
    assert done.returncode == 1, done.stderr
    assert "input/mean" in done.stdout
    assert done.stdout.endswith(f"Pictures: {tmp_path / 'd.html'}\n")
    assert "<h2>Farthest from the profile</h2>" in (tmp_path / "d.html").read_text()


def test_where_there_is_nothing_it_says_so(folder, tmp_path, refused):
    assert refused(main, Flags(bundle=str(folder), data=str(tmp_path))) == (
        "Expected a records folder or a folder of images, as the bundle's examples are of kind "
        f"'image'. Received: {str(tmp_path)!r}"
    )


def test_a_file_of_texts_is_a_text_on_each_line(tmp_path):
    (tmp_path / "texts.txt").write_bytes(b"\xef\xbb\xbfa fine\x0cfilm\r\na film\n")
    found = examples(tmp_path / "texts.txt", "test", None, kind="text")
    assert found == (["a fine\x0cfilm", "a film"], ["line 1", "line 2"])


def test_a_file_that_is_not_utf_8_is_told_by_its_line(tmp_path):
    (tmp_path / "texts.txt").write_bytes(b"a film\ncaf\xe9\n")
    with pytest.raises(DataError) as caught:
        examples(tmp_path / "texts.txt", "test", None, kind="text")
    expected = f"{tmp_path / 'texts.txt'}: line 2 is not UTF-8. Save it as UTF-8."
    assert str(caught.value) == expected


@pytest.mark.parametrize(
    ("kind", "expected"), [("text", " or a text file, as"), ("sequence", ", as")]
)
def test_images_are_no_texts_and_no_sequences(kind, expected, folder, refused):
    path = folder / "images"
    assert refused(examples, path, "test", None, kind=kind) == (
        f"Expected a records folder{expected} the bundle's examples are of kind {kind!r}. "
        f"Received: {str(path)!r}"
    )


def test_a_file_that_is_no_image_is_named(folder, tmp_path, refused):
    shutil.copytree(folder / "images", tmp_path / "images")
    (tmp_path / "images" / "080.png").write_bytes(b"no image")
    assert refused(main, Flags(bundle=str(folder), data=str(tmp_path / "images"))) == (
        "Expected encoded images. Received: example 080.png, which cannot be decoded."
    )


def test_the_page_names_files(folder, tmp_path):
    flags = Flags(str(folder), str(folder / "images"), out=str(tmp_path / "d.html"))
    with pytest.raises(SystemExit):
        main(flags)
    assert len(re.findall(r"\d{3}\.png</figcaption>", (tmp_path / "d.html").read_text())) >= 12


def test_help_does_not_load_tensorflow():
    code = "import sys, tfpipe.drift.__main__; sys.exit('tensorflow' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
