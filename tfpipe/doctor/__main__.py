"""Is this machine, and what is installed on it, fit for tfpipe; and what to do where it is not.

    python -m tfpipe.doctor                 all looks, and a small job from pictures to answers
    python -m tfpipe.doctor --quick         without the job
    python -m tfpipe.doctor --json          for programs, and for reporting a problem

The exit code is 1 where something is wrong, and 0 where there are only notes.
"""

import dataclasses
import importlib.util
import json
import sys
from collections.abc import Iterable

import tfpipe
from tfpipe import cli
from tfpipe.cli import flag
from tfpipe.doctor.checks import examine
from tfpipe.doctor.finding import WRONG, Finding


@dataclasses.dataclass(frozen=True)
class Flags:
    """The command line."""

    folder: str = flag(".", "where the disk is tried and the job is made; nothing stays there")
    quick: bool = flag(False, "leave out the job")
    json: bool = flag(False, "print one JSON object, and nothing else")


def main(flags: Flags) -> None:
    """Looks, tells, and ends with code 1 where something is wrong."""
    looks = examine(flags.folder, quick=flags.quick)
    if flags.json:
        findings = list(looks)
        print(as_json(findings))
    else:
        findings = _told(looks)
    if any(finding.state == WRONG for finding in findings):
        sys.exit(1)


def as_json(findings: list[Finding]) -> str:
    """All that was found, as one JSON object.

    >>> json.loads(as_json([Finding("disk", WRONG, "full")]))["wrong"]
    ['disk']
    """
    wrong = [finding.name for finding in findings if finding.state == WRONG]
    everything = [dataclasses.asdict(finding) for finding in findings]
    value = {"tfpipe": tfpipe.__version__, "wrong": wrong, "findings": everything}
    return json.dumps(value, indent=2, ensure_ascii=False)


def _told(looks: Iterable[Finding]) -> list[Finding]:
    """Prints each finding as soon as it is there; without rich, which may be what is missing."""
    if importlib.util.find_spec("rich") is not None:
        from rich.console import Console

        from tfpipe.doctor.shown import show

        return show(looks, Console(highlight=False))
    findings = []
    for finding in looks:
        todo = f" -> {finding.todo}" if finding.todo else ""
        rows = "".join(
            f"\n    {', '.join(filter(None, row))}" for row in finding.rows if len(row) > 1
        )
        print(f"{finding.state} {finding.name}: {finding.found}{todo}{rows}", flush=True)
        findings.append(finding)
    return findings


if __name__ == "__main__":
    sys.exit(cli.run(main, Flags, doc=__doc__))
