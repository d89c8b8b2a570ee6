"""Sends one release request and follows it to its end, across dropped streams.

The last line on stdout is one JSON object: the intent's id, status and result.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

import httpx
from axme import AxmeClient, AxmeClientConfig, AxmeError, AxmeRateLimitError, AxmeServerError

from connection import Connection, ConnectionUnknown

ADDRESS = "agent://release-desk"
TASK = "Deploy fraud-detector 2.3.1 to production"
PAUSE_SECONDS = 0.5


def main() -> int:
    """Sends, follows, and prints the outcome."""
    arguments = parsed_arguments()
    request_id = arguments.request_id or str(uuid4())
    try:
        connection = Connection.of_role("agent")
    except ConnectionUnknown as fault:
        print(f"initiator: {fault}", file=sys.stderr)
        return 2
    say(f"request id {request_id}; the same id never makes a second intent")
    try:
        with AxmeClient(AxmeClientConfig(base_url=connection.base_url, api_key=connection.api_key)) as client:
            intent_id = sent(client, arguments, request_id)
            say(f"intent {intent_id}")
            for event in events(client, intent_id, arguments.seconds):
                show(event)
            intent = client.get_intent(intent_id)["intent"]
    except TimeoutError:
        print(f"initiator: no end within {arguments.seconds} s; start again with the same request id", file=sys.stderr)
        return 1
    except (AxmeError, httpx.HTTPError) as fault:
        print(f"initiator: {fault!r}", file=sys.stderr)
        return 1
    outcome = {"intent_id": intent_id, "status": intent["status"], "result": intent.get("result")}
    print(json.dumps(outcome, sort_keys=True), flush=True)
    return 0


def sent(client: AxmeClient, arguments: argparse.Namespace, request_id: str) -> str:
    """The id of the intent, the same however often this is called with one request id."""
    intent_id: str = client.send_intent(
        {
            "intent_type": "intent.release.v1",
            "to_agent": arguments.to_agent,
            "payload": {"task": arguments.task},
        },
        # The SDK would make a new one each time, and the same key with another body is refused.
        correlation_id=str(uuid5(NAMESPACE_URL, request_id)),
        idempotency_key=request_id,
    )
    return intent_id


def events(client: AxmeClient, intent_id: str, seconds: float) -> Iterator[dict[str, Any]]:
    """The events up to the last; where the SDK's `observe` ends at a dropped stream, this goes on."""
    ends_at = time.monotonic() + seconds
    since = 0
    while True:
        left_seconds = ends_at - time.monotonic()
        if left_seconds <= 0:
            raise TimeoutError
        try:
            for event in client.observe(intent_id, since=since, timeout_seconds=left_seconds):
                since = max(since, event["seq"])
                yield event
            return
        except (AxmeServerError, AxmeRateLimitError, httpx.TransportError):
            time.sleep(PAUSE_SECONDS)


def show(event: dict[str, Any]) -> None:
    """Prints one event, and what to do if it waits for a person."""
    data = event.get("data") or {}
    say(f"{event['event_type']} {event['status']}")
    if data.get("status") == "pending_human_approval":
        say("a person must decide: python reviewer.py")


def say(line: str) -> None:
    """Prints at once, for whoever follows through a pipe."""
    print(f"initiator: {line}", flush=True)


def parsed_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to-agent", default=ADDRESS, help=f"the address to send to (default {ADDRESS})")
    parser.add_argument("--task", default=TASK, help=f"the request in words (default {TASK!r})")
    parser.add_argument("--request-id", help="the idempotency key (default: a new one)")
    parser.add_argument("--seconds", type=float, default=86_400.0, help="stop following after so long (default a day)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
