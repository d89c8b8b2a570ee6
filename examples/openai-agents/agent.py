"""An agent of the OpenAI Agents SDK whose deployments wait for a person, for as long as that takes.

Each start does one step of one intent and ends: either up to the point where a person must decide, or from the decision
to the result. Nothing runs in between. Killed at any moment and started again, it deploys at most once.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import sys
from typing import Any

import httpx
import rfc8785
from agents import set_tracing_disabled
from agents.exceptions import AgentsException
from axme import AxmeClient, AxmeClientConfig, AxmeError, AxmeValidationError
from openai import OpenAIError

import rehearsal
from brain import Brain, MisconfiguredModel
from connection import Connection, ConnectionUnknown
from deliveries import deliveries
from hold_point import TERMINAL_STATUSES, Checkpoint, HoldPoint, HoldPointRefused
from release_run import Suspended, advanced
from run_checkpoint import CheckpointUnusable

ADDRESS = "agent://release-desk"


def main() -> int:
    """Takes the next intent that needs this agent and does one step of it."""
    arguments = parsed_arguments()
    set_tracing_disabled(True)
    try:
        rehearsal.crash_place()
        brain = Brain.of_environment()
        connection = Connection.of_role("agent")
    except (rehearsal.UnknownPlace, MisconfiguredModel, ConnectionUnknown) as fault:
        print(f"agent: {fault}", file=sys.stderr)
        return 2
    say(f"moves come from: {brain.name}")
    try:
        one_step(connection, brain, arguments)
    except (AxmeError, HoldPointRefused, CheckpointUnusable, httpx.HTTPError, AgentsException, OpenAIError) as fault:
        print(f"agent: this step failed and is left to the next start: {fault!r}", file=sys.stderr)
        return 1
    return 0


def one_step(connection: Connection, brain: Brain, arguments: argparse.Namespace) -> None:
    """Goes through the deliveries up to the first one that has something to do."""
    config = AxmeClientConfig(base_url=connection.base_url, api_key=connection.api_key)
    with AxmeClient(config) as client:
        for intent_id in deliveries(client, arguments.address, arguments.seconds):
            intent = client.get_intent(intent_id)["intent"]
            if intent["status"] in TERMINAL_STATUSES:
                continue
            with HoldPoint(connection, intent_id) as hold_point:
                checkpoint, approvals = hold_point.checkpoint()
                if any(not approval.is_settled for approval in approvals):
                    say(f"{intent_id} still waits for a person")
                    continue
                say(f"{intent_id}: going on from {'the start' if checkpoint is None else 'its checkpoint'}")
                step = asyncio.run(advanced(brain, intent, hold_point, checkpoint, approvals))
                if isinstance(step, Suspended):
                    suspend(hold_point, intent_id, checkpoint, step)
                else:
                    finish(client, intent_id, step.result)
            return
    say(f"nothing to do within {arguments.seconds} s")


def suspend(hold_point: HoldPoint, intent_id: str, checkpoint: Checkpoint | None, step: Suspended) -> None:
    """Stores the run and asks; from here on the server remembers, and this process may end."""
    rehearsal.reached("before-suspend")
    asked = hold_point.suspend(step.checkpoint, None if checkpoint is None else checkpoint.sha256, step.questions)
    rehearsal.reached("after-suspend")
    for question in asked:
        say(f"{intent_id}: asked about {question['call_id']} as approval {question['approval_id']}")
    say(f"{intent_id}: suspended, waiting for a person")


def finish(client: AxmeClient, intent_id: str, result: dict[str, Any]) -> None:
    """Ends the intent; the key makes a repeated attempt harmless, and lets the SDK make one."""
    rehearsal.reached("before-resume")
    key = f"{intent_id}:{hashlib.sha256(rfc8785.dumps(result)).hexdigest()}"
    try:
        client.resume_intent(intent_id, result, idempotency_key=key)
    except AxmeValidationError:
        # Another process may have ended it in the meantime; anything else is a real refusal.
        status = client.get_intent(intent_id)["intent"]["status"]
        if status not in TERMINAL_STATUSES:
            raise
        say(f"{intent_id}: had already ended as {status}")
        return
    if result["action"] == "complete":
        say(f"{intent_id}: done, deployed={result['deployed']}: {result['summary']}")
    else:
        say(f"{intent_id}: failed: {result['reason']}")


def say(line: str) -> None:
    """Prints at once, so that nothing that was said is lost in a crash."""
    print(f"agent: {line}", flush=True)


def parsed_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--address", default=ADDRESS, help=f"the agent address to listen on (default {ADDRESS})")
    parser.add_argument("--seconds", type=float, default=60.0, help="end if nothing comes for so long (default 60)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
