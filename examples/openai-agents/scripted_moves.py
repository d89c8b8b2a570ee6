"""The model that plays when there is no key: fixed moves, each derived from the conversation so far and nothing else.

It keeps no count of its own, so a run that starts again after a crash makes the same calls under the same call ids.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from agents.testing import ModelCall, ModelStep, ScriptedModel, assistant_message, function_call

NAME = "scripted model, no LLM"
MOVES_MAX = 32
WHAT_IS_MISSING = "Say which model, which version and which environment: Deploy NAME VERSION to PLACE."
REQUEST = re.compile(r"\b(?:deploy|release)\s+(\S+)\s+(\S+)\s+to\s+([\w-]+)", re.IGNORECASE)


def scripted_model() -> ScriptedModel:
    """A model with more moves than a run may have turns."""
    return ScriptedModel([ModelStep.respond(next_move) for _ in range(MOVES_MAX)])


def next_move(call: ModelCall) -> Sequence[Any]:
    """The move that the conversation asks for."""
    items = [{"role": "user", "content": call.input}] if isinstance(call.input, str) else list(call.input)
    wish = REQUEST.search(_request_text(items))
    if wish is None:
        return [assistant_message(WHAT_IS_MISSING)]
    model, version, environment = wish.groups()
    made_count = sum(1 for item in items if item.get("type") == "function_call")
    target = {"model": model, "version": version, "environment": environment}

    if call.handoffs:
        return [_call(call.handoffs[0].tool_name, {}, made_count)]
    risk = _output_of(items, "check_risk")
    if risk is None:
        return [_call("check_risk", target, made_count)]
    outcome = _output_of(items, "deploy_model")
    if outcome is None:
        return [_call("deploy_model", {**target, "reason": f"Asked for by the request; risk {risk}"}, made_count)]
    return [assistant_message(_closing_words(f"{model} {version} to {environment}", outcome))]


def _call(tool: str, arguments: dict[str, str], made_count: int) -> Any:
    return function_call(tool, arguments, call_id=f"call_{made_count + 1}_{tool}")


def _closing_words(what: str, outcome: str) -> str:
    try:
        output = json.loads(outcome)
    except ValueError:
        return f"Did not deploy {what}. {outcome}"
    if output["deployed"] is True:
        return f"Deployed {what}."
    if output["deployed"] is False:
        return f"Did not deploy {what}: {output['reason']}."
    return f"It is not known whether {what} was deployed: {output['reason']}."


def _request_text(items: list[Any]) -> str:
    return next(_texts(item["content"] for item in items if item.get("role") == "user"), "")


def _texts(contents: Iterator[Any]) -> Iterator[str]:
    for content in contents:
        if isinstance(content, str):
            yield content
        else:
            yield from (part["text"] for part in content if "text" in part)


def _output_of(items: list[Any], tool: str) -> str | None:
    call_ids = {item["call_id"] for item in items if item.get("type") == "function_call" and item["name"] == tool}
    for item in items:
        if item.get("type") == "function_call_output" and item["call_id"] in call_ids:
            return str(item["output"])
    return None
