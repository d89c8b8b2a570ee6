"""§1.2 and §1.3 of the contract: service accounts, their keys, the agent stream, and the mesh."""

from __future__ import annotations

from uuid import uuid4

from stage import PATIENCE_SECONDS, Story, client_with

UNKNOWN = "00000000-0000-4000-8000-000000000000"


class Accounts(Story):
    def account(self, name: str, **fields: object) -> dict:
        body = {"org_id": "acme", "workspace_id": "lab", "name": name, "created_by_actor_id": "ada", **fields}
        return self.admin.create_service_account(body)["service_account"]

    def test_an_account_is_made_found_and_listed(self) -> None:
        name = self.address("deployer")
        made = self.account(name, display_name="Deployer")
        self.assertEqual((made["name"], made["status"], made["address"]), (name, "active", f"agent://{name}"))
        found = self.admin.get_service_account(made["service_account_id"])["service_account"]
        self.assertEqual(found["service_account_id"], made["service_account_id"])
        listed = self.admin.list_service_accounts(org_id="acme", workspace_id="lab")["service_accounts"]
        self.assertIn(name, [account["name"] for account in listed])
        other = self.admin.list_service_accounts(org_id="nobody")["service_accounts"]
        self.assertEqual(other, [])
        agents = self.admin.list_agents(org_id="acme", workspace_id="lab")["agents"]
        self.assertIn(f"agent://{name}", [agent["address"] for agent in agents])
        agent = self.admin.get_agent(f"agent://{name}")["agent"]
        self.assertEqual((agent["status"], agent["display_name"]), ("active", "Deployer"))

    def test_a_key_works_until_it_is_revoked(self) -> None:
        name = self.address("deployer")
        account = self.account(name)["service_account_id"]
        key = self.admin.create_service_account_key(account, {})["key"]
        self.assertEqual((key["status"], key["service_account_id"]), ("active", account))
        with client_with(key["token"]) as deployer:
            intent_id = self.send(name)
            self.assertEqual(self.offered(deployer, name)["intent_id"], intent_id)
            deployer.resume_intent(intent_id, {"action": "complete"})
            with self.refused(403):
                next(deployer.listen("somebody-else", timeout_seconds=5))
            self.admin.revoke_service_account_key(account, key["key_id"])
            self.until(lambda: not self.works(deployer, intent_id), "the revoked key is refused")

    def works(self, client: object, intent_id: str) -> bool:
        try:
            client.get_intent(intent_id)
        except Exception as error:  # noqa: BLE001
            self.assertEqual(error.status_code, 401)
            return False
        return True

    def test_only_administrators_keep_accounts(self) -> None:
        body = {"org_id": "acme", "workspace_id": "lab", "name": self.address("sneaky")}
        for other in (self.agent, self.reviewer):
            with self.refused(403):
                other.create_service_account(body)
        with self.refused(422):
            self.admin.create_service_account({**body, "name": "no address at all"})
        with self.refused(404):
            self.admin.get_service_account(UNKNOWN)
        with self.refused(404):
            self.admin.create_service_account_key(UNKNOWN, {})
        with self.refused(404):
            self.admin.get_agent("agent://nobody/at/all")


class Listening(Story):
    def test_the_backlog_comes_first_and_a_cursor_skips_it(self) -> None:
        address = self.address("worker")
        sent = [self.send(address) for _ in range(3)]
        offers = []
        for offer in self.agent.listen(f"agent://{address}", wait_seconds=2, timeout_seconds=PATIENCE_SECONDS):
            offers.append(offer)
            if len(offers) == len(sent):
                break
        self.assertEqual([offer["intent_id"] for offer in offers], sent)
        self.assertEqual({offer["status"] for offer in offers}, {"DELIVERED"})
        self.assertTrue(all(isinstance(offer["seq"], int) for offer in offers))
        with self.assertRaises(TimeoutError):
            next(self.agent.listen(address, since=offers[-1]["seq"], wait_seconds=1, timeout_seconds=1.5))

    def test_what_has_ended_is_offered_no_more(self) -> None:
        address = self.address("worker")
        self.agent.resume_intent(self.send(address), {"action": "complete"})
        live = self.send(address)
        self.assertEqual(self.offered(self.agent, address)["intent_id"], live)

    def test_a_status_filter_is_taken(self) -> None:
        address = self.address("worker")
        self.send(address)
        offer = next(self.agent.listen(address, status="CREATED,DELIVERED", timeout_seconds=PATIENCE_SECONDS))
        self.assertEqual(offer["status"], "DELIVERED")
        with self.refused(422):
            next(self.agent.listen(address, status="HALF_DONE", timeout_seconds=5))


