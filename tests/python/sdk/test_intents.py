"""§1.1 of the contract: intents, as the published client sends, follows and steers them."""

from __future__ import annotations

import threading
from uuid import uuid4

from stage import PATIENCE_SECONDS, Story

UNKNOWN = "00000000-0000-4000-8000-000000000000"


class Sending(Story):
    def test_health_answers(self) -> None:
        self.assertIs(self.agent.health()["ok"], True)

    def test_an_intent_is_created_once_under_a_key(self) -> None:
        intent = {"intent_type": "story.step.v1", "to_agent": self.address("worker"), "payload": {"n": 1}}
        names = {"correlation_id": str(uuid4()), "idempotency_key": str(uuid4())}
        first = self.agent.create_intent(intent, **names)
        again = self.agent.create_intent(intent, **names)
        self.assertEqual((first["ok"], first["status"]), (True, "DELIVERED"))
        self.assertEqual(first["intent_id"], again["intent_id"])
        with self.refused(409, "idempotency_key_reused"):
            self.agent.create_intent({**intent, "payload": {"n": 2}}, **names)

    def test_what_is_sent_is_what_is_read(self) -> None:
        to = self.address("worker")
        intent_id = self.send(f"agent://{to}", payload={"a": [1, "ü", None]}, reply_to="desk")
        answer = self.agent.get_intent(intent_id)
        intent = answer["intent"]
        self.assertEqual(intent["payload"], {"a": [1, "ü", None]})
        self.assertEqual((intent["to_agent"], intent["reply_to"]), (f"agent://{to}", "agent://desk"))
        self.assertEqual(intent["lifecycle_status"], intent["status"])
        self.assertEqual((answer["status"], answer["payload"]), (intent["status"], intent["payload"]))

    def test_bad_input_names_its_field(self) -> None:
        with self.refused(422, "invalid_request"):
            self.send("not an address")
        with self.refused(404):
            self.agent.get_intent(UNKNOWN)
        with self.refused(404):
            self.agent.list_intent_events(UNKNOWN)


class Following(Story):
    def test_events_come_in_order_after_a_number(self) -> None:
        intent_id = self.send(self.address("worker"))
        events = self.agent.list_intent_events(intent_id)["events"]
        self.assertEqual(
            [event["event_type"] for event in events], ["intent.created", "intent.submitted", "intent.delivered"]
        )
        numbers = [event["seq"] for event in events]
        self.assertEqual(numbers, sorted(set(numbers)))
        later = self.agent.list_intent_events(intent_id, since=numbers[1])["events"]
        self.assertEqual([event["seq"] for event in later], numbers[2:])

    def test_observe_gives_every_event_once_and_ends_with_the_intent(self) -> None:
        address = self.address("worker")
        intent_id = self.send(address)
        timer = threading.Timer(0.3, lambda: self.agent.resume_intent(intent_id, {"action": "complete", "n": 7}))
        timer.start()
        seen = list(self.reviewer.observe(intent_id, timeout_seconds=PATIENCE_SECONDS))
        timer.join()
        numbers = [event["seq"] for event in seen]
        self.assertEqual(numbers, sorted(set(numbers)))
        self.assertEqual(seen[-1]["event_type"], "intent.completed")
        self.assertEqual(seen[-1]["data"]["result"], {"n": 7})

    def test_wait_for_returns_the_last_event(self) -> None:
        intent_id = self.ask()
        timer = threading.Timer(0.3, lambda: self.reviewer.decide_approval(intent_id, decision="approve"))
        timer.start()
        last = self.agent.wait_for(intent_id, timeout_seconds=PATIENCE_SECONDS)
        timer.join()
        self.assertEqual((last["status"], last["data"]["approved"]), ("COMPLETED", True))

    def test_wait_for_gives_up_in_time(self) -> None:
        with self.assertRaises(TimeoutError):
            self.agent.wait_for(self.ask(), timeout_seconds=1.5)


