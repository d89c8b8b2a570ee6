"""One step of a release: from the start or a checkpoint, up to the next question to a person or to the end."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from agents import (
    InputGuardrailTripwireTriggered,
    MaxTurnsExceeded,
    ModelBehaviorError,
    RunConfig,
    Runner,
    RunResult,
    RunState,
    ToolApprovalItem,
)

from brain import Brain
from grant import Grants, OutcomeUnknown, ToolCall, misfit
from hold_point import Approval, Checkpoint, HoldPoint
from release_agents import DEPLOY_TOOL, triage_agent
from run_checkpoint import packed, unpacked

TURNS_MAX = 12
TASK_CHARACTERS_MAX = 4_000
TITLE_CHARACTERS_MAX = 200
COMMENT_CHARACTERS_MAX = 500
SUMMARY_CHARACTERS_MAX = 4_000
APPROVAL_SECONDS = 7 * 24 * 3600


@dataclass(frozen=True)
class Suspended:
    """A person must decide: the state to store, and what to ask."""

    checkpoint: dict[str, str]
    questions: list[dict[str, Any]]


@dataclass(frozen=True)
class Finished:
    """The run is over: what to resume the intent with."""

    result: dict[str, Any]


async def advanced(
    brain: Brain,
    intent: dict[str, Any],
    hold_point: HoldPoint,
    checkpoint: Checkpoint | None,
    approvals: list[Approval],
) -> Suspended | Finished:
    """Runs the agents as far as they get without another decision."""
    grants = Grants(hold_point, approvals)
    root_agent = triage_agent(brain.model, intent["intent_id"], grants)
    run_input: str | RunState[Any, Any]
    if checkpoint is None:
        task = intent["payload"].get("task")
        if not isinstance(task, str) or not 0 < len(task) <= TASK_CHARACTERS_MAX:
            return _failed(f"payload.task must be text of 1 to {TASK_CHARACTERS_MAX} characters")
        run_input = task
    else:
        run_input = await unpacked(root_agent, checkpoint)
        for item in run_input.get_interruptions():
            _settle(run_input, item, grants)

    config = RunConfig(workflow_name="release", group_id=intent["intent_id"], tracing_disabled=True)
    while True:
        try:
            result = await Runner.run(root_agent, run_input, run_config=config, max_turns=TURNS_MAX)
        except InputGuardrailTripwireTriggered as stop:
            return _refused(brain, str(stop.guardrail_result.output.output_info))
        except (MaxTurnsExceeded, ModelBehaviorError) as fault:
            return _failed(f"the run cannot go on: {fault}")
        except Exception as fault:
            unknown = _outcome_unknown_in(fault)
            if unknown is None or checkpoint is None:
                raise
            return _unchanged(checkpoint, unknown.call)
        if not result.interruptions:
            return Finished(_result_of(brain, result))
        run_input = result.to_state()
        calls = [_call_of(item) for item in result.interruptions]
        readable_calls = [call for call in calls if call is not None]
        if len(readable_calls) == len(calls):
            return Suspended(packed(run_input), [_question(call) for call in readable_calls])
        # Nobody can judge arguments that are not an object, so the model is told instead of a person being asked.
        for item in (item for item in result.interruptions if _call_of(item) is None):
            run_input.reject(item, rejection_message="The arguments must be one JSON object.")


def _unchanged(checkpoint: Checkpoint, call: ToolCall) -> Suspended:
    """The run stays where it was; only a person's word about one call is missing."""
    stored = {"format": checkpoint.format, "version": checkpoint.version, "data": checkpoint.data}
    return Suspended(stored, [_outcome_question(call)])


def _settle(state: RunState[Any, Any], item: ToolApprovalItem, grants: Grants) -> None:
    """Tells the run what people decided about one of its pending calls."""
    call = _call_of(item)
    approval = None if call is None else grants.approval_of(call.call_id)
    objection = "its arguments cannot be read" if call is None else misfit(approval, call)
    if objection is None:
        state.approve(item)
    elif approval is not None and approval.approved is False:
        comment = approval.comment.strip()[:COMMENT_CHARACTERS_MAX] or "no reason given"
        state.reject(item, rejection_message=f"A person refused this call: {comment}")
    elif approval is not None and approval.approved is None:
        state.reject(item, rejection_message=f"This call was not approved: nobody decided ({approval.status})")
    else:
        state.reject(item, rejection_message=f"This call was not run: {objection}")


