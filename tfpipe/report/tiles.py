"""Examples side by side with a caption under each, as HTML: as many to a row as there is room for.

tiles(images, [[("int8: 7", True), ("label: 1", False)]])       # pictures
traces(series, captions)                                        # numbers over time, as lines
quotes(texts, captions)                                         # texts, one below the other
"""

import base64
import html
import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from tfpipe.errors import RequestError, received
from tfpipe.report.words import printable

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Image = npt.NDArray[np.uint8]
    Series = npt.NDArray[np.float32]

Line = tuple[str, bool]

_SMALL_PX = 96  # below this, a picture's pixels are shown as squares
_WIDTH, _HEIGHT = 240, 80  # of a trace, in its own units
_MOST_POINTS = 480  # of a trace's line: two to a unit
_MOST_CHARACTERS = 600  # of a quoted text
# Of Okabe and Ito, "Color Universal Design" (2008): told apart by colour-blind readers, too.
_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")


def tiles(
    images: "Iterable[Image]",
    captions: Sequence[Sequence[Line]],
    *,
    num_columns: int | None = None,
) -> str:
    """An HTML fragment for a section of `page`.

    Args:
        images: uint8 arrays (H, W, 1) or (H, W, 3).
        captions: for each image its lines, and whether each says something wrong: such a line is
            red, with a cross before it.
        num_columns: of every row, where pictures belong together; a narrow screen scrolls. None:
            as many as it has room for.

    Raises:
        RequestError: no images, or another number of captions.

    Example:

    >>> import numpy as np
    >>> text = tiles(np.zeros((1, 8, 8, 1), np.uint8), [[("<int8>: 7", True)]])
    >>> '<span class="wrong">✗ &lt;int8&gt;: 7</span>' in text
    True
    """
    pictures = list(images)
    _require_captions("image", captions, images=pictures)
    parts = [_picture(*part) for part in zip(pictures, captions, strict=True)]
    rows = f"grid-template-columns: repeat({num_columns}, minmax(104px, 1fr))"
    shown = _captioned("tiles", parts, captions, style=rows if num_columns else "")
    return f'<div class="scroll">{shown}</div>' if num_columns else shown


def traces(series: "Sequence[Series]", captions: Sequence[Sequence[Line]]) -> str:
    """An HTML fragment: each series as lines over time, between its own least and largest number.

    Args:
        series: float arrays (T, C), finite; a line for each of the C columns, of which the first
            480 points at most are drawn, evenly spaced.
        captions: as for `tiles`.

    Raises:
        RequestError: no series, or another number of captions.

    Example:

    >>> import numpy as np
    >>> text = traces([np.array([[1.0], [3.0], [2.0]])], [[("target: 2.5", False)]])
    >>> 'points="0,80 120,0 240,40"' in text
    True
    """
    _require_captions("series", captions, series=series)
    parts = [_drawn(*part) for part in zip(series, captions, strict=True)]
    return _captioned("tiles traces", parts, captions)


def quotes(texts: Sequence[str], captions: Sequence[Sequence[Line]]) -> str:
    """An HTML fragment: each text, of which 600 characters at most are shown, with its caption.

    Args:
        texts: of people one does not know: everything is escaped.
        captions: as for `tiles`.

    Raises:
        RequestError: no texts, or another number of captions.

    Example:

    >>> text = quotes(["a <b>fine</b> film"], [[("label: good", False)]])
    >>> "<blockquote>a &lt;b&gt;fine&lt;/b&gt; film</blockquote>" in text
    True
    """
    _require_captions("text", captions, texts=texts)
    parts = [f"<blockquote>{html.escape(printable(_cut(text)))}</blockquote>" for text in texts]
    return _captioned("quotes", parts, captions)


def _require_captions(noun: str, captions: Sequence[object], **given: Sequence[object]) -> None:
    ((name, examples),) = given.items()
    if not len(examples) or len(examples) != len(captions):
        counts = {name: len(examples), "captions": len(captions)}
        raise RequestError(received(f"at least one {noun}, and as many captions", **counts))


def _captioned(
    kind: str, parts: Sequence[str], captions: Sequence[Sequence[Line]], *, style: str = ""
) -> str:
    figures = [
        f"<figure>{part}<figcaption>{'<br>'.join(_line(*line) for line in lines)}</figcaption>"
        "</figure>\n"
        for part, lines in zip(parts, captions, strict=True)
    ]
    styled = f' style="{style}"' if style else ""
    return f'<div class="{kind}"{styled}>\n{"".join(figures)}</div>'


def _picture(image: "Image", lines: Sequence[Line]) -> str:
    small = ' class="small"' if max(image.shape[:2]) < _SMALL_PX else ""
    return f'<img src="{_source(image)}" alt="{_alt(lines)}"{small}>'


def _drawn(series: "Series", lines: Sequence[Line]) -> str:
    step = -(-len(series) // _MOST_POINTS)
    low, high = float(series.min()), float(series.max())
    across, up = _WIDTH / max(1, len(series) - 1), _HEIGHT / (high - low or 1.0)
    strokes = [
        " ".join(
            f"{place * across:.4g},{_HEIGHT - (float(column[place]) - low) * up:.4g}"
            for place in range(0, len(series), step)
        )
        for column in series.T
    ]
    drawn = "".join(
        f'<polyline points="{points}" stroke="{_COLOURS[number % len(_COLOURS)]}"/>'
        for number, points in enumerate(strokes)
    )
    box = f'viewBox="-2 -2 {_WIDTH + 4} {_HEIGHT + 4}"'
    return f'<svg {box} role="img" aria-label="{_alt(lines)}">{drawn}</svg>'


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]} …"


def _alt(lines: Sequence[Line]) -> str:
    return html.escape(printable(", ".join(text for text, _ in lines)), quote=True)


def _line(text: str, wrong: bool) -> str:
    escaped = html.escape(printable(text))
    return f'<span class="wrong">✗ {escaped}</span>' if wrong else escaped


def _source(image: "Image") -> str:
    from PIL import Image as pillow

    data = io.BytesIO()
    pillow.fromarray(image[..., 0] if image.shape[2] == 1 else image).save(data, "png")
    return f"data:image/png;base64,{base64.b64encode(data.getvalue()).decode()}"
