"""Numbers and foreign text as a person reads them.

human_bytes(61_234)   "61.2 kB"        human_number(60_000)   "60,000"
human_seconds(125)    "2 min 5 s"      printable("a\\x1bb")    "a\\\\x1bb"
"""

import unicodedata

from tfpipe.errors import RequestError, received


def human_bytes(num_bytes: int) -> str:
    """A size in decimal units, as file managers and download pages give it.

    Args:
        num_bytes: 0 or more.

    Raises:
        RequestError: the size is negative.

    Example:

    >>> human_bytes(999), human_bytes(61_234), human_bytes(2_500_000)
    ('999 B', '61.2 kB', '2.5 MB')
    """
    if num_bytes < 0:
        raise RequestError(received("`num_bytes` to be 0 or more", num_bytes=num_bytes))
    if num_bytes < 1000:
        return f"{num_bytes} B"
    value, unit, larger = num_bytes / 1000, "kB", ["MB", "GB", "TB"]
    # Compared as it will be shown: 999,960 bytes are 1.0 MB, not 1000.0 kB.
    while round(value, 1) >= 1000 and larger:
        value, unit = value / 1000, larger.pop(0)
    return f"{value:,.1f} {unit}"


def human_seconds(seconds: float) -> str:
    """A duration in its two largest units, whole seconds at the finest.

    Args:
        seconds: 0 or more.

    Raises:
        RequestError: the duration is negative.

    Example:

    >>> human_seconds(15.2), human_seconds(125), human_seconds(3_900)
    ('15 s', '2 min 5 s', '1 h 5 min')
    """
    if seconds < 0:
        raise RequestError(received("`seconds` to be 0 or more", seconds=seconds))
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours:,} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def human_number(number: float) -> str:
    """A number with thousands separated; fractions with four significant figures.

    >>> human_number(60_000), human_number(0.98765), human_number(12_345.6)
    ('60,000', '0.9877', '12,346')
    """
    # Compared as it will be shown: 999.96 is 1,000, not 1000.
    if isinstance(number, int) or abs(number) >= 999.95:
        return f"{number:,.0f}"
    return f"{number:.4g}"


def printable(text: str, *, keep: str = "") -> str:
    r"""The text with its control characters and broken code units spelled out.

    A file name may hold line breaks, terminal codes, or bytes that are no UTF-8; none of them may
    reach a terminal or a page.

    Args:
        text: any string.
        keep: control characters that may stay.

    Example:

    >>> print(printable("a\x1b[2Jb\n"))
    a\x1b[2Jb\n
    """
    if text.isprintable():
        return text
    return "".join(c if c in keep or _is_plain(c) else repr(c)[1:-1] for c in text)


def _is_plain(character: str) -> bool:
    # Controls, surrogates, and the separators that break a line; joiners of Persian, Hindi stay.
    return unicodedata.category(character) not in ("Cc", "Cs", "Zl", "Zp")
