"""The numbers that `fit` takes, checked before time is spent."""

from tfpipe.errors import RequestError, one_of, received


def check(
    epochs: int,
    accumulate: int,
    steps_per_call: int | str,
    clip_norm: float | None,
    on_nan: str,
) -> None:
    """Refuses what `fit` cannot work with.

    Raises:
        RequestError: the first such argument.
    """
    for name, value in (("epochs", epochs), ("accumulate", accumulate)):
        if value < 1:
            raise RequestError(received(f"`{name}` to be at least 1", **{name: value}))
    if steps_per_call != "auto" and (isinstance(steps_per_call, str) or steps_per_call < 1):
        expected = "`steps_per_call` to be at least 1, or 'auto'"
        raise RequestError(received(expected, steps_per_call=steps_per_call))
    if clip_norm is not None and not clip_norm > 0:
        raise RequestError(received("`clip_norm` to be above 0, or None", clip_norm=clip_norm))
    if on_nan not in ("stop", "skip"):
        raise RequestError(one_of("on_nan", on_nan, ("stop", "skip")))
