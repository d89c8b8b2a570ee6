"""The seed's initiator: sends one task, prints each lifecycle event, then reads the intent a last time.

It keeps the original's habits, because servers must bear them: no idempotency key, an intent type without a version, a
one-segment address, and plain indexing into what it gets. A `data` member that is null therefore ends it with a
traceback, as it would end the original.

The last line on stdout is one JSON object, for a test to read. `--seconds` bounds the wait; the original waits for
ever.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any

from axme import AxmeClient, AxmeClientConfig

FINAL_EVENT_TYPES = frozenset({"intent.completed", "intent.failed", "intent.cancelled"})


def main() -> int:
    """Sends the task and follows it to its end."""
    arguments = parsed_arguments()
    config = AxmeClientConfig(base_url=os.environ["HOLDPOINT_URL"], api_key=os.environ["HOLDPOINT_API_KEY"])
    with AxmeClient(config) as client:
        intent_id = client.send_intent(
            {
                "intent_type": "process_task",
                "to_agent": arguments.to_agent,
                "payload": {"task": arguments.task, "priority": "high", "requestor": "seed-initiator"},
            }
        )
        print(f"initiator: sent {intent_id}", flush=True)
        try:
            last_event, was_held = followed(client, intent_id, arguments.seconds)
        except TimeoutError:
            print(f"initiator: {intent_id} did not end within {arguments.seconds} s", file=sys.stderr)
            return 1
        final = client.get_intent(intent_id)
    print(f"initiator: final status {final.get('status')}", flush=True)
    print(json.dumps(report(intent_id, last_event, was_held, final), sort_keys=True), flush=True)
    return 0


def followed(client: AxmeClient, intent_id: str, seconds: float) -> tuple[dict[str, Any], bool]:
    """The last event of the intent, and whether it was seen to wait for a person."""
    last_event: dict[str, Any] = {}
    was_held = False
    for event in client.observe(intent_id, timeout_seconds=seconds):
        last_event = event
        data = event.get("data", {})
        print(f"initiator: {event.get('event_type')} status={event.get('status')} data={json.dumps(data)}", flush=True)
        if data.get("status") == "pending_human_approval":
            was_held = True
            print(f"initiator: a person must decide {intent_id} now", flush=True)
        if event.get("event_type") in FINAL_EVENT_TYPES:
            break
    return last_event, was_held


def report(intent_id: str, last_event: dict[str, Any], was_held: bool, final: dict[str, Any]) -> dict[str, Any]:
    """What the run saw; `status` and `result` are read off the envelope, where the original looks for them."""
    return {
        "intent_id": intent_id,
        "last_event_type": last_event.get("event_type"),
        "last_event_status": last_event.get("status"),
        "last_event_data": last_event.get("data"),
        "was_held": was_held,
        "status": final.get("status"),
        "result": final.get("result"),
    }


def parsed_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to-agent", default="agent://task-processor", help="the address to send the task to")
    parser.add_argument("--task", default="Find what moved the first quarter's sales", help="the task in words")
    parser.add_argument("--seconds", type=float, default=60.0, help="fail after this many seconds")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
