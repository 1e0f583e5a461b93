"""scripts/quickstart and scripts/test with stand-ins for Python: no network, nothing installed."""

import os
import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).parents[2]
BASH = shutil.which("bash") or "bash"
TOOLS = ["basename", "bash", "cat", "cksum", "cp", "dirname", "grep", "head", "mkdir", "rm"]
TOOLS += ["sed", "tail"]

# Writes down what it was asked, and answers what the scripts want to know of a Python.
PYTHON = """#!{bash}
printf '%s\\n' "$*" >>"$CALLS"
if [ -n "${{FAIL:-}}" ] && [[ "$*" == *"$FAIL"* ]]; then echo "last words"; exit "${{CODE:-1}}"; fi
case "$*" in
    "-c import sys;"*) echo "{version}"; [ -n "{version}" ] ;;
    "-m venv "*)
        if [[ "$*" == *--clear* ]]; then rm -rf .venv; fi
        mkdir -p .venv/bin; : >.venv/pyvenv.cfg; cp "$0" .venv/bin/python ;;
    "-m pip install "*) if [ -n "${{INTERRUPT:-}}" ]; then kill -INT "$PPID"; fi ;;
    "-m pytest"*) printf '[%s]' "${{@:3}}" && echo ;;
    "-P -m pipelines.digits"*)
        printf '[%s]' "${{@:4}}"
        echo "the job in $PWD, PYTHONPATH=$PYTHONPATH, level $TF_CPP_MIN_LOG_LEVEL"
        echo "Expected --epochs to be at least 1." >&2 ;;
esac
"""
VENV = "-m venv --clear .venv"
INSTALL = (
    "-m pip install --no-input --disable-pip-version-check --progress-bar off "
    "--constraint scripts/constraints.txt --editable .[{}]"
)
ACCEPTED = "tfpipe needs Python 3.11, 3.12 or 3.13"


@pytest.fixture
def clone(tmp_path):
    clone = tmp_path / "a clone"
    for name in (".ci", "scripts"):
        shutil.copytree(ROOT / name, clone / name)
    for name in ("setup.cfg", "pyproject.toml"):
        shutil.copy(ROOT / name, clone)
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool))
    return clone


