"""The page on which one drops an image and sees the answer: one document, no network beyond it.

Example:

    html = page("xray", "images", asks_token=False)
"""

import base64
import hashlib
import html
import importlib.resources
import json
import re
import string

_TEMPLATE = (importlib.resources.files("tfpipe.serve") / "templates/page.html").read_text("utf-8")


def _sum(tag: str) -> str:
    """How a policy names the one script (or style) that may run."""
    (text,) = re.findall(f"<{tag}>(.*?)</{tag}>", _TEMPLATE, re.DOTALL)
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


# The browser itself refuses whatever else might find its way into the page.
POLICY = (
    f"default-src 'none'; connect-src 'self'; img-src blob:; script-src {_sum('script')}; "
    f"style-src {_sum('style')}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def page(name: str, input: str, *, asks_token: bool) -> str:
    """The page of a model.

    Args:
        name: the model's.
        input: "images", "texts", "sequences" or "features".
        asks_token: whether there is a field for the server's token.

    Example:

    >>> "<h1>xray</h1>" in page("xray", "images", asks_token=False)
    True
    """
    facts = json.dumps({"name": name, "input": input, "token": asks_token})
    words = {"name": html.escape(name), "facts": html.escape(facts)}
    return string.Template(_TEMPLATE).substitute(words)
