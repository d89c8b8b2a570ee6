"""§1.8 of the contract: scenario bundles and MCP."""

from __future__ import annotations

from uuid import uuid4

from stage import PATIENCE_SECONDS, Story


class Scenarios(Story):
    def bundle(self, *addresses: str, **workflow: object) -> dict:
        agents = [{"role": f"agent{n}", "address": a, "create_if_missing": True} for n, a in enumerate(addresses)]
        return {
            "scenario_id": "story.deploy",
            "agents": agents,
            "humans": [{"role": "boss", "contact": ""}],
            "workflow": workflow,
            "intent": {"type": "story.deploy.v1", "payload": {"build": 7}},
        }

    def two_steps_and_a_person(self, first: str, last: str) -> dict:
        return self.bundle(
            first,
            last,
            steps=[
                {"step_id": "build", "tool_id": "tool.agent.task.v1", "assigned_to": "agent0"},
                {
                    "step_id": "sign_off",
                    "tool_id": "tool.approval.human_signoff",
                    "assigned_to": "boss",
                    "human_task": {"title": "Deploy?"},
                },
                {"step_id": "deploy", "tool_id": "tool.agent.task.v1", "assigned_to": "agent1"},
            ],
        )

    def take_turn(self, address: str, **result: object) -> str:
        child = self.offered(self.agent, address)["intent_id"]
        payload = self.agent.get_intent(child)["intent"]["payload"]
        self.assertEqual(payload["parent_payload"], {"build": 7})
        self.agent.resume_intent(child, {"action": "complete", **result})
        return child

    def waits_for(self, intent_id: str, reason: str) -> None:
        def there() -> bool:
            intent = self.agent.get_intent(intent_id)["intent"]
            return intent["lifecycle_waiting_reason"] == reason

        self.until(there, reason)

    def test_steps_run_in_order_and_a_person_stands_between_them(self) -> None:
        first, last = self.address("builder"), self.address("deployer")
        applied = self.agent.apply_scenario(self.two_steps_and_a_person(first, last), idempotency_key=str(uuid4()))
        parent = applied["intent_id"]
        self.assertEqual((applied["status"], applied["idempotent"]), ("WAITING", False))
        self.assertEqual(applied["compile_id"], applied["workflow_compile_id"])
        self.assertTrue(all(agent["created"] for agent in applied["agents"]))
        self.take_turn(first, artefact="a.zip")
        self.waits_for(parent, "WAITING_FOR_HUMAN")
        self.reviewer.resume_intent(parent, {"task_result": {"outcome": "approved"}})
        self.take_turn(last, url="https://build-7.example")
        last_event = self.agent.wait_for(parent, timeout_seconds=PATIENCE_SECONDS)
        self.assertEqual(last_event["status"], "COMPLETED")
        self.assertEqual(self.agent.get_intent(parent)["result"]["url"], "https://build-7.example")

    def test_a_refusal_ends_the_scenario(self) -> None:
        first, last = self.address("builder"), self.address("deployer")
        parent = self.agent.apply_scenario(self.two_steps_and_a_person(first, last))["intent_id"]
        self.take_turn(first)
        self.waits_for(parent, "WAITING_FOR_HUMAN")
        self.reviewer.resume_intent(parent, {"task_result": {"outcome": "rejected", "comment": "no"}})
        last_event = self.agent.wait_for(parent, timeout_seconds=PATIENCE_SECONDS)
        self.assertEqual((last_event["status"], last_event["data"]["approved"]), ("FAILED", False))

    def test_the_same_bundle_under_a_key_is_one_scenario(self) -> None:
        bundle, key = self.two_steps_and_a_person(self.address("a"), self.address("b")), str(uuid4())
        first = self.agent.apply_scenario(bundle, idempotency_key=key)
        again = self.agent.apply_scenario(bundle, idempotency_key=key)
        self.assertEqual((first["intent_id"], again["idempotent"]), (again["intent_id"], True))
        with self.refused(409):
            self.agent.apply_scenario({**bundle, "scenario_id": "story.other"}, idempotency_key=key)

    def test_validation_names_the_step_and_the_field(self) -> None:
        good = self.agent.validate_scenario(self.two_steps_and_a_person("a", "b"))
        self.assertEqual(good["errors"], [])
        bad = self.bundle("a", steps=[{"step_id": "one", "tool_id": "tool.agent.task.v1", "assigned_to": "nobody"}])
        errors = self.agent.validate_scenario(bad)["errors"]
        self.assertTrue(any("one" in error and "assigned_to" in error for error in errors), errors)
        with self.refused(422):
            self.agent.apply_scenario(bad)


class Mcp(Story):
    def test_an_approval_is_asked_for_and_waited_for(self) -> None:
        self.assertEqual(self.agent.mcp_initialize()["protocolVersion"], "2024-11-05")
        names = {tool["name"] for tool in self.agent.mcp_list_tools()["tools"]}
        self.assertTrue({"request_approval", "get_approval", "wait_for_approval"} <= names)
        self.assertFalse({name for name in names if "decide" in name or name in ("approve", "reject")})
        asked = self.agent.mcp_call_tool("request_approval", arguments={"title": "Delete the table?"})
        approval = asked["structuredContent"]["approval_id"]
        looked = self.agent.mcp_call_tool("get_approval", arguments={"approval_id": approval})
        self.assertEqual(looked["structuredContent"]["status"], "waiting")
        self.reviewer.decide_approval(approval, decision="approve")
        arguments = {"approval_id": approval, "wait_seconds": 5}
        waited = self.agent.mcp_call_tool("wait_for_approval", arguments=arguments)
        self.assertIs(waited["structuredContent"]["approved"], True)
