"""Flags from a dataclass; every mistake is one sentence."""

import dataclasses
import os
import re

import pytest

from tfpipe import cli
from tfpipe.errors import DataError, RequestError


@dataclasses.dataclass(frozen=True)
class Flags:
    source: str = cli.flag("digits", "where from", choices=("digits", "mnist"))
    out_dir: str = cli.flag("", "the folder")
    epochs: int = cli.flag(3, "passes", least=1, most=9)
    rate: float = cli.flag(0.5, "of learning: 50 % is much", least=0)
    overwrite: bool = cli.flag(False, "begin anew")


JOB = """
import dataclasses, sys
from tfpipe import cli

@dataclasses.dataclass(frozen=True)
class Flags:
    pass

def job(flags):
    {body}

sys.exit(cli.run(job, Flags, doc="A job.", arguments=[]))
"""


def parse(*arguments):
    return cli.parse(Flags, "A job.", arguments)


def refused(*arguments):
    with pytest.raises(RequestError) as caught:
        parse(*arguments)
    return str(caught.value)


def run(job, *arguments):
    return cli.run(job, Flags, doc="A job.", arguments=arguments)


def raising(error):
    def job(flags):
        raise error

    return job


def test_without_arguments_the_defaults_stand():
    assert parse() == Flags("digits", "", 3, 0.5, False)


def test_values_get_the_types_of_the_defaults():
    flags = parse(
        "--source=mnist", "--out-dir", "a b", "--epochs", "9", "--rate=1e-3", "--overwrite"
    )
    assert flags == Flags("mnist", "a b", 9, 0.001, True)
    assert [type(value) for value in dataclasses.astuple(flags)] == [str, str, int, float, bool]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--epochs", "x"], "Expected `--epochs` to be a whole number. Received: --epochs='x'"),
        (["--epochs", "2.5"], "Expected `--epochs` to be a whole number. Received: --epochs='2.5'"),
        (["--epochs", ""], "Expected `--epochs` to be a whole number. Received: --epochs=''"),
        (["--epochs", "0"], "Expected `--epochs` to be at least 1. Received: --epochs=0"),
        (["--epochs", "-1"], "Expected `--epochs` to be at least 1. Received: --epochs=-1"),
        (["--epochs", "10"], "Expected `--epochs` to be at most 9. Received: --epochs=10"),
        (["--rate", "fast"], "Expected `--rate` to be a number. Received: --rate='fast'"),
        (["--rate", "nan"], "Expected `--rate` to be at least 0. Received: --rate=nan"),
        (
            ["--source", "minst"],
            "Expected `--source` to be one of 'digits', 'mnist'. Received: --source='minst'. "
            "Did you mean 'mnist'?",
        ),
        (
            ["--epoch", "3"],
            "Expected `flag` to be one of '--source', '--out-dir', '--epochs', '--rate', "
            "'--overwrite'. Received: flag='--epoch'. Did you mean '--epochs'?",
        ),
        (
            ["extra"],
            "Expected `flag` to be one of '--source', '--out-dir', '--epochs', '--rate', "
            "'--overwrite'. Received: flag='extra'",
        ),
        (["--epochs"], "argument --epochs: expected one argument"),
        (["--overwrite=yes"], "argument --overwrite: ignored explicit argument 'yes'"),
    ],
)
def test_a_mistake_is_refused_in_one_sentence(arguments, sentence):
    assert refused(*arguments) == sentence


def test_the_bounds_themselves_are_allowed():
    assert (parse("--epochs", "1").epochs, parse("--epochs", "9").epochs) == (1, 9)
    assert parse("--rate", "0").rate == 0


def test_help_says_what_the_job_and_its_flags_do(capsys):
    with pytest.raises(SystemExit) as caught:
        parse("--help")
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert "A job." in text
    assert re.search(r"--source \{digits,mnist\}\s+where from \(default: digits\)", text)
    assert re.search(r"--epochs INT\s+passes \(default: 3\)", text)
    assert re.search(r"--rate FLOAT\s+of learning: 50 % is much \(default: 0.5\)", text)
    assert re.search(r"--out-dir STR\s+the folder\n", text)
    assert re.search(r"--overwrite\s+begin anew\n", text)


def test_a_job_that_ends_well_gives_code_0(capfd):
    seen = []
    assert run(seen.append, "--epochs", "2") == 0
    assert seen == [Flags(epochs=2)]
    assert capfd.readouterr().err == ""


