"""What a person sees, with colours on a terminal and without them anywhere else."""

import io

from rich.console import Console

from tfpipe.doctor import Finding
from tfpipe.doctor.shown import show, summary

FINDINGS = [
    Finding("python", "good", "CPython 3.12.1"),
    Finding("packages", "note", "1 of 3", "Install it.", rows=(("package", ""), ("keras", "old"))),
    Finding("cores", "wrong", "the processor has no AVX", "Take another.", seconds=62.0),
    Finding("gpu", "skipped", "not tried: it needs `tensorflow`"),
]


def shown(findings, encoding="utf-8", **options):
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    show(iter(findings), Console(file=file, width=60, highlight=False, **options))
    file.flush()
    return file.buffer.getvalue().decode(encoding)


def test_sections_marks_tables_and_what_to_do():
    lines = [line.rstrip() for line in shown(FINDINGS).splitlines()]
    assert lines == [
        "Installation",
        "  ✓ python     CPython 3.12.1",
        "  ! packages   1 of 3",
        "               package",
        "               -------  ---",
        "               keras    old",
        "               → Install it.",
        "",
        "Machine",
        "  ✗ cores      the processor has no AVX            1 min 2 s",
        "               → Take another.",
        "  - gpu        not tried: it needs `tensorflow`",
        "",
        "1 of 4 is wrong: cores. Worth a look: packages. 1 min 2 s.",
    ]


def test_a_path_that_is_longer_than_the_line_is_not_cut():
    path = "/data/" + "x" * 80
    told = shown([Finding("disk", "wrong", f"{path!r} is full", f"Empty {path}")])
    assert told.replace("\n", "").replace(" ", "").count(path) == 2


def test_a_terminal_without_these_letters():
    assert "  + python " in (text := shown(FINDINGS, encoding="ascii"))
    assert "  x cores " in text
    assert "-> Take another." in text


def test_no_control_codes_where_there_is_no_terminal():
    assert "\x1b" not in shown(FINDINGS)
    assert "\x1b[1;31m✗" in shown(FINDINGS, force_terminal=True, color_system="standard")


def test_a_message_with_brackets_is_no_markup():
    finding = Finding("extras", "note", "x", 'pip install "tfpipe[serve]"')
    assert 'pip install "tfpipe[serve]"' in shown([finding])


def test_a_traceback_is_left_to_json():
    failed = Finding("train", "wrong", "KeyError: 1", "See.", rows=(("Traceback",), ("line",)))
    assert "Traceback" not in shown([failed])


def test_summary():
    assert summary(FINDINGS[:1]) == "Nothing is wrong. 0 s."
    assert summary([FINDINGS[2]] * 2) == "2 of 2 are wrong: cores, cores. 2 min 4 s."