class Steering(Story):
    def test_an_agent_resumes_and_nobody_resumes_twice(self) -> None:
        intent_id = self.send(self.address("worker"))
        answer = self.agent.resume_intent(intent_id, {"action": "complete", "ok": "yes"})
        self.assertEqual((answer["applied"], answer["intent"]["status"]), (True, "COMPLETED"))
        with self.refused(409, "intent_ended"):
            self.agent.resume_intent(intent_id, {"action": "complete", "ok": "no"})

    def test_a_step_is_handed_on_without_ending_the_intent(self) -> None:
        intent_id = self.send(self.address("worker"))
        answer = self.agent.resume_intent(intent_id, {"approve_current_step": True, "reason": "checked"})
        self.assertEqual(answer["intent"]["status"], "IN_PROGRESS")
        done = self.agent.resolve_intent(intent_id, {"status": "COMPLETED", "result": {"n": 1}})
        self.assertEqual(done["event"]["event_type"], "intent.completed")

    def test_resolve_completes_fails_and_cancels(self) -> None:
        done = self.send(self.address("worker"), reply_to="desk")
        answer = self.agent.resolve_intent(done, {"status": "COMPLETED", "result": {"n": 1}})
        self.assertEqual(answer["intent"]["result"], {"n": 1})
        delivery = answer["completion_delivery"]
        self.assertEqual((delivery["delivered"], delivery["thread_id"]), (True, done))
        with self.refused(409):
            self.agent.resolve_intent(done, {"status": "FAILED", "error": {"code": "late"}})

        failed = self.send(self.address("worker"))
        answer = self.agent.resolve_intent(failed, {"status": "FAILED", "result": {"why": "no error field"}})
        self.assertEqual((answer["intent"]["status"], answer["event"]["event_type"]), ("FAILED", "intent.failed"))

        canceled = self.send(self.address("worker"))
        answer = self.agent.resolve_intent(canceled, {"status": "CANCELED", "reason": "not needed"})
        self.assertEqual(answer["event"]["details"]["reason"], "not needed")
        with self.refused(422, "invalid_request"):
            self.agent.resolve_intent(self.send(self.address("worker")), {"status": "DONE"})

    def test_an_agent_never_answers_for_a_person(self) -> None:
        intent_id = self.ask()
        with self.refused(403):
            self.agent.resume_intent(intent_id, {"outcome": "approved"})
        with self.refused(409, "awaits_decision"):
            self.agent.resume_intent(intent_id, {"action": "complete"})
        answer = self.reviewer.resume_intent(intent_id, {"task_result": {"outcome": "approved", "comment": "fine"}})
        self.assertEqual(answer["intent"]["result"]["approved"], True)

    def test_resume_names_the_acting_agent_in_query_or_header(self) -> None:
        address = self.address("worker")
        body = {"action": "complete"}
        self.agent.resume_intent(self.send(address), body, owner_agent=address)
        self.agent.resume_intent(self.send(address), body, x_owner_agent=f"agent://{address}")
        with self.refused(400):
            self.agent.resume_intent(self.send(address), body, owner_agent=address, x_owner_agent="other")

    def test_controls_count_their_generations(self) -> None:
        intent_id = self.send(self.address("worker"))
        patch = {"controls_patch": {"timeout_seconds": 600}, "reason": "hurry", "expected_policy_generation": 0}
        answer = self.agent.update_intent_controls(intent_id, patch)
        self.assertEqual((answer["applied"], answer["policy_generation"]), (True, 1))
        self.assertEqual(self.agent.get_intent(intent_id)["intent"]["policy_generation"], 1)
        with self.refused(409, "stale_policy_generation"):
            self.agent.update_intent_controls(intent_id, patch)

    def test_policy_grants_another_agent_the_right_to_resume(self) -> None:
        intent_id = self.send(self.address("worker"))
        grants = {"grants_patch": {"agent://helper": {"allow": ["resume"]}}, "envelope_patch": {"max_retry_count": 5}}
        answer = self.agent.update_intent_policy(intent_id, grants)
        self.assertEqual(answer["policy_generation"], 1)
        with self.refused(422):
            self.agent.update_intent_policy(intent_id, {"grants_patch": {"agent://helper": {"allow": ["decide"]}}})
