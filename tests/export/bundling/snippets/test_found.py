"""The programs of a detector: the Python one finds what tfpipe finds in the file's scores."""

import re

import cv2
import numpy as np
import pytest

from tfpipe import export, models, records
from tfpipe.export.bundling.snippets.ends import filled
from tfpipe.ops import Chain

LINE = re.compile(r"(\w+) ([\d.]+): from \(([\d.]+), ([\d.]+)\) to \(([\d.]+), ([\d.]+)\)")


def told(lines, names):
    """What the program printed, as rows y1, x1, y2, x2, class, score."""
    found = [LINE.fullmatch(line).groups() for line in lines]
    rows = [(y1, x1, y2, x2, names.index(name), s) for name, s, x1, y1, x2, y2 in found]
    return np.array(rows, float)


def expected(outputs):
    """The same of `models.detections`."""
    (found,) = models.detections(outputs)
    return found[found[:, 4] >= 0]


def assert_same(rows, found):
    """In whatever order: equal scores have none."""
    near = np.abs(rows[:, None] - found).max(-1) < 6e-4  # three decimals are printed
    assert (near.sum(0) == 1).all()
    assert (near.sum(1) == 1).all()


def test_the_python_program_finds_what_the_file_finds(cell_bundle, cells, tmp_path, use):
    chain = Chain.from_json(cell_bundle.path / "chain.json")
    (pixels, _), *_ = records.read(cells, "val", chain.outside(), batch_size=1)
    cv2.imwrite(str(tmp_path / "cells.png"), pixels[0].numpy()[..., ::-1])
    rows = told(use(cell_bundle, tmp_path / "cells.png"), cell_bundle.class_names)
    outputs = export.load(cell_bundle.path / "int8.tflite").predict(pixels.numpy())
    found = expected(outputs)
    assert len(found) > 2
    assert_same(rows, found)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_of_boxes_that_overlap_the_best_one_stays(seed, capsys):
    random = np.random.default_rng(seed)
    corners = random.uniform(0, 0.5, (40, 2))
    boxes = np.concatenate([corners, corners + random.uniform(0.2, 0.5, (40, 2))], 1)
    scores = np.concatenate([boxes, random.random((40, 3))], 1).astype(np.float32)
    program = filled("found/found.py", {"score": "0.25", "iou": "0.6"})
    exec(program, {"np": np, "scores": scores, "LABELS": ["a", "b", "c"]})
    rows = told(capsys.readouterr().out.splitlines(), ["a", "b", "c"])
    found = expected(scores[None])
    assert 20 < len(found) < 100  # some went, none for want of room
    assert_same(rows, found)


def test_phones_get_the_same_thresholds(cell_bundle):
    for name in ("Use.kt", "Use.swift"):
        text = (cell_bundle.path / name).read_text(encoding="utf-8")
        assert "> 0.25" in text
        assert "<= 0.6" in text
        assert "y1, x1, y2, x2" in text
        assert not re.search(r"\$[a-z{]", text)
        for pair in ("()", "{}", "[]"):
            assert text.count(pair[0]) == text.count(pair[1]), (name, pair)