def _call_of(item: ToolApprovalItem) -> ToolCall | None:
    try:
        arguments = json.loads(item.arguments or "")
    except ValueError:
        return None
    if not isinstance(arguments, dict) or not item.call_id or not item.name:
        return None
    return ToolCall(item.call_id, item.name, arguments)


def _question(call: ToolCall) -> dict[str, Any]:
    about = call.arguments
    return {
        "call_id": call.call_id,
        "tool": call.tool,
        "arguments": about,
        "title": _bounded(f"Deploy {about.get('model')} {about.get('version')} to {about.get('environment')}"),
        "description": _bounded(f"The release agent's reason: {about.get('reason')}"),
        "timeout_seconds": APPROVAL_SECONDS,
    }


def _outcome_question(call: ToolCall) -> dict[str, Any]:
    asked = call.outcome_call
    about = call.arguments
    return {
        "call_id": asked.call_id,
        "tool": asked.tool,
        "arguments": asked.arguments,
        "title": _bounded(
            f"Did it happen? Deploy {about.get('model')} {about.get('version')} to {about.get('environment')}"
        ),
        "description": (
            "The agent stopped after it began this deployment and before it noted the outcome. It will not run it "
            "again. Look at the target: approve if the deployment is there, reject if it is not."
        ),
        "timeout_seconds": APPROVAL_SECONDS,
    }


def _bounded(text: str) -> str:
    return text if len(text) <= TITLE_CHARACTERS_MAX else text[: TITLE_CHARACTERS_MAX - 1] + "…"


def _outcome_unknown_in(fault: BaseException | None) -> OutcomeUnknown | None:
    """The SDK wraps what a tool raises, so the reason is somewhere down the chain of causes."""
    while fault is not None:
        if isinstance(fault, OutcomeUnknown):
            return fault
        fault = fault.__cause__
    return None


def _result_of(brain: Brain, result: RunResult) -> dict[str, Any]:
    """The result by the tool's outputs; the model's closing words are a summary and prove nothing."""
    deployed: bool | None = False
    reason: str | None = None
    for output in _deploy_outputs(result):
        if output["deployed"] is True:
            deployed, reason = True, None
        elif output["deployed"] is None and deployed is False:
            deployed, reason = None, output["reason"]
        elif deployed is False:
            reason = output["reason"]
    summary = str(result.final_output)[:SUMMARY_CHARACTERS_MAX]
    if deployed is False and reason is None:
        reason = summary
    return {
        "action": "complete",
        "deployed": deployed,
        "reason": reason,
        "summary": summary,
        "decided_by_model": brain.name,
    }


def _deploy_outputs(result: RunResult) -> list[dict[str, Any]]:
    items: list[Any] = result.to_input_list()
    call_ids = {
        item["call_id"] for item in items if item.get("type") == "function_call" and item["name"] == DEPLOY_TOOL
    }
    texts = [
        str(item["output"])
        for item in items
        if item.get("type") == "function_call_output" and item["call_id"] in call_ids
    ]
    return [_output_of(text) for text in texts]


def _output_of(text: str) -> dict[str, Any]:
    try:
        output = json.loads(text)
    except ValueError:
        output = None
    # Whatever is not the tool's own output is the text of a rejection.
    return output if isinstance(output, dict) and "deployed" in output else {"deployed": False, "reason": text}


def _refused(brain: Brain, reason: str) -> Finished:
    return Finished(
        {
            "action": "complete",
            "deployed": False,
            "reason": reason,
            "summary": f"Refused: {reason}",
            "decided_by_model": brain.name,
        }
    )


def _failed(reason: str) -> Finished:
    return Finished({"action": "fail", "reason": reason[:SUMMARY_CHARACTERS_MAX]})
