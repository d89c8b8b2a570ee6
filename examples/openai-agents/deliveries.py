"""What the server hands to an agent address, across dropped streams."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
from axme import AxmeClient, AxmeRateLimitError, AxmeServerError

PAUSE_SECONDS = 0.2
PAUSE_SECONDS_MAX = 5.0
HOLD_SECONDS = 15


def deliveries(client: AxmeClient, address: str, seconds: float) -> Iterator[str]:
    """Yields intent ids until the time is up, starting with everything that already waits for this address.

    The SDK's `listen` ends with an exception at the first dropped stream or busy server. Both pass, so this goes on
    from where it was; a refused key or an unknown address does not pass, and is raised.
    """
    ends_at = time.monotonic() + seconds
    since = 0
    pause_seconds = PAUSE_SECONDS
    while (left_seconds := ends_at - time.monotonic()) > 0:
        try:
            for delivery in client.listen(
                address, since=since, wait_seconds=HOLD_SECONDS, timeout_seconds=left_seconds
            ):
                since = max(since, delivery["seq"])
                pause_seconds = PAUSE_SECONDS
                yield delivery["intent_id"]
        except TimeoutError:
            return
        except (AxmeServerError, AxmeRateLimitError, httpx.TransportError):
            time.sleep(max(0.0, min(pause_seconds, ends_at - time.monotonic())))
            pause_seconds = min(pause_seconds * 2, PAUSE_SECONDS_MAX)
