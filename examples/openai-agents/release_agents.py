"""The agents: triage checks the request and hands it to release, which assesses the risk and deploys."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from agents import (
    Agent,
    GuardrailFunctionOutput,
    ModelSettings,
    RunContextWrapper,
    TResponseInputItem,
    function_tool,
    input_guardrail,
)
from agents.models.interface import Model
from agents.tool_context import ToolContext

from grant import EffectDidNotStart, Grants, Output, ToolCall

LOG_VARIABLE = "DEPLOY_LOG"
LOG_FILE = "deployments.log"
DEPLOY_TOOL = "deploy_model"
FORBIDDEN_WISH = re.compile(r"\b(without|skip|bypass|ignore)\b.{0,40}\b(approval|review|sign-?off)\b", re.IGNORECASE)


def triage_agent(model: Model | str | None, intent_id: str, grants: Grants) -> Agent[Any]:
    """The root agent of a run; `model` None means the SDK's own default."""
    release = Agent(
        name="release",
        handoff_description="Deploys one version of one model.",
        instructions=(
            "Deploy the requested model version. First call check_risk once. Then call deploy_model once and put the "
            "risk into its reason. A person decides whether the deployment runs. If it is refused, do not try again. "
            "End with one sentence that says what happened, taken from the tool's output."
        ),
        tools=[check_risk, _deploy_tool(intent_id, grants)],
        model=model,
        # One call a turn, so that a failing call can never cut off another one that is half done.
        model_settings=ModelSettings(parallel_tool_calls=False),
    )
    return Agent(
        name="triage",
        instructions=(
            "A request must name a model, a version and an environment. If it does, hand it to the release agent. "
            "If it does not, say in one sentence what is missing."
        ),
        handoffs=[release],
        input_guardrails=[no_way_around_people],
        model=model,
        model_settings=ModelSettings(parallel_tool_calls=False),
    )


@input_guardrail(run_in_parallel=False)
async def no_way_around_people(
    _context: RunContextWrapper[Any], _agent: Agent[Any], request: str | list[TResponseInputItem]
) -> GuardrailFunctionOutput:
    """Stops a request that asks to go round the approval, before any model reads it."""
    text = request if isinstance(request, str) else json.dumps(request, ensure_ascii=False)
    asks_to_skip = FORBIDDEN_WISH.search(text) is not None
    info = "the request asks to go round the approval" if asks_to_skip else "in order"
    return GuardrailFunctionOutput(output_info=info, tripwire_triggered=asks_to_skip)


@function_tool
async def check_risk(model: str, version: str, environment: str) -> str:
    """Rates a deployment. Changes nothing, so nobody is asked.

    Args:
        model: The model's name.
        version: The version to deploy.
        environment: Where to deploy it.
    """
    if environment != "production":
        return f"low: {environment} serves no customers"
    if re.fullmatch(r"v?\d+\.0(\.0)?", version):
        return f"high: {model} {version} is a new major version in production"
    return f"medium: {model} {version} replaces a version that serves customers"


def _deploy_tool(intent_id: str, grants: Grants) -> Any:
    # Without an error function an exception ends the run. With the default one it would become text for the model, and
    # a deployment that may well have happened would be reported as failed.
    @function_tool(name_override=DEPLOY_TOOL, needs_approval=True, failure_error_function=None)
    async def deploy(context: ToolContext[Any], model: str, version: str, environment: str, reason: str) -> str:
        """Deploys a model version, once a person has approved exactly this call.

        Args:
            model: The model's name.
            version: The version to deploy.
            environment: Where to deploy it.
            reason: Why, and at what risk; the reviewer reads this.
        """
        call = ToolCall(context.tool_call_id, DEPLOY_TOOL, json.loads(context.tool_arguments))
        line = {
            "intent_id": intent_id,
            "call_id": call.call_id,
            "model": model,
            "version": version,
            "environment": environment,
            "reason": reason,
        }
        # Nothing is awaited between claim and record, so no cancellation can fall between them.
        return json.dumps(grants.perform(call, lambda: _deployed(line)), sort_keys=True)

    return deploy


def _deployed(line: dict[str, str]) -> Output:
    """The effect: one line in the deployment log, on disk before it is reported."""
    file = Path(os.environ.get(LOG_VARIABLE) or LOG_FILE)
    try:
        log = file.open("a", encoding="utf-8")
    except OSError as cause:
        raise EffectDidNotStart(f"{file} cannot be opened: {cause.strerror}") from cause
    with log:
        log.write(json.dumps(line, sort_keys=True) + "\n")
        log.flush()
        os.fsync(log.fileno())
    return {"deployed": True, "model": line["model"], "version": line["version"], "environment": line["environment"]}
