"""§3 of the contract: the public demonstrations, restated: an agent that listens on a bare name, an initiator that
sends to a three-part address and reads the end where those scripts read it, and a person in between.

The seed itself, script for script, is in `tests/python/seed`.
"""

from __future__ import annotations

import os
import threading
from typing import Any
from urllib.parse import quote

import httpx
from axme import AxmeClient
from stage import PATIENCE_SECONDS, URL, Story, client

ACTIONABLE = ("DELIVERED", "CREATED", "IN_PROGRESS")


class Demo(Story):
    def route(self, address: str, to: str, human_task: dict | None = None, when: str = "on_result") -> None:
        """Leads an address to where the demonstration's agent listens, as the README tells its operator to."""
        body: dict[str, Any] = {"to": to}
        if human_task is not None:
            body |= {"human_task": human_task, "human_task_when": when}
        headers = {"x-api-key": os.environ["HOLDPOINT_ADMIN_KEY"]}
        httpx.put(f"{URL}/v1/routes/{quote(address)}", json=body, headers=headers).raise_for_status()

    def listen_once(self, address: str, **result: Any) -> threading.Thread:
        """The agent of all five: listen, get, resume with a result; here it ends after one intent."""

        def run() -> None:
            with client("agent") as agent:
                for delivery in agent.listen(address, timeout_seconds=PATIENCE_SECONDS):
                    if delivery.get("status") not in ACTIONABLE:
                        continue
                    answer = agent.get_intent(delivery["intent_id"])
                    intent = answer.get("intent", answer)
                    payload = intent.get("payload", {})
                    payload = payload.get("parent_payload", payload)
                    agent.resume_intent(delivery["intent_id"], {"action": "complete", "seen": payload, **result})
                    return

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        self.addCleanup(thread.join, PATIENCE_SECONDS)
        return thread

    def decide(self, intent_id: str, **task_result: Any) -> None:
        """A person, with `axme tasks approve` or its like, once the task is open."""
        self.until(lambda: self.waits_for_a_person(intent_id), "a person is asked")
        self.reviewer.resume_intent(intent_id, {"task_result": task_result})

    def waits_for_a_person(self, intent_id: str) -> bool:
        intent = self.agent.get_intent(intent_id)["intent"]
        return intent["lifecycle_waiting_reason"] == "WAITING_FOR_HUMAN"

    def end(self, initiator: AxmeClient, intent_id: str) -> dict[str, Any]:
        """What the initiators wait for; some of them index the answer without looking."""
        initiator.wait_for(intent_id, timeout_seconds=PATIENCE_SECONDS)
        answer = initiator.get_intent(intent_id)
        self.assertEqual(answer["intent"]["lifecycle_status"], answer["status"])
        return answer


class Demos(Demo):
    def test_async_human_approval(self) -> None:
        self.route("myorg/production/data-analyst", "data-analyst-demo", {"title": "Release the report"})
        self.listen_once("data-analyst-demo", rows=3)
        intent_id = self.send("agent://myorg/production/data-analyst", payload={"task": "quarterly figures"})
        self.decide(intent_id, outcome="approved", comment="Figures checked")
        answer = self.end(self.agent, intent_id)
        self.assertEqual((answer["status"], answer["result"]["rows"]), ("COMPLETED", 3))

    def test_agent_workflow_with_human_approval(self) -> None:
        steps = [
            {
                "step_id": "check",
                "tool_id": "tool.agent.task.v1",
                "assigned_to": "checker",
                "step_deadline_seconds": 3600,
            },
            {
                "step_id": "sign_off",
                "tool_id": "tool.approval.human_signoff",
                "assigned_to": "officer",
                "requires_approval": True,
                "human_task": {"title": "Is it compliant?", "allowed_outcomes": ["approved", "rejected"]},
                "remind_after_seconds": 300,
                "max_reminders": 3,
                "escalate_to": "officer",
                "step_deadline_seconds": 28_800,
            },
        ]
        bundle = {
            "scenario_id": "agent-workflow-demo",
            "agents": [{"role": "checker", "address": "compliance-checker-demo", "create_if_missing": True}],
            "humans": [{"role": "officer", "contact": ""}],
            "workflow": {"steps": steps},
            "intent": {"type": "compliance.check.v1", "payload": {"change": "CHG-7"}},
        }
        intent_id = self.agent.apply_scenario(bundle)["intent_id"]
        self.listen_once("compliance-checker-demo", passed=True)
        self.decide(intent_id, outcome="approved")
        answer = self.end(self.agent, intent_id)
        self.assertEqual(answer["intent"]["lifecycle_status"], "COMPLETED")
        self.assertEqual(answer["result"]["seen"], {"change": "CHG-7"})

    def test_approval_workflow_model_a(self) -> None:
        """One intent is handed from party to party by its own initiator, which ends it."""
        self.route("myorg/production/cab-reviewer", "cab-reviewer", {"title": "Change board"}, "on_arrival")
        intent_id = self.send("agent://myorg/production/change-desk", payload={"change": "CHG-8"})
        step = {"approve_current_step": True, "reason": "validated", "approved_by": "validator"}
        self.agent.resume_intent(intent_id, step)
        self.assertEqual(self.status(intent_id), "IN_PROGRESS")
        board = self.send("agent://myorg/production/cab-reviewer", payload={"change": "CHG-8"})
        self.decide(board, outcome="approved")
        self.assertEqual(self.end(self.agent, board)["status"], "COMPLETED")
        self.agent.resolve_intent(intent_id, {"status": "COMPLETED", "result": {"board": board}})
        self.assertEqual(self.end(self.agent, intent_id)["status"], "COMPLETED")

        refused = self.send("agent://myorg/production/cab-reviewer", payload={"change": "CHG-9"})
        self.decide(refused, outcome="rejected", comment="freeze")
        self.assertEqual(self.end(self.agent, refused)["status"], "FAILED")

    def test_approval_workflow_model_b(self) -> None:
        """The server runs the steps; the same tool name stands on the agent's and on the person's."""
        steps = [
            {"step_id": "validate", "tool_id": "axme.approval.v1", "assigned_to": "validator"},
            {
                "step_id": "board",
                "tool_id": "axme.approval.v1",
                "assigned_to": "board",
                "requires_approval": True,
                "human_task": {"title": "Change board"},
            },
        ]
        bundle = {
            "scenario_id": "approval-workflow-demo",
            "agents": [{"role": "validator", "address": "infra-validator-demo", "create_if_missing": True}],
            "humans": [{"role": "board"}],
            "workflow": {"entry_step": "validate", "steps": steps},
            "intent": {"type": "change.request.v1", "payload": {"change": "CHG-10"}},
        }
        intent_id = self.agent.apply_scenario(bundle)["intent_id"]
        self.listen_once("infra-validator-demo", valid=True)
        self.until(lambda: self.waits_for_a_person(intent_id), "the board is asked")
        self.reviewer.resume_intent(intent_id, {"action": "approve", "task_result": {"approved": True}})
        self.assertEqual(self.end(self.agent, intent_id)["status"], "COMPLETED")

    def test_durable_execution_with_human_approval(self) -> None:
        self.route("myorg/production/procurement-service", "procurement-service-demo", {"title": "Order it?"})
        self.listen_once("procurement-service-demo", order="PO-7")
        intent_id = self.send("agent://myorg/production/procurement-service", payload={"amount": 12_000})
        self.decide(intent_id, outcome="rejected", comment="too dear")
        answer = self.end(self.agent, intent_id)
        self.assertEqual((answer["status"], answer["intent"]["decision"]["outcome"]), ("FAILED", "rejected"))