def test_a_wrong_flag_gives_code_2_and_the_job_does_not_start(capfd):
    assert run(raising(AssertionError("the job ran")), "--epochs", "0") == 2
    assert capfd.readouterr() == (
        "",
        "Expected `--epochs` to be at least 1. Received: --epochs=0\n",
    )


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (RequestError("Choose another folder."), 2, "Choose another folder.\n"),
        (DataError("a.gz", "truncated"), 2, "a.gz: truncated\n"),
        (
            FileNotFoundError(2, "No such file or directory", "a.csv"),
            2,
            "a.csv: No such file or directory\n",
        ),
        (PermissionError(13, "Permission denied", "/a"), 2, "/a: Permission denied\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
    ],
)
def test_what_a_person_can_mend_is_one_line(capfd, error, code, line):
    assert run(raising(error)) == code
    assert capfd.readouterr() == ("", line)


@pytest.mark.parametrize("error", [KeyError("a"), ValueError("b"), OSError("no file is named")])
def test_a_defect_is_not_hidden(error):
    with pytest.raises(type(error)) as caught:
        run(raising(error))
    assert caught.value is error


def test_a_defect_shows_its_traceback_in_a_real_process(python):
    done = python(JOB.format(body="raise KeyError('a defect')"))
    assert done.returncode == 1
    assert done.stderr.startswith("Traceback (most recent call last):\n")
    assert done.stderr.endswith("KeyError: 'a defect'\n")


def test_an_interrupt_ends_a_real_process_with_130(python):
    done = python(JOB.format(body="import os, signal; os.kill(os.getpid(), signal.SIGINT)"))
    assert (done.returncode, done.stderr) == (130, "interrupted\n")


@pytest.mark.parametrize("given", [None, "false"])
def test_gpu_memory_is_taken_as_needed_unless_the_person_says_otherwise(monkeypatch, given):
    # Set and deleted, so that monkeypatch puts back what was there.
    monkeypatch.setenv("TF_FORCE_GPU_ALLOW_GROWTH", given or "")
    if given is None:
        monkeypatch.delenv("TF_FORCE_GPU_ALLOW_GROWTH")
    seen = []
    run(lambda flags: seen.append(os.environ["TF_FORCE_GPU_ALLOW_GROWTH"]))
    assert seen == [given or "true"]


@dataclasses.dataclass(frozen=True)
class More:
    file: str = cli.flag("", "a file", positional=True)
    modes: tuple[str, ...] = cli.flag(("a", "b"), "the modes", choices=("a", "b", "c"))


def parse_more(*arguments):
    return cli.parse(More, "A job.", arguments)


def test_a_flag_takes_several_values_and_one_stands_without_its_name():
    assert parse_more("x.keras", "--modes", "c", "a") == More("x.keras", ("c", "a"))
    assert parse_more("--modes", "b", "--", "x.keras") == More("x.keras", ("b",))
    assert parse_more("x.keras") == More("x.keras", ("a", "b"))


@dataclasses.dataclass(frozen=True)
class Numbers:
    greys: tuple[int, ...] = cli.flag((127,), "the greys", least=0, most=255)


def test_a_flag_takes_several_numbers_and_checks_each(capsys):
    assert cli.parse(Numbers, "A job.", ["--greys", "0", "2"]) == Numbers((0, 2))
    assert cli.parse(Numbers, "A job.", []) == Numbers((127,))
    with pytest.raises(RequestError) as caught:
        cli.parse(Numbers, "A job.", ["--greys", "0", "256"])
    assert str(caught.value) == "Expected `--greys` to be at most 255. Received: --greys=256"
    with pytest.raises(SystemExit):
        cli.parse(Numbers, "A job.", ["--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert "--greys INT [INT ...] the greys (default: 127)" in told


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Expected FILE, a file. Received: nothing."),
        (["x", "--modes", "a", "d"], "Received: --modes='d'"),
        (["x", "--modes"], "argument --modes: expected at least one argument"),
        (["x", "y"], "Expected `flag` to be one of 'FILE', '--modes'. Received: flag='y'"),
    ],
)
def test_wrong_lists_and_files_are_refused(arguments, sentence):
    with pytest.raises(RequestError) as caught:
        parse_more(*arguments)
    assert str(caught.value).endswith(sentence)


def test_help_shows_both(capsys):
    with pytest.raises(SystemExit):
        parse_more("--help")
    text = capsys.readouterr().out
    assert "(default: a b)" in text
    assert text.splitlines()[0].endswith(" FILE")  # not [FILE], which one may leave out


def test_help_names_the_command_that_was_called(python):
    done = python("-m", "pipelines.digits", "--help")
    assert done.stdout.startswith("usage: python -m pipelines.digits [-h] ")
    assert done.stderr == ""


def test_another_package_that_is_missing_is_a_defect():
    with pytest.raises(ModuleNotFoundError):
        cli.run(lambda flags: __import__("no_such_package"), Flags, doc="", arguments=[])
