"""Waits that end: what would hang for ever fails, and says so."""

import asyncio
import time

SECONDS = 60


def finished(coroutine):
    """What a coroutine returns, within a minute."""

    async def run():
        async with asyncio.timeout(SECONDS):
            return await coroutine

    return asyncio.run(run())


async def until_set(event):
    """Waits for a `threading.Event`, in a thread that ends, too."""
    assert await asyncio.to_thread(event.wait, SECONDS / 3)


def turns():
    """Turns of a loop that waits for another process, for a minute."""
    over = time.monotonic() + SECONDS
    while time.monotonic() < over:
        yield
    raise AssertionError(f"it did not happen within {SECONDS} s")
