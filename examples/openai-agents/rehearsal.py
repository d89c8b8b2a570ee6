"""A switch that kills the agent at a named place, so that a crash can be rehearsed and recovery need not be believed.

`HOLDPOINT_EXAMPLE_CRASH_AT=after-effect python agent.py` ends the process there, at once, with exit code 9: no handler
runs and nothing is flushed, as with `kill -9`.
"""

from __future__ import annotations

import os

VARIABLE = "HOLDPOINT_EXAMPLE_CRASH_AT"
PLACES = (
    "before-suspend",
    "after-suspend",
    "before-claim",
    "after-claim",
    "after-effect",
    "after-record",
    "before-resume",
)
EXIT_CODE = 9


class UnknownPlace(Exception):
    """The switch names a place that does not exist, so the rehearsal would silently not happen."""


def crash_place() -> str | None:
    """The place named by the environment, if any."""
    place = os.environ.get(VARIABLE, "").strip()
    if place and place not in PLACES:
        raise UnknownPlace(f"{VARIABLE} is {place!r}; it must be one of {', '.join(PLACES)}")
    return place or None


def reached(place: str) -> None:
    """Ends the process if this is the place to rehearse a crash at."""
    if place == crash_place():
        os._exit(EXIT_CODE)
