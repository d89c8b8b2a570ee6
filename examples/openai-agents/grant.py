"""The grant of one tool call: acts at most once, and only on what a person saw and said yes to."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import rfc8785

import rehearsal
from hold_point import Approval, HoldPoint, HoldPointRefused

OUTCOME_UNKNOWN_CODE = "tool_call_outcome_unknown"
OUTCOME_TOOL = "confirm_outcome"
OUTCOME_SUFFIX = ":outcome"

Output = dict[str, Any]


class EffectDidNotStart(Exception):
    """The effect failed before it could change anything, so its outcome is known: nothing happened."""


@dataclass(frozen=True)
class ToolCall:
    """A call that the model asks for."""

    call_id: str
    tool: str
    arguments: dict[str, Any]

    @property
    def outcome_call(self) -> ToolCall:
        """The question whether this call happened, itself in the shape of a call."""
        about = {"call_id": self.call_id, "tool": self.tool, "arguments": self.arguments}
        return ToolCall(self.call_id + OUTCOME_SUFFIX, OUTCOME_TOOL, about)


class OutcomeUnknown(Exception):
    """An earlier process claimed the call and died before it recorded what came out; a person must be asked."""

    def __init__(self, call: ToolCall) -> None:
        super().__init__(f"nobody recorded whether {call.call_id} happened")
        self.call = call


def misfit(approval: Approval | None, call: ToolCall) -> str | None:
    """Why the approval does not cover the call, or None if it does.

    The digest is taken here again over what the server says was shown, so an action that changed after the decision,
    on either side, no longer passes.
    """
    if approval is None:
        return "nobody was asked about this call"
    if not approval.is_granted:
        return "nobody approved this call"
    if hashlib.sha256(rfc8785.dumps(approval.action)).hexdigest() != approval.digest:
        return "the approved action does not fit its digest"
    if approval.action.get("tool") != call.tool or approval.action.get("arguments") != call.arguments:
        return "the approved action is not the one about to be done"
    return None


class Grants:
    """The grants of one intent, and the only way to an effect."""

    def __init__(self, hold_point: HoldPoint, approvals: list[Approval]) -> None:
        self._hold_point = hold_point
        # A question that was asked again counts by its latest answer.
        self._approvals = {approval.call_id: approval for approval in approvals}

    def approval_of(self, call_id: str) -> Approval | None:
        """The approval that was asked for a call."""
        return self._approvals.get(call_id)

    def perform(self, call: ToolCall, effect: Callable[[], Output]) -> Output:
        """Does the effect if this process wins the grant; otherwise tells what is known about it."""
        approval = self.approval_of(call.call_id)
        objection = misfit(approval, call)
        if approval is None or objection is not None:
            return not_deployed(objection or "nobody was asked about this call")

        rehearsal.reached("before-claim")
        try:
            claim = self._hold_point.claim(call.call_id, call.tool, call.arguments, approval.approval_id)
        except HoldPointRefused as refusal:
            if refusal.code == OUTCOME_UNKNOWN_CODE:
                return self._outcome_by_word_of_a_person(call)
            if refusal.status in (httpx.codes.FORBIDDEN, httpx.codes.CONFLICT):
                return not_deployed(f"the grant was refused ({refusal.code}): {refusal.message}")
            raise
        if claim.token is None:
            recorded: Output = claim.output
            return recorded
        rehearsal.reached("after-claim")

        try:
            output, is_error = effect(), False
        except EffectDidNotStart as failure:
            output, is_error = not_deployed(str(failure)), True
        rehearsal.reached("after-effect")
        self._hold_point.record(call.call_id, claim.token, output, is_error)
        rehearsal.reached("after-record")
        return output

    def _outcome_by_word_of_a_person(self, call: ToolCall) -> Output:
        answer = self.approval_of(call.outcome_call.call_id)
        if answer is None or not answer.is_settled:
            raise OutcomeUnknown(call)
        witness = answer.decided_by or "a person"
        if misfit(answer, call.outcome_call) is None:
            return {"deployed": True, "reason": f"an earlier run did it; confirmed by {witness}"}
        if answer.approved is False:
            return not_deployed(f"an earlier run died before it; confirmed by {witness}")
        return {"deployed": None, "reason": "an earlier run died while at it, and nobody could say whether it happened"}


def not_deployed(reason: str) -> Output:
    """The output of a call that had no effect."""
    return {"deployed": False, "reason": reason}