class Mesh(Story):
    def agent_with_key(self) -> tuple[str, str]:
        name = self.address("beater")
        body = {"org_id": "acme", "workspace_id": "mesh", "name": name, "created_by_actor_id": "ada"}
        account = self.admin.create_service_account(body)["service_account"]["service_account_id"]
        return name, self.admin.create_service_account_key(account, {})["key"]["token"]

    def test_a_heartbeat_makes_an_agent_healthy_and_sums_its_metrics(self) -> None:
        name, key = self.agent_with_key()
        with client_with(key) as beater:
            self.assertEqual(beater.mesh.heartbeat()["health_status"], "healthy")
            beater.mesh.report_metric(success=True, latency_ms=20.0, cost_usd=0.5)
            beater.mesh.report_metric(success=False, latency_ms=40.0)
            beater.mesh.heartbeat(metrics=beater.mesh._flush_metrics())
            beater.mesh.heartbeat(metrics={"intents_total": 1, "intents_succeeded": 1})
        agent = self.admin.mesh.get_agent(name)["agent"]
        self.assertEqual(agent["health_status"], "healthy")
        self.assertEqual((agent["metrics"]["intents_total"], agent["metrics"]["intents_failed"]), (3, 1))
        listed = self.admin.mesh.list_agents(limit=100, health="healthy")["agents"]
        self.assertIn(f"agent://{name}", [each["address"] for each in listed])

    def test_heartbeats_run_in_the_background(self) -> None:
        name, key = self.agent_with_key()
        with client_with(key) as beater:
            beater.mesh.start_heartbeat(interval_seconds=0.05)
            self.until(lambda: self.healthy(name), "a beat arrives")
            beater.mesh.stop_heartbeat()

    def healthy(self, name: str) -> bool:
        agents = self.admin.mesh.list_agents()["agents"]
        return any(each["address"] == f"agent://{name}" and each["health_status"] == "healthy" for each in agents)

    def test_a_killed_agent_neither_sends_nor_receives_until_it_is_resumed(self) -> None:
        name, key = self.agent_with_key()
        with client_with(key) as killed:
            waiting = self.send(name)
            self.assertEqual(self.admin.mesh.kill(name)["ok"], True)
            self.until(lambda: self.is_blocked(killed), "the kill holds everywhere")
            with self.refused(403, "agent_killed"):
                self.send(name)
            self.assertFalse(self.completes(killed, waiting))
            self.assertEqual(killed.mesh.heartbeat()["health_status"], "killed")
            self.admin.mesh.resume(name)
            self.until(lambda: not self.is_blocked(killed), "the agent may send again")
            self.until(lambda: self.completes(killed, waiting), "the agent may go on")
        events = self.admin.mesh.list_events(limit=50, event_type="agent.killed")["events"]
        self.assertTrue(any(event["event_type"] == "agent.killed" for event in events))

    def completes(self, client: object, intent_id: str) -> bool:
        try:
            client.resume_intent(intent_id, {"action": "complete"})
        except Exception as error:  # noqa: BLE001
            self.assertEqual((error.status_code, error.body["error"]["code"]), (403, "agent_killed"))
            return False
        return True

    def is_blocked(self, client: object) -> bool:
        try:
            client.send_intent({"intent_type": "t.v1", "to_agent": "anybody", "payload": {"n": str(uuid4())}})
        except Exception as error:  # noqa: BLE001
            self.assertEqual(error.status_code, 403)
            return True
        return False

    def test_only_administrators_kill(self) -> None:
        name, _ = self.agent_with_key()
        with self.refused(403):
            self.agent.mesh.kill(name)
        with self.refused(403):
            self.reviewer.mesh.resume(name)
