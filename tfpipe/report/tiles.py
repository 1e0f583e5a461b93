"""Images side by side with a caption under each, as HTML: as many to a row as the screen has room.

tiles(images, [[("int8: 7", True), ("label: 1", False)]])
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

Line = tuple[str, bool]

_SMALL_PX = 96  # below this, a picture's pixels are shown as squares


def tiles(images: "Iterable[Image]", captions: Sequence[Sequence[Line]]) -> str:
    """An HTML fragment for a section of `page`.

    Args:
        images: uint8 arrays (H, W, 1) or (H, W, 3).
        captions: for each image its lines, and whether each says something wrong: such a line is
            red, with a cross before it.

    Raises:
        RequestError: no images, or another number of captions.

    Example:

    >>> import numpy as np
    >>> text = tiles(np.zeros((1, 8, 8, 1), np.uint8), [[("<int8>: 7", True)]])
    >>> '<span class="wrong">✗ &lt;int8&gt;: 7</span>' in text
    True
    """
    pictures = list(images)
    if not pictures or len(pictures) != len(captions):
        expected = "at least one image, and as many captions"
        raise RequestError(received(expected, images=len(pictures), captions=len(captions)))
    parts = zip(pictures, captions, strict=True)
    return f'<div class="tiles">\n{"".join(_tile(*part) for part in parts)}</div>'


def _tile(image: "Image", lines: Sequence[Line]) -> str:
    said = "<br>".join(_line(*line) for line in lines)
    alt = html.escape(printable(", ".join(text for text, _ in lines)), quote=True)
    small = ' class="small"' if max(image.shape[:2]) < _SMALL_PX else ""
    picture = f'<img src="{_source(image)}" alt="{alt}"{small}>'
    return f"<figure>{picture}<figcaption>{said}</figcaption></figure>\n"


def _line(text: str, wrong: bool) -> str:
    escaped = html.escape(printable(text))
    return f'<span class="wrong">✗ {escaped}</span>' if wrong else escaped


def _source(image: "Image") -> str:
    from PIL import Image as pillow

    data = io.BytesIO()
    pillow.fromarray(image[..., 0] if image.shape[2] == 1 else image).save(data, "png")
    return f"data:image/png;base64,{base64.b64encode(data.getvalue()).decode()}"
