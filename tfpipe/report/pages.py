"""One self-contained HTML page: no network, no scripts; screen (light and dark), phone and paper.

html = page("Chest X-rays", [("Training", figure(png, alt="loss by epoch"))], subtitle="run 7")
"""

import base64
import html
from collections.abc import Sequence

from tfpipe.errors import RequestError, received
from tfpipe.report.words import printable

_PNG_START = b"\x89PNG\r\n\x1a\n"

# The policy makes the browser itself refuse anything that a section's HTML might try to load.
_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" \
content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<header>
<h1>{title}</h1>
{subtitle}</header>
{contents}<main>
{sections}</main>
</body>
</html>
"""

_STYLE = """\
:root { color-scheme: light dark; --paper: #ffffff; --ink: #1d232b; --quiet: #5d6773;
  --rule: #e2e6ea; --strong: #aeb6bf; --hover: #f5f7f9; --link: #1f5f99; --wrong: #c01818; }
@media screen and (prefers-color-scheme: dark) {
  :root { --paper: #14181d; --ink: #dfe4ea; --quiet: #97a1ad; --rule: #2a3139;
    --strong: #4b5560; --hover: #1b2128; --link: #86b9ea;
    --wrong: #ff8577; }
  img { filter: brightness(.93); } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 1080px; padding: 3.5rem 1.5rem 5rem;
  background: var(--paper); color: var(--ink); overflow-wrap: break-word;
  font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
h1 { margin: 0; font-size: 2rem; font-weight: 650; line-height: 1.2; letter-spacing: -.02em; }
header p { margin: .5rem 0 0; color: var(--quiet); }
nav { margin: 2rem 0 0; font-size: .9375rem; }
nav ol { display: flex; flex-wrap: wrap; gap: .125rem 1.5rem; margin: 0; padding: 0;
  list-style: none; }
a { color: var(--link); text-decoration-thickness: 1px; text-underline-offset: .2em; }
section { margin-top: 3rem; padding-top: 1.5rem; border-top: 1px solid var(--rule); }
h2 { margin: 0 0 1rem; font-size: 1.25rem; font-weight: 600; letter-spacing: -.01em; }
p { max-width: 42rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9375rem; line-height: 1.4; }
th, td { padding: .5rem 0 .5rem 1.25rem; border-bottom: 1px solid var(--rule); text-align: left;
  white-space: nowrap; }
th:first-child, td:first-child { padding-left: 0; }
th { border-color: var(--strong); color: var(--quiet); font-size: .8125rem; font-weight: 500;
  vertical-align: bottom; }
tbody tr:hover { background: var(--hover); }
.number { text-align: right; font-variant-numeric: tabular-nums lining-nums; }
figure { margin: 1.5rem 0 0; }
figure .scroll { border-radius: 6px; }
img { display: block; max-width: 100%; height: auto; border-radius: 6px; background: #ffffff; }
figcaption { margin-top: .75rem; max-width: 42rem; color: var(--quiet); font-size: .875rem;
  line-height: 1.5; }
.side { display: flex; flex-wrap: wrap; gap: 0 1.5rem; }
.side figure { flex: 0 1 440px; min-width: 0; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(104px, 1fr));
  gap: 1.25rem 1rem; margin-top: 1.25rem; }
.tiles figure { margin: 0; }
.tiles img { width: 100%; }
.tiles .small { image-rendering: pixelated; }
.traces { grid-template-columns: repeat(auto-fill, minmax(200px, 1fr)); }
.traces svg { display: block; width: 100%; height: auto; }
polyline { fill: none; stroke-width: 1.5; stroke-linejoin: round; }
.quotes figure { margin: 1.25rem 0 0; }
blockquote { margin: 0; max-width: 42rem; padding-left: .75rem;
  border-left: 2px solid var(--strong); }
.quotes figcaption { margin-top: .25rem; padding-left: .75rem; }
.tiles figcaption { margin-top: .375rem; color: var(--ink); font-size: .8125rem;
  line-height: 1.4; }
.wrong { color: var(--wrong); }
pre { overflow-x: auto; padding: .75rem 1rem; border-radius: 6px; background: var(--hover);
  font: .875rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
h3 { margin: 2rem 0 .5rem; font-size: 1rem; font-weight: 600; }
@media (max-width: 600px) {
  body { padding: 2rem 1rem 3rem; }
  h1 { font-size: 1.625rem; }
  section { margin-top: 2rem; padding-top: 1.25rem; }
  th, td { padding-left: 1.25rem; } }
@media print {
  @page { margin: 18mm; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  nav { display: none; }
  h2 { break-after: avoid; }
  figure, tr { break-inside: avoid; }
  img { min-width: 0 !important; }
  .scroll { overflow: visible; } }
"""


def page(title: str, sections: Sequence[tuple[str, str]], *, subtitle: str = "") -> str:
    """One HTML document that needs no other file; five sections or more get a list of contents.

    Args:
        title: plain text.
        sections: pairs of a heading (plain text) and HTML, as `html_table` and `figure` give it;
            the HTML goes in as it is.
        subtitle: plain text under the title.

    Returns:
        The document, to be written as UTF-8.

    Raises:
        RequestError: an empty title, no sections, or a section that is no pair of strings.

    Example:

    >>> html = page("Chest <X-rays>", [("Files", "<p>Two.</p>")])
    >>> "<h1>Chest &lt;X-rays&gt;</h1>" in html
    True
    """
    if not title.strip():
        raise RequestError(received("`title` to hold at least one letter", title=title))
    if not len(sections):
        raise RequestError(received("`sections` to hold at least one section", sections=sections))
    for index, pair in enumerate(sections):
        if not _is_pair_of_strings(pair):
            expected = f"`sections[{index}]` to be a pair of strings, (heading, html)"
            raise RequestError(received(expected, section=pair))
    return _PAGE.format(
        title=_escape(title),
        style=_STYLE,
        subtitle=f"<p>{_escape(subtitle)}</p>\n" if subtitle else "",
        contents=_contents([heading for heading, _ in sections]) if len(sections) > 4 else "",
        sections="".join(_section(n, *pair) for n, pair in enumerate(sections, start=1)),
    )


def figure(png: bytes, *, alt: str, caption: str = "") -> str:
    """An HTML fragment that holds the picture itself, as a data URI.

    Two pixels of the picture make one CSS pixel, so that it is sharp on dense screens and on
    paper. On a narrow screen it shrinks to half at most; then it scrolls sideways.

    Args:
        png: the bytes of a PNG file, as `curves`, `confusion` and `grid` return them.
        alt: what the picture shows, for those who cannot see it.
        caption: plain text under the picture.

    Returns:
        HTML for a section of `page`.

    Raises:
        RequestError: the bytes are no PNG file, or `alt` is empty.

    Example:

    >>> from tfpipe.report import curves
    >>> picture = figure(curves({"loss": [0.9, 0.4]}), alt="loss by epoch")
    >>> 'src="data:image/png;base64,' in picture, 'alt="loss by epoch" width="640"' in picture
    (True, True)
    """
    if not png.startswith(_PNG_START) or len(png) < 24:
        raise RequestError(received("`png` to be the bytes of a PNG file", png=png[:16]))
    if not alt.strip():
        raise RequestError(received("`alt` to say what the picture shows", alt=alt))
    width = int.from_bytes(png[16:20], "big") // 2
    height = int.from_bytes(png[20:24], "big") // 2
    source = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    size = f'width="{width}" height="{height}" style="min-width: {width // 2}px"'
    below = f"\n<figcaption>{_escape(caption)}</figcaption>" if caption else ""
    image = f'<img src="{source}" alt="{_escape(alt)}" {size}>'
    return f'<figure>\n<div class="scroll">{image}</div>{below}\n</figure>'


def _is_pair_of_strings(pair: object) -> bool:
    if not isinstance(pair, tuple | list):
        return False
    return len(pair) == 2 and all(isinstance(part, str) for part in pair)


def _contents(headings: Sequence[str]) -> str:
    lines = [f'<li><a href="#s{n}">{_escape(h)}</a></li>\n' for n, h in enumerate(headings, 1)]
    return f'<nav aria-label="Contents">\n<ol>\n{"".join(lines)}</ol>\n</nav>\n'


def _section(number: int, heading: str, content: str) -> str:
    return f'<section id="s{number}">\n<h2>{_escape(heading)}</h2>\n{content}\n</section>\n'


def _escape(text: str) -> str:
    return html.escape(printable(text, keep="\n\t"))
