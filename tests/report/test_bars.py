"""A bar on a terminal, plain lines on a pipe; the clock is the test's own."""

import os
import pty
import re
import sys
import time

import pytest
from rich.cells import cell_len

from tfpipe.errors import RequestError
from tfpipe.report import progress

CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def everything(descriptor):
    """What was written before the other end was closed."""
    parts = []
    try:
        while part := os.read(descriptor, 65_536):
            parts.append(part)
    except OSError:  # how a pseudo-terminal ends
        pass
    return b"".join(parts).decode()


@pytest.fixture
def standard_error(monkeypatch):
    """Makes one end of a pair standard error; then gives what came out of the other, and ends it.

    Tests must call it: pytest sets its own standard error after the fixtures have run.
    """
    made = []

    def become(pair):
        reader, writer = pair
        stream = os.fdopen(writer, "w", encoding="utf-8")
        made.append((reader, stream))
        monkeypatch.setattr(sys, "stderr", stream)

        def written():
            stream.close()
            return everything(reader)

        return written

    yield become
    for reader, stream in made:
        stream.close()
        os.close(reader)


@pytest.fixture
def pipe(standard_error):
    return lambda: standard_error(os.pipe())


@pytest.fixture
def terminal(standard_error, monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return lambda: standard_error(pty.openpty())


@pytest.fixture
def clock():
    """A clock that stands still until `clock.now` is set."""

    def read():
        return read.now

    read.now = 0.0
    return read


def fail(total, clock):
    """A job that ends with an error after ten seconds."""
    with progress("records", total, unit="images", clock=clock) as bar:
        clock.now = 10.0
        bar.advance()
        raise KeyError


def test_a_quick_job_leaves_no_line_on_a_pipe(pipe, clock):
    written = pipe()
    with progress("records", 3, unit="images", clock=clock) as bar:
        for clock.now in (1, 2, 9.9):
            bar.advance()
    assert written() == ""


def test_a_long_job_leaves_one_every_ten_seconds_and_a_last_one(pipe, clock):
    written = pipe()
    with progress("records", 1000, unit="images", clock=clock) as bar:
        for second in range(1, 26):
            clock.now = float(second)
            bar.advance(4)
    assert written() == (
        "records: 40 of 1,000 images, 4 images/s, 4 min 0 s left\n"
        "records: 80 of 1,000 images, 4 images/s, 3 min 50 s left\n"
        "records: 100 of 1,000 images, 4 images/s, 25 s\n"
    )


def test_a_job_of_unknown_length_has_no_time_left(pipe, clock):
    written = pipe()
    with progress("records", None, unit="images", clock=clock) as bar:
        clock.now = 10.0
        bar.advance(12_345)
    assert written() == (
        "records: 12,345 images, 1,234 images/s\nrecords: 12,345 images, 1,234 images/s, 10 s\n"
    )


def test_the_rate_is_that_of_the_last_ten_seconds(pipe, clock):
    written = pipe()
    with progress("records", None, unit="images", clock=clock) as bar:
        for tick in range(1, 601):
            clock.now = tick / 8
            bar.advance(1 if tick <= 400 else 100)
    *_, last, whole = written().splitlines()
    assert last.endswith(" images, 800 images/s")
    assert whole == "records: 20,400 images, 272 images/s, 1 min 15 s"


def test_the_rate_is_that_of_ten_seconds_even_where_the_steps_are_fast(pipe, clock):
    written = pipe()
    with progress("records", None, unit="images", clock=clock) as bar:
        for tick in range(1, 1300):
            clock.now = tick / 128
            bar.advance(1 if tick <= 640 else 0)
    (rate,) = re.findall(r"640 images, (\d+) images/s$", written().splitlines()[0])
    assert 60 <= int(rate) <= 64


def test_more_than_was_expected_leaves_no_time(pipe, clock):
    written = pipe()
    with progress("records", 5, unit="images", clock=clock) as bar:
        clock.now = 10.0
        bar.advance(8)
    assert written().splitlines()[0] == "records: 8 of 5 images, 0.8 images/s, 0 s left"


def test_the_last_note_stands_at_the_end_of_a_line(pipe, clock):
    written = pipe()
    with progress("training", 9, unit="steps", clock=clock) as bar:
        bar.advance(note="loss 0.9")
        clock.now = 10.0
        bar.advance()
    assert written().splitlines()[0].endswith(" left, loss 0.9")


def test_the_jobs_own_lines_take_the_place_of_the_automatic_ones(pipe, clock):
    written = pipe()
    with progress("training", 100, unit="steps", clock=clock) as bar:
        for second in range(0, 60, 20):
            clock.now = float(second)
            bar.line(f"epoch at {second} s")
            bar.advance()
    assert written() == "epoch at 0 s\nepoch at 20 s\nepoch at 40 s\n"


def test_foreign_text_brings_no_control_codes(pipe, clock):
    written = pipe()
    with progress("a\x1b[2J", 2, unit="images", clock=clock) as bar:
        clock.now = 10.0
        bar.advance(note="b\r\n")
        bar.line("c\x07\nd")
    first, second = written().splitlines()
    assert first == r"a\x1b[2J: 1 of 2 images, 0.1 images/s, 10 s left, b\r\n"
    assert second == r"c\x07\nd"


def test_a_job_that_fails_says_so_itself(pipe, clock):
    written = pipe()
    with pytest.raises(KeyError):
        fail(9, clock)
    assert written() == "records: 1 of 9 images, 0.1 images/s, 1 min 20 s left\n"


def frames(written):
    """What stood on the terminal's line, one time after the other, without colours."""
    plain = CODES.sub("", written.replace("\x1b[2K", "\r"))
    return [frame for frame in re.split(r"[\r\n]+", plain) if frame.strip()]


def test_a_terminal_has_one_bar_with_its_note_below(terminal, clock):
    written = terminal()
    with progress("records", 60_000, unit="images", clock=clock) as bar:
        for second in range(1, 4):
            clock.now = float(second)
            bar.advance(20_000, note=f"shard {second}")
    text = written()
    bar, note = frames(text)[-2:]
    assert bar.startswith("records ━━━━")
    assert bar.rstrip().endswith("60,000 of 60,000 images, 20,000 images/s, 3 s")
    assert note == "shard 3"


def test_a_terminal_shows_where_the_job_stands(terminal, clock):
    written = terminal()
    with pytest.raises(KeyError):
        fail(9, clock)
    text = written()
    assert "1 of 9 images, 0.1 images/s, 1 min 20 s left" in frames(text)[-1]
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")  # the cursor is back


def test_a_terminal_has_no_lines(terminal, clock):
    written = terminal()
    with progress("training", 3, unit="steps", clock=clock) as bar:
        bar.line("epoch 1/3")
        clock.now = 60.0
        bar.advance(3)
    assert "epoch" not in written()


def test_a_job_of_unknown_length_ends_with_a_full_bar(terminal, clock):
    written = terminal()
    with progress("records", None, unit="images", clock=clock) as bar:
        bar.advance(7)
    # One colour from end to end: a bar that goes on has many.
    assert "━" * 24 in written()


@pytest.mark.parametrize("width", [50, 80])
def test_bar_and_note_have_a_line_each_however_narrow_it_is(terminal, clock, monkeypatch, width):
    written = terminal()
    monkeypatch.setenv("COLUMNS", str(width))
    note = "epoch 1/2: loss 0.3936, 1,436 examples/s, input wait 0.02"
    with progress("training", 120, unit="steps", clock=clock) as bar:
        clock.now = 1.0
        bar.advance(60, note=note)
    text = written()
    assert text.count("\n") == 2
    assert max(map(cell_len, frames(text))) <= width
    said = frames(text)[-2:]
    assert said[0].rstrip().endswith("60 of 120 steps, 60 steps/s, 1 s")
    assert said[1] == (note if width == 80 else note[:49] + "…")


def test_brackets_are_no_markup_and_control_codes_are_spelled_out(terminal, clock):
    written = terminal()
    with progress("[red]a\x1b[2J", 2, unit="images", clock=clock) as bar:
        clock.now = 1.0
        bar.advance(note="[/b]\x07")
    bar, note = frames(written())[-2:]
    assert bar.startswith(r"[red]a\x1b[2J ")
    assert note == r"[/b]\x07"


def test_what_the_job_prints_reaches_its_file(terminal, clock, capsys):
    written = terminal()
    with progress("records", 1, unit="images", clock=clock):
        print("a result")
        print("a warning", file=sys.stderr)
    assert capsys.readouterr().out == "a result\n"
    text = written()
    assert "a result" not in text
    assert "a warning" in frames(text)


def test_afterwards_standard_error_is_as_before(terminal, clock):
    terminal()
    before = sys.stderr
    with progress("records", 1, unit="images", clock=clock):
        pass
    assert sys.stderr is before


@pytest.mark.parametrize("kind", ["dumb", "unknown"])
def test_a_terminal_that_knows_no_codes_gets_lines(terminal, clock, monkeypatch, kind):
    written = terminal()
    monkeypatch.setenv("TERM", kind)
    with progress("records", 2, unit="images", clock=clock) as bar:
        clock.now = 10.0
        bar.advance()
    assert written().splitlines()[0] == "records: 1 of 2 images, 0.1 images/s, 10 s left"


@pytest.mark.parametrize("place", ["pipe", "terminal"])
def test_counting_costs_next_to_nothing(request, place):
    request.getfixturevalue(place)()
    with progress("records", 100_000, unit="images") as bar:
        started = time.process_time()
        for _ in range(100_000):
            bar.advance()
        assert time.process_time() - started < 0.2


def test_a_negative_total_is_refused():
    with pytest.raises(RequestError) as caught:
        progress("records", -1, unit="images").__enter__()
    assert str(caught.value) == "Expected `total` to be 0 or more, or None. Received: total=-1"
