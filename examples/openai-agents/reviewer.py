"""The person's side, in two calls: lists what waits for a decision, and decides one of it."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

import httpx
from axme import AxmeClient, AxmeClientConfig, AxmeError

from connection import Connection, ConnectionUnknown

TIMEOUT_SECONDS = 20.0


def main() -> int:
    """Lists, or decides if told how."""
    arguments = parsed_arguments()
    try:
        connection = Connection.of_role("reviewer")
        if arguments.decision is None:
            for task in tasks(connection):
                show(task)
        else:
            decide(connection, arguments)
    except ConnectionUnknown as fault:
        print(f"reviewer: {fault}", file=sys.stderr)
        return 2
    except (AxmeError, httpx.HTTPError) as fault:
        print(f"reviewer: {fault!r}", file=sys.stderr)
        return 1
    return 0


def tasks(connection: Connection) -> list[dict[str, Any]]:
    """What waits for this reviewer; the SDK has no call for it."""
    response = httpx.get(
        f"{connection.base_url}/v1/me/tasks",
        headers={"x-api-key": connection.api_key},
        timeout=TIMEOUT_SECONDS,
    )
    response.raise_for_status()
    waiting: list[dict[str, Any]] = response.json()["tasks"]
    return waiting


def show(task: dict[str, Any]) -> None:
    """Prints one task as one line of JSON with everything outside ASCII escaped.

    An agent wrote these words; a terminal must not obey them.
    """
    human_task = task["human_task"]
    line = {
        "approval_id": task["intent_id"],
        "title": human_task.get("title"),
        "description": human_task.get("description"),
    }
    print(json.dumps(line), flush=True)


def decide(connection: Connection, arguments: argparse.Namespace) -> None:
    """Sends the decision; a repeated one is the same one."""
    config = AxmeClientConfig(base_url=connection.base_url, api_key=connection.api_key)
    with AxmeClient(config) as client:
        client.decide_approval(
            arguments.approval_id,
            decision=arguments.decision,
            comment=arguments.comment,
            idempotency_key=f"{arguments.approval_id}:{arguments.decision}",
        )
    print(f"reviewer: {arguments.decision} {arguments.approval_id}", flush=True)


def parsed_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("decision", nargs="?", choices=("approve", "reject"), help="leave out to list")
    parser.add_argument("approval_id", nargs="?", help="the approval to decide, from the list")
    parser.add_argument("--comment", help="why; the agent gets to read it")
    arguments = parser.parse_args()
    if arguments.decision is not None and arguments.approval_id is None:
        parser.error("say which approval to decide")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
