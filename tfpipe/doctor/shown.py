"""The findings on a terminal, each as soon as it is there.

Example:

    findings = show(examine(), rich.console.Console())
"""

from collections.abc import Iterable

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tfpipe.doctor.checks import SECTIONS
from tfpipe.doctor.finding import GOOD, NOTE, SKIPPED, WRONG, Finding
from tfpipe.report import human_seconds, text_table

_NAMES = [name for names in SECTIONS.values() for name in names]
_WIDTH = max(map(len, _NAMES))
_LOOKS = {
    GOOD: ("✓", "green"),
    NOTE: ("!", "yellow"),
    WRONG: ("✗", "bold red"),
    SKIPPED: ("-", "dim"),
}
_ASCII = {"✓": "+", "!": "!", "✗": "x", "-": "-"}


def show(findings: Iterable[Finding], console: Console) -> list[Finding]:
    """Prints each finding under its section, and then the whole in a sentence.

    Args:
        findings: in the order of `SECTIONS`.
        console: rich's; without a terminal behind it there are no colours and no moving parts.

    Returns:
        The findings.
    """
    seen: list[Finding] = []
    with console.status(_NAMES[0]) as status:
        for finding in findings:
            for section, names in SECTIONS.items():
                if finding.name == names[0]:
                    console.print(Text(f"\n{section}" if seen else section, "bold"))
            console.print(_shown(finding, ascii_only=console.options.ascii_only))
            seen.append(finding)
            status.update(_NAMES[min(_NAMES.index(finding.name) + 1, len(_NAMES) - 1)])
    style = _LOOKS[WRONG if _wrong(seen) else GOOD][1]
    console.print(Text(f"\n{summary(seen)}", style), soft_wrap=True)
    return seen


def summary(findings: list[Finding]) -> str:
    """How it stands as a whole.

    >>> summary([Finding("disk", WRONG, "", seconds=2.0), Finding("cores", GOOD, "")])
    '1 of 2 is wrong: disk. 2 s.'
    """
    wrong, notes = _wrong(findings), [f.name for f in findings if f.state == NOTE]
    took = human_seconds(sum(finding.seconds for finding in findings))
    noted = f" Worth a look: {', '.join(notes)}." if notes else ""
    verdict = "Nothing is wrong"
    if wrong:
        verb = "is" if len(wrong) == 1 else "are"
        verdict = f"{len(wrong)} of {len(findings)} {verb} wrong: {', '.join(wrong)}"
    return f"{verdict}.{noted} {took}."


def _wrong(findings: list[Finding]) -> list[str]:
    return [finding.name for finding in findings if finding.state == WRONG]


def _shown(finding: Finding, *, ascii_only: bool) -> RenderableType:
    """Mark, name, what was found; below it the table, and what to do."""
    mark, style = _LOOKS[finding.state]
    mark, arrow = (_ASCII[mark], "->") if ascii_only else (mark, "→")
    # A path that is longer than the line is folded, not cut.
    found = Text(finding.found, "dim" if finding.state == SKIPPED else "", overflow="fold")
    lines: list[RenderableType] = [found]
    if finding.rows and len(finding.rows[0]) > 1:
        lines.append(Text(text_table(finding.rows[0], finding.rows[1:]), "dim", no_wrap=True))
    if finding.todo:
        lines.append(Text(f"{arrow} {finding.todo}", style, overflow="fold"))
    took = human_seconds(finding.seconds) if finding.seconds >= 1 else ""
    grid = Table.grid(padding=(0, 1), expand=True)
    for options in ({"width": 1}, {"width": _WIDTH}, {"ratio": 1}, {"justify": "right"}):
        grid.add_column(**options)
    grid.add_row(Text(mark, style), finding.name, Group(*lines), Text(took, "dim"))
    return Padding(grid, (0, 0, 0, 2))
