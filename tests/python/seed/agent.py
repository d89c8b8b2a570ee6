"""The seed's agent: takes intents from one address and completes each with fixed insights.

It imports no agent framework and asks no person, exactly like the program that it restates, so any hold point must
come from the server. It forgives no more than that program does: an answer of a shape that the published client
cannot use ends it with a traceback, and only a refused resume is printed and passed over.

The original listens for ever; this one ends after `--intents` intents, or fails once `--seconds` have passed.
"""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, datetime
from typing import Any

from axme import AxmeClient, AxmeClientConfig, AxmeError

ACTIONABLE_STATUSES = frozenset({"CREATED", "DELIVERED", "IN_PROGRESS"})


def main() -> int:
    """Handles the asked number of intents and says whether it got that many."""
    arguments = parsed_arguments()
    config = AxmeClientConfig(base_url=os.environ["HOLDPOINT_URL"], api_key=os.environ["HOLDPOINT_API_KEY"])
    handled_count = 0
    with AxmeClient(config) as client:
        print(f"agent: listening on {arguments.address}", flush=True)
        try:
            for delivery in client.listen(arguments.address, timeout_seconds=arguments.seconds):
                if delivery.get("status") not in ACTIONABLE_STATUSES:
                    continue
                handle(client, delivery["intent_id"])
                handled_count += 1
                if handled_count >= arguments.intents:
                    print(f"agent: done after {handled_count} intent(s)", flush=True)
                    return 0
        except TimeoutError:
            print(f"agent: only {handled_count} of {arguments.intents} intent(s) came in time", file=sys.stderr)
    return 1


def handle(client: AxmeClient, intent_id: str) -> None:
    """Reads one intent, makes its result, and resumes it."""
    answer = client.get_intent(intent_id)
    intent = answer.get("intent", answer)
    payload = intent.get("payload", {})
    # A workflow step is a child intent that carries the task of its parent.
    payload = payload.get("parent_payload", payload)
    task = payload.get("task", "nothing in particular")
    print(f"agent: {intent_id} asks for: {task}", flush=True)
    try:
        client.resume_intent(intent_id, finished(task))
    except AxmeError as refusal:
        print(f"agent: resume of {intent_id} was refused: {refusal}", flush=True)
    else:
        print(f"agent: completed {intent_id}", flush=True)


def finished(task: str) -> dict[str, Any]:
    """The result that the seed posts for every task."""
    return {
        "action": "complete",
        "task": task,
        "insights": ["Sales rose by a tenth over the quarter.", "Most of the growth came from one region."],
        "confidence": 0.9,
        "processed_at": datetime.now(UTC).isoformat(),
    }


def parsed_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--address", default="openai-agent-demo", help="the agent address to listen on")
    parser.add_argument("--intents", type=int, default=1, help="end after this many intents")
    parser.add_argument("--seconds", type=float, default=60.0, help="fail after this many seconds")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
