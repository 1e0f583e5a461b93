"""What the pictures share: colours, a canvas measured in CSS pixels, text, PNG.

with own_style():
    figure = canvas(640, 200)
    ...
    return png(figure)
"""

import contextlib
import functools
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tfpipe.report.words import printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAPER = "#ffffff"
INK = "#1d232b"
QUIET = "#5d6773"
RULE = "#d5dae0"
BLUE = "#1f6fb2"
ORANGE = "#d9660a"
RED = "#d32020"

_CSS_PX_PER_INCH = 96
_POINTS_PER_CSS_PX = 72 / _CSS_PX_PER_INCH
_SHARPNESS = 2  # picture pixels per CSS pixel
_MARGIN_INCHES = 0.1
# DejaVu Sans comes with matplotlib; these fill its gaps (Chinese, Japanese, Korean) where present.
_MORE_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "WenQuanYi Zen Hei",
    "Microsoft YaHei",
    "PingFang SC",
    "Hiragino Sans",
    "Malgun Gothic",
)


def canvas(width_px: float, height_px: float, *, arranged: bool = False) -> "Figure":
    """An empty white matplotlib figure; pyplot stays out of it.

    Args:
        width_px: in CSS pixels.
        height_px: in CSS pixels.
        arranged: matplotlib finds places for the panels, with a margin around each.
    """
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    size = (width_px / _CSS_PX_PER_INCH, height_px / _CSS_PX_PER_INCH)
    engine = ConstrainedLayoutEngine(h_pad=_MARGIN_INCHES, w_pad=_MARGIN_INCHES)
    return Figure(figsize=size, facecolor=PAPER, layout=engine if arranged else None)


@contextlib.contextmanager
def own_style() -> Iterator[None]:
    """Matplotlib's defaults while a picture is made, whatever style a person's notebook has set."""
    import matplotlib.style

    with matplotlib.style.context("default"):
        yield


def points(size_px: float) -> float:
    """CSS pixels as the points that matplotlib wants for letters and lines."""
    return size_px * _POINTS_PER_CSS_PX


def png(figure: "Figure", *, crop: bool = False) -> bytes:
    """The figure as PNG bytes, two pixels per CSS pixel; the same figure gives the same bytes.

    Args:
        figure: from `canvas`.
        crop: fit the picture to what is drawn, be it smaller or larger than the canvas.
    """
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        text.set_parse_math(False)  # "$5 to $10" is a name, not a formula
        text.set_fontfamily(list(_fonts()[0]))
    data = io.BytesIO()
    figure.savefig(
        data,
        format="png",
        dpi=_CSS_PX_PER_INCH * _SHARPNESS,
        bbox_inches="tight" if crop else None,
        pad_inches=_MARGIN_INCHES,
        metadata={"Software": None},
    )
    return data.getvalue()


def drawable(text: str) -> str:
    r"""The text with every character spelled out that no font at hand has; line breaks stay.

    >>> print(drawable("caf\u00e9 \U0010fffd"))
    café \U0010fffd
    """
    known = _fonts()[1]
    plain = printable(text, keep="\n")
    return "".join(c if c == "\n" or ord(c) in known else ascii(c)[1:-1] for c in plain)


@functools.cache
def _fonts() -> tuple[tuple[str, ...], frozenset[int]]:
    from matplotlib import font_manager

    installed = font_manager.get_font_names()
    names = ("DejaVu Sans", *(name for name in _MORE_FONTS if name in installed))
    fonts = [font_manager.get_font(font_manager.findfont(name)) for name in names]
    return names, frozenset(code for font in fonts for code in font.get_charmap())
