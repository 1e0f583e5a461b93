"""The page: what drifted, the pictures, the time lines, and that it is whole."""

import re

import numpy as np
import pytest

from tfpipe import drift


@pytest.fixture(scope="module")
def watched(plain, fresh):
    monitor = drift.Monitor(plain, window=64)
    for start in range(0, 128, 16):
        images = fresh[0][start : start + 16]
        monitor.observe(images if start < 64 else images // 2)
    return monitor.report()


def test_it_has_a_section_for_everything(watched, tmp_path):
    html = watched.to_page(tmp_path / "drift.html", title="Digits <now>").read_text()
    for heading in (
        *("What drifted", "Alarms, and the examples that moved most", "Over time", "Side by side"),
        *("Farthest from the profile", "The profile"),
    ):
        assert f"<h2>{heading}</h2>" in html
    assert "<h1>Digits &lt;now&gt;</h1>" in html
    assert html.count('class="small"') >= 6 + 12
    assert "<td>input/mean</td>" in html
    assert re.search(r"After (80|96|112) examples: input/mean is ", html)


def test_of_texts_it_shows_the_texts(reading, tmp_path):
    profile = drift.profile(["a fine film"] * 20 + ["a film"] * 20, prepare=reading)
    found = drift.compare(profile, ["kein <guter> Film"] * 20, prepare=reading)
    html = found.to_page(tmp_path / "drift.html").read_text()
    assert "kein &lt;guter&gt; Film" in html


def test_of_numbers_it_names_the_examples(tmp_path):
    rows = np.random.default_rng(0).normal(size=(60, 2))
    found = drift.compare(drift.profile(rows[:40]), rows[40:] + 9)
    html = found.to_page(tmp_path / "drift.html").read_text()
    assert "<h2>Over time</h2>" not in html
    assert "<h3>input/mean 0</h3>" in html


def test_before_the_first_look_it_says_so(plain, tmp_path):
    html = drift.Monitor(plain).report().to_page(tmp_path / "drift.html").read_text()
    assert "<p>There were too few examples, or there was no look yet.</p>" in html
