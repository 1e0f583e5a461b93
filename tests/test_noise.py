"""TensorFlow's chatter is dropped; all else that reaches standard error stays."""

import os
import pathlib
import pty
import subprocess
import sys
import warnings

import pytest

from tfpipe.noise import is_noise, plain_warnings

ROOT = pathlib.Path(__file__).parents[1]

NOISE = [
    "I0000 00:00:1795306613.842398    2377 port.cc:153] oneDNN custom operations are on.",
    "W0000 00:00:1795306620.000000    2377 flatbuffer_helpers.cc:364] Ignored output_format.",
    "E0000 00:00:1795306620.000000    2377 cuda_platform.cc:51] failed call to cuInit: INTERNAL",
    "E0000 00:00:1795306620.000000    2377 util.cc:131] oneDNN supports DT_INT64 only on AVX-512.",
    "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR",
    "To enable the following instructions: AVX2 FMA, in other operations, rebuild TensorFlow.",
    "INFO: Created TensorFlow Lite XNNPACK delegate for CPU.",
    "fully_quantize: 0, inference_type: 6, input_inference_type: UINT8",
]
OTHER = [
    "terminate called after throwing an instance of 'std::bad_alloc'",
    "F0000 00:00:1795306620.000000    2377 check.cc:1] Check failed: a == b",
    "E0000 00:00:1795306620.000000    2377 stream.cc:1] CUDA_ERROR_OUT_OF_MEMORY",
    "Interesting: 100 %",
    "W is for weights",
    "",
]


def written_by(body, setup=""):
    """What a fresh process writes to standard error."""
    code = f"import os, subprocess, sys\nfrom tfpipe.noise import filtered\n{setup}\n{body}"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, timeout=60)
    return done.stderr.decode()


def written_on_a_terminal(body):
    leader, follower = pty.openpty()
    code = f"import os, sys\nfrom tfpipe.noise import filtered\n{body}"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, stderr=follower, timeout=60, check=True)
    os.close(follower)
    with os.fdopen(leader, "rb", buffering=0) as terminal:
        return terminal.read(10_000).decode()


@pytest.mark.parametrize("line", NOISE)
def test_tensorflows_own_lines_are_noise(line):
    assert is_noise(line.encode())


@pytest.mark.parametrize("line", OTHER)
def test_other_lines_are_not(line):
    assert not is_noise(line.encode())


def test_noise_is_dropped_and_other_lines_pass_in_order():
    lines = [line for pair in zip(NOISE, OTHER, strict=False) for line in pair]
    body = f"with filtered():\n  for line in {lines!r}: os.write(2, line.encode() + b'\\n')"
    assert written_by(body) == "".join(f"{line}\n" for line in OTHER)


def test_a_last_line_without_an_end_passes():
    assert written_by("with filtered(): os.write(2, b'half a line')") == "half a line"


def test_what_a_child_process_writes_passes_without_noise():
    body = (
        f"with filtered(): subprocess.run(['sh', '-c', 'echo {NOISE[0][:20]} >&2; echo child >&2'])"
    )
    assert written_by(body) == "child\n"


def test_python_writes_unfiltered():
    body = f"with filtered(): print({NOISE[0]!r}, 'héllo', sep='\\n', file=sys.stderr)"
    assert written_by(body) == f"{NOISE[0]}\nhéllo\n"


def test_after_the_block_everything_is_as_before():
    setup = "before = sys.stderr, os.fstat(2).st_ino"
    body = (
        "with filtered(): inside = sys.stderr, os.fstat(2).st_ino\n"
        "os.write(2, b'I0000 is not dropped any more\\n')\n"
        "print((sys.stderr, os.fstat(2).st_ino) == before, inside == before, file=sys.stderr)"
    )
    assert written_by(body, setup) == "I0000 is not dropped any more\nTrue False\n"


def test_after_an_exception_too():
    body = (
        "try:\n"
        "  with filtered():\n"
        "    os.write(2, b'said before\\n')\n"
        "    raise KeyError\n"
        "except KeyError: os.write(2, b'I0000 said after\\n')"
    )
    assert written_by(body) == "said before\nI0000 said after\n"


def test_a_traceback_is_whole():
    lines = written_by("with filtered(): raise KeyError('a defect')").splitlines()
    assert (lines[0], lines[-1]) == ("Traceback (most recent call last):", "KeyError: 'a defect'")


def test_loggers_made_in_the_block_go_on_after_it():
    body = (
        "import logging\n"
        "with filtered(): logging.basicConfig(format='%(message)s')\n"
        "logging.warning('later')"
    )
    assert written_by(body) == "later\n"


def test_a_child_process_that_lives_on_can_still_write():
    body = (
        "import threading\n"
        "join, threading.Thread.join = threading.Thread.join, lambda thread, timeout: None\n"
        "with filtered():\n"
        "  command = ['sh', '-c', 'read line; echo $line >&2']\n"
        "  child = subprocess.Popen(command, stdin=subprocess.PIPE)\n"
        "child.communicate(b'later\\n')\n"
        "[join(thread) for thread in threading.enumerate() if thread.daemon]\n"
    )
    assert written_by(body) == "later\n"


def test_a_terminal_stays_a_terminal():
    body = (
        "with filtered():\n"
        "  print(sys.stderr.isatty(), file=sys.stderr)\n"
        "  os.write(2, b'I0000 noise\\nC\\n')"
    )
    assert sorted(written_on_a_terminal(body).split()) == ["C", "True"]


def test_elsewhere_it_is_none():
    assert written_by("with filtered(): print(sys.stderr.isatty(), file=sys.stderr)") == "False\n"


@pytest.mark.parametrize("given", ["", "0"])
def test_the_persons_log_level_stands(python, given):
    environment = {"TF_CPP_MIN_LOG_LEVEL": given} if given else {}
    unset = "" if given else "os.environ.pop('TF_CPP_MIN_LOG_LEVEL')\n"
    code = (
        f"import os\n{unset}from tfpipe.noise import filtered\n"
        "with filtered(): print(os.environ['TF_CPP_MIN_LOG_LEVEL'])"
    )
    assert python(code, **environment).stdout == f"{given or 2}\n"


def test_tensorflow_starts_without_a_word(python):
    code = (
        "from tfpipe.noise import filtered\n"
        "with filtered():\n  import tensorflow as tf\n  tf.constant(1) + 1"
    )
    assert python(code, TF_CPP_MIN_LOG_LEVEL="0").stderr == ""


def test_a_warning_to_the_user_is_its_sentence_and_others_are_as_python_tells_them():
    usual = warnings.formatwarning
    with plain_warnings():
        told = warnings.formatwarning(UserWarning("A label is rare."), UserWarning, "x.py", 3)
        old = warnings.formatwarning(DeprecationWarning("old"), DeprecationWarning, "x.py", 3)
    assert told == "Warning: A label is rare.\n"
    assert old.startswith("x.py:3: DeprecationWarning: old")
    assert warnings.formatwarning is usual