def add_python(path, version="3.12.1"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(PYTHON.format(bash=BASH, version=version))
    path.chmod(0o755)


def add_pythons(clone, **versions):
    for name, version in versions.items():
        add_python(clone.parent / "bin" / name.replace("_", "."), version)


def run(clone, *arguments, script="scripts/quickstart", cwd=None, **environment):
    calls = clone.parent / "calls"
    calls.write_text("")
    environment |= {"PATH": str(clone.parent / "bin"), "CALLS": str(calls)}
    command = [BASH, str(clone / script), *arguments]
    done = subprocess.run(
        command,
        cwd=cwd or clone.parent,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    done.calls = calls.read_text().splitlines()
    return done


def failure(*lines):
    return "==> FAILED: " + "\n    ".join(lines) + "\n"


def installs(done):
    return [call for call in done.calls if call.startswith("-m pip install")]


def test_the_first_run_makes_venv_installs_and_runs_the_job(clone):
    add_pythons(clone, python3="3.12.1")
    done = run(clone, "--out", "some where")
    assert (done.returncode, installs(done)) == (0, [INSTALL.format("digits")])
    assert VENV in done.calls
    assert done.calls[-1] == "-P -m pipelines.digits --out some where"
    assert "[--out][some where]the job in" in done.stdout
    lines = done.stdout.splitlines()
    assert lines[0] == "==> making .venv with Python 3.12.1"
    assert lines[1] == (
        "==> installing tfpipe and its dependencies "
        "(the first time 1 GB to download, 3 GB on the disk, one to five minutes)"
    )
    assert lines[2].startswith("==> installed in ")
    assert lines[3] == "==> running python -m pipelines.digits --out some where"


def test_the_job_runs_where_the_person_stands(clone):
    add_pythons(clone, python3="3.12.1")
    (elsewhere := clone.parent / "else where").mkdir()
    done = run(clone, cwd=elsewhere)
    assert done.stdout.splitlines()[-1] == f"[]the job in {elsewhere}, PYTHONPATH={clone}, level 3"
    assert done.stderr == "Expected --epochs to be at least 1.\n"
    assert run(clone, TF_CPP_MIN_LOG_LEVEL="0").stdout.endswith("level 0\n")


def test_the_second_run_only_runs_the_job(clone):
    add_pythons(clone, python3="3.12.1")
    run(clone)
    done = run(clone)
    assert [call for call in done.calls if not call.startswith("-c ")] == ["-P -m pipelines.digits"]
    assert done.stdout.splitlines()[:2] == [
        "==> using .venv (Python 3.12.1)",
        "==> running python -m pipelines.digits",
    ]


@pytest.mark.parametrize("name", ["setup.cfg", "pyproject.toml", "scripts/constraints.txt"])
def test_a_changed_file_installs_again(clone, name):
    add_pythons(clone, python3="3.12.1")
    run(clone)
    with (clone / name).open("a") as file:
        file.write("# changed\n")
    assert installs(run(clone)) == [INSTALL.format("digits")]
    assert installs(run(clone)) == []


def test_a_failed_installation_of_a_change_that_is_taken_back_installs_again(clone):
    add_pythons(clone, python3="3.12.1")
    run(clone)
    before = (clone / "setup.cfg").read_text()
    (clone / "setup.cfg").write_text(before + "# changed\n")
    run(clone, FAIL="pip install")
    (clone / "setup.cfg").write_text(before)
    assert installs(run(clone)) == [INSTALL.format("digits")]


def test_a_moved_clone_installs_again(clone):
    add_pythons(clone, python3="3.12.1")
    run(clone)
    moved = clone.rename(clone.parent / "moved")
    assert installs(run(moved)) == [INSTALL.format("digits")]


def test_another_python_inside_venv_installs_again(clone):
    add_pythons(clone, python3="3.12.1")
    run(clone)
    add_python(clone / ".venv/bin/python", "3.13.0")
    assert installs(run(clone)) == [INSTALL.format("digits")]


@pytest.mark.parametrize("code", [1, 2, 77])
def test_the_exit_code_of_the_job_is_passed_on(clone, code):
    add_pythons(clone, python3="3.12.1")
    assert run(clone, FAIL="pipelines.digits", CODE=str(code)).returncode == code


def test_python3_is_preferred_and_the_next_one_found_by_running(clone):
    add_pythons(clone, python3="3.11.7", python3_13="3.13.0")
    assert "==> making .venv with Python 3.11.7\n" in run(clone).stdout
    shutil.rmtree(clone / ".venv")
    add_pythons(clone, python3="3.14.0", python3_13="", python3_12="3.12.1")
    assert "==> making .venv with Python 3.12.1\n" in run(clone).stdout


def test_no_python(clone):
    done = run(clone)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == failure(
        f"no suitable Python: {ACCEPTED}. Found: none.",
        "Install one of these versions, put it on PATH, and run bash scripts/quickstart again.",
    )


def test_only_unsuitable_pythons(clone):
    add_pythons(clone, python3="3.10.13", python3_12="", python="2.7.18")
    done = run(clone)
    assert (done.returncode, (clone / ".venv").exists()) == (1, False)
    assert done.stderr == failure(
        f"no suitable Python: {ACCEPTED}. Found: "
        "python3 (3.10.13), python3.12 (does not run), python (2.7.18).",
        "Install one of these versions, put it on PATH, and run bash scripts/quickstart again.",
    )


def test_a_python_without_venv(clone):
    add_pythons(clone, python3="3.12.1")
    done = run(clone, FAIL="import ensurepip, venv")
    assert (done.returncode, (clone / ".venv").exists()) == (1, False)
    assert done.stderr == failure(
        "Python 3.12.1 cannot make a virtual environment: its venv module is missing.",
        "On Debian and Ubuntu: apt-get install python3.12-venv. "
        "Then run bash scripts/quickstart again.",
    )


def test_venv_fails_and_leaves_nothing_half_made(clone):
    add_pythons(clone, python3="3.12.1")
    (clone / ".venv/bin").mkdir(parents=True)
    (clone / ".venv/pyvenv.cfg").touch()
    done = run(clone, FAIL="-m venv")
    assert (done.returncode, (clone / ".venv").exists()) == (1, False)
    assert done.stderr == failure(
        "Python 3.12.1 could not make .venv. It says: last words",
        f"Check the free disk space and that {clone} can be written to, "
        "and run bash scripts/quickstart again.",
    )


def test_a_venv_whose_python_does_not_run_is_made_again(clone):
    add_pythons(clone, python3="3.12.1")
    run(clone)
    add_python(clone / ".venv/bin/python", "")
    done = run(clone)
    assert (done.returncode, installs(done)) == (0, [INSTALL.format("digits")])
    assert done.stdout.splitlines()[:2] == [
        "==> the Python of .venv does not run; making it again",
        "==> making .venv with Python 3.12.1",
    ]


def test_a_venv_of_an_unsuitable_python_is_left_alone(clone):
    add_pythons(clone, python3="3.12.1")
    run(clone)
    add_python(clone / ".venv/bin/python", "3.10.13")
    done = run(clone)
    assert (done.returncode, (clone / ".venv").exists()) == (1, True)
    assert done.stderr == failure(
        f".venv has Python 3.10.13; {ACCEPTED}.",
        f"Remove {clone}/.venv and run bash scripts/quickstart again.",
    )


def test_a_folder_named_venv_is_left_alone(clone):
    add_pythons(clone, python3="3.12.1")
    (clone / ".venv").mkdir()
    done = run(clone)
    assert (done.returncode, (clone / ".venv").exists()) == (1, True)
    assert done.stderr == failure(
        ".venv exists but is not a virtual environment.",
        f"Move {clone}/.venv away and run bash scripts/quickstart again.",
    )


def test_an_active_environment_is_used(clone):
    active = clone.parent / "active one"
    add_python(active / "bin/python", "3.13.0")
    done = run(clone, VIRTUAL_ENV=str(active))
    assert (done.returncode, installs(done)) == (0, [INSTALL.format("digits")])
    assert not (clone / ".venv").exists()
    assert done.stdout.startswith(
        f"==> using the active virtual environment {active} (Python 3.13.0)\n"
    )
    assert installs(run(clone, VIRTUAL_ENV=str(active))) == []


def test_an_active_environment_of_an_unsuitable_python(clone):
    active = clone.parent / "active"
    add_python(active / "bin/python", "3.10.13")
    done = run(clone, VIRTUAL_ENV=str(active))
    assert (done.returncode, installs(done)) == (1, [])
    assert done.stderr == failure(
        f"the active virtual environment {active} has Python 3.10.13; {ACCEPTED}.",
        "Leave it (deactivate) or activate another, and run bash scripts/quickstart again.",
    )


def test_an_active_environment_that_is_gone(clone):
    add_pythons(clone, python3="3.12.1")
    done = run(clone, VIRTUAL_ENV="gone")
    assert done.returncode == 1
    assert done.stderr == failure(
        "the active virtual environment gone has no Python that runs.",
        "Leave it (deactivate, or unset VIRTUAL_ENV) and run bash scripts/quickstart again.",
    )


def test_an_active_environment_without_pip(clone):
    active = clone.parent / "active"
    add_python(active / "bin/python", "3.12.1")
    done = run(clone, VIRTUAL_ENV=str(active), FAIL="-m pip --version")
    assert (done.returncode, "-m ensurepip" in done.calls) == (0, True)
    (active / "tfpipe-installed").unlink()
    done = run(clone, VIRTUAL_ENV=str(active), FAIL="pip")
    assert (done.returncode, installs(done)) == (1, [])
    assert done.stderr == failure(
        f"{active} has no pip, and Python's ensurepip could not add it.",
        f"Remove {active} (or leave it: deactivate) and run bash scripts/quickstart again.",
    )


def test_pip_fails(clone):
    add_pythons(clone, python3="3.12.1")
    done = run(clone, FAIL="pip install")
    log = clone / ".venv/tfpipe-install.log"
    assert (done.returncode, log.read_text()) == (1, "last words\n")
    assert done.stderr == f"    ... the last lines of {log}:\n    | last words\n" + failure(
        "pip could not install tfpipe and its dependencies.",
        "Check the network and the free disk space (4 GB), and run bash scripts/quickstart again.",
        f"If that does not help, remove {clone}/.venv first. The whole log: {log}",
    )
    assert "-P -m pipelines.digits" not in done.calls
    assert installs(run(clone)) == [INSTALL.format("digits")]


def test_an_interrupted_installation_is_not_taken_for_a_whole_one(clone):
    add_pythons(clone, python3="3.12.1")
    done = run(clone, INTERRUPT="yes")
    assert done.returncode == 130
    assert done.stderr == "\n==> interrupted; bash scripts/quickstart goes on from here\n"
    assert not (clone / ".venv/tfpipe-installed").exists()


NAMES = ["format", "lint", "types", "tests"]
PYTEST = "-q --numprocesses auto --maxprocesses 4 --dist loadfile"
CHECKS = ["-m ruff format --check .", "-m ruff check .", "-m mypy", f"-m pytest {PYTEST}"]


def test_scripts_test_runs_the_four_checks(clone):
    add_pythons(clone, python3="3.12.1")
    done = run(clone, script=".ci/run", CI="true")
    assert (done.returncode, installs(done)) == (0, [INSTALL.format("digits,test")])
    assert done.calls[-4:] == CHECKS
    lines = [line for line in done.stdout.splitlines() if line.startswith("==> ")]
    headings = [line.split(" passed in ")[0] for line in lines]
    assert headings[3:] == [f"==> {name}" for name in NAMES for _ in "12"] + ["==> all"]
    assert lines[-1].endswith(" s: format, lint, types, tests")
    assert installs(run(clone)) == []  # quickstart needs no more


def test_quickstart_first_leaves_the_test_extra_to_install(clone):
    add_pythons(clone, python3="3.12.1")
    run(clone)
    assert installs(run(clone, script="scripts/test")) == [INSTALL.format("digits,test")]
    assert installs(run(clone)) == []


def test_scripts_test_hands_its_arguments_to_pytest(clone):
    add_pythons(clone, python3="3.12.1")
    done = run(clone, "tests/ops", "--slow", "-k", "clahe or resize", script="scripts/test")
    first = PYTEST.replace(" ", "][")
    assert f"[{first}][tests/ops][-m][][-k][clahe or resize]" in done.stdout


@pytest.mark.parametrize("name", NAMES)
def test_scripts_test_stops_at_the_first_failure(clone, name):
    step = NAMES.index(name)
    add_pythons(clone, python3="3.12.1")
    done = run(clone, script="scripts/test", FAIL=CHECKS[step])
    assert done.returncode == 1
    assert [call for call in done.calls if call in CHECKS] == CHECKS[: step + 1]
    python = str(clone / ".venv/bin/python").replace(" ", "\\ ")
    assert done.stderr == failure(
        f"{name}. To run this check alone, in {clone}:", f"{python} {CHECKS[step]}"
    )
    assert "all passed" not in done.stdout


@pytest.mark.parametrize("name", ["quickstart", "test", "../.ci/run"])
def test_the_scripts_can_be_executed(name):
    assert os.access(ROOT / "scripts" / name, os.X_OK)
