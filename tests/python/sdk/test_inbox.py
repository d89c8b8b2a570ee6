"""§1.5 and §1.6 of the contract: the inbox, approvals and capabilities."""

from __future__ import annotations

import re
from uuid import uuid4

from stage import Story

UNKNOWN = "00000000-0000-4000-8000-000000000000"


class Inbox(Story):
    def test_a_thread_is_its_intent(self) -> None:
        owner = self.address("desk")
        intent_id = self.send(owner, payload={"subject": "hello"})
        threads = self.agent.list_inbox(owner_agent=owner)["threads"]
        self.assertEqual([thread["thread_id"] for thread in threads], [intent_id])
        thread = self.agent.get_inbox_thread(intent_id, owner_agent=owner)["thread"]
        self.assertEqual((thread["intent_id"], thread["status"]), (intent_id, "pending"))
        self.assertGreaterEqual(len(thread["timeline"]), 1)
        self.assertIsInstance(self.agent.list_inbox()["threads"], list)
        with self.refused(404):
            self.agent.get_inbox_thread(UNKNOWN, owner_agent=owner)

    def test_changes_are_read_once_from_a_cursor(self) -> None:
        owner = self.address("desk")
        first = self.send(owner)
        second = self.send(owner)
        page = self.agent.list_inbox_changes(owner_agent=owner, limit=1)
        self.assertEqual((page["changes"][0]["thread"]["thread_id"], page["has_more"]), (first, True))
        rest = self.agent.list_inbox_changes(owner_agent=owner, cursor=page["next_cursor"], limit=10)
        self.assertEqual([change["thread"]["thread_id"] for change in rest["changes"]], [second])
        self.agent.resume_intent(first, {"action": "complete"})
        news = self.agent.list_inbox_changes(owner_agent=owner, cursor=rest["next_cursor"])
        self.assertEqual([change["thread"]["status"] for change in news["changes"]], ["done"])

    def test_a_reply_joins_the_conversation_once_under_a_key(self) -> None:
        owner = self.address("desk")
        intent_id = self.send(owner)
        key = str(uuid4())
        for _ in range(2):
            self.agent.reply_inbox_thread(
                intent_id, message="Which build?\u2028Tell me.", owner_agent=owner, idempotency_key=key
            )
        answer = self.agent.get_inbox_thread(intent_id, owner_agent=owner)
        texts = [message["text"] for message in answer["messages"]]
        self.assertEqual(texts, ["Which build?\u2028Tell me."])
        with self.refused(422):
            self.agent.reply_inbox_thread(intent_id, message="", owner_agent=owner)

    def test_messages_are_deleted(self) -> None:
        owner = self.address("desk")
        intent_id = self.send(owner)
        self.agent.reply_inbox_thread(intent_id, message="a slip", owner_agent=owner)
        answer = self.agent.delete_inbox_messages(intent_id, {"mode": "both", "limit": 10}, owner_agent=owner)
        self.assertEqual((answer["mode"], answer["deleted_count"]), ("both", 1))
        thread = self.agent.get_inbox_thread(intent_id, owner_agent=owner)
        self.assertEqual(thread["messages"], [])

    def test_an_agent_delegates_its_work_to_another(self) -> None:
        owner, other = self.address("desk"), self.address("other")
        intent_id = self.send(owner)
        self.agent.delegate_inbox_thread(intent_id, {"delegate_to": other, "note": "yours"}, owner_agent=owner)
        self.assertEqual(self.offered(self.agent, other)["intent_id"], intent_id)

    def test_a_reviewer_delegates_a_task(self) -> None:
        intent_id = self.ask()
        self.reviewer.delegate_inbox_thread(intent_id, {"delegate_to": "grace"})
        with self.refused(403, "not_assigned"):
            self.reviewer.approve_inbox_thread(intent_id, {})

    def test_a_reviewer_approves_and_rejects_and_an_agent_does_not(self) -> None:
        yes, no = self.ask(), self.ask()
        inbox = [thread["thread_id"] for thread in self.reviewer.list_inbox()["threads"]]
        self.assertTrue({yes, no} <= set(inbox))
        with self.refused(403):
            self.agent.approve_inbox_thread(yes, {"comment": "me?"})
        self.reviewer.approve_inbox_thread(yes, {"comment": "fine"})
        self.reviewer.reject_inbox_thread(no, {"comment": "not now"})
        self.assertEqual((self.status(yes), self.status(no)), ("COMPLETED", "FAILED"))
        with self.refused(409):
            self.reviewer.reject_inbox_thread(yes, {})


class Approvals(Story):
    def test_a_decision_is_made_once(self) -> None:
        intent_id = self.ask()
        answer = self.reviewer.decide_approval(intent_id, decision="reject", comment="not on a Friday")
        self.assertEqual((answer["approval"]["decision"], answer["approval"]["comment"]), ("reject", "not on a Friday"))
        again = self.reviewer.decide_approval(intent_id, decision="reject", comment="not on a Friday")
        self.assertEqual(again["approval"]["decided_at"], answer["approval"]["decided_at"])
        with self.refused(409, "already_decided"):
            self.reviewer.decide_approval(intent_id, decision="approve")
        with self.refused(404):
            self.reviewer.decide_approval(UNKNOWN, decision="approve")
        with self.refused(422):
            self.reviewer.decide_approval(self.ask(), decision="perhaps")

    def test_every_task_type_takes_its_answers(self) -> None:
        answers = {
            "approval": ("approved", "rejected"),
            "confirmation": ("confirmed", "denied"),
            "review": ("approved", "changes_requested"),
            "assignment": ("assigned", "declined"),
            "form": ("submitted", "declined"),
            "clarification": ("provided", "declined"),
            "manual_action": ("completed", "failed"),
            "override": ("override_approved", "rejected"),
        }
        for task_type, outcomes in answers.items():
            for outcome, status in zip(outcomes, ("COMPLETED", "FAILED"), strict=True):
                with self.subTest(task_type=task_type, outcome=outcome):
                    intent_id = self.ask(task_type=task_type)
                    result = {"outcome": outcome, "comment": "because", "data": {"assignee": "grace"}}
                    answer = self.reviewer.resume_intent(intent_id, {"task_result": result})
                    self.assertEqual(answer["intent"]["status"], status)

    def test_a_form_is_checked_and_its_values_take_their_types(self) -> None:
        schema = {
            "type": "object",
            "properties": {"approved": {"type": "boolean"}, "amount": {"type": "integer", "minimum": 1}},
            "required": ["approved", "amount"],
        }
        intent_id = self.ask(task_type="form", form_schema=schema)
        with self.refused(422, "form_invalid"):
            self.reviewer.resume_intent(intent_id, {"task_result": {"outcome": "submitted", "amount": "0"}})
        self.assertEqual(self.status(intent_id), "WAITING")
        answer = self.reviewer.resume_intent(intent_id, {"task_result": {"outcome": "submitted", "amount": "25"}})
        self.assertEqual(answer["intent"]["result"]["data"], {"approved": True, "amount": 25})


class Capabilities(Story):
    def test_capabilities_name_what_is_served(self) -> None:
        answer = self.agent.get_capabilities()
        self.assertTrue(answer["capabilities"] and answer["supported_intent_types"])
        for name in answer["supported_intent_types"]:
            self.assertTrue(re.fullmatch(r"intent\.[a-z0-9_]+\.v1", name), name)
