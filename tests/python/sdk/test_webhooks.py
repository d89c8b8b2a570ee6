"""§1.7 of the contract: webhooks, received by a listener of the story's own."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4

from stage import Story, client_with

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
UNKNOWN = "00000000-0000-4000-8000-000000000000"


class Receiver(ThreadingHTTPServer):
    """Keeps what is posted to it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taking)
        self.posts: list[tuple[dict[str, str], bytes]] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"

    def bodies(self, kind: str) -> list[dict]:
        return [body for body in (json.loads(raw) for _, raw in list(self.posts)) if body["type"] == kind]


class Taking(BaseHTTPRequestHandler):
    """Takes a post and says so."""

    def do_POST(self) -> None:  # noqa: N802
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.posts.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


class Webhooks(Story):
    def setUp(self) -> None:
        self.receiver = Receiver()
        self.addCleanup(self.receiver.shutdown)
        self.owner = self.address("hook-owner")
        body = {"org_id": "acme", "workspace_id": "hooks", "name": self.owner, "created_by_actor_id": "ada"}
        account = self.admin.create_service_account(body)["service_account"]["service_account_id"]
        self.own = client_with(self.admin.create_service_account_key(account, {})["key"]["token"])
        self.addCleanup(self.own.close)

    def subscribe(self, *kinds: str) -> dict:
        body = {"callback_url": self.receiver.url, "event_types": list(kinds), "secret": SECRET, "description": "story"}
        return self.own.upsert_webhook_subscription(body)["subscription"]

    def test_a_subscription_is_made_changed_listed_and_deleted(self) -> None:
        first = self.subscribe("invite.accepted")
        again = self.subscribe("invite.accepted", "inbox.thread_created")
        self.assertEqual(first["subscription_id"], again["subscription_id"])
        self.assertEqual(again["event_types"], ["invite.accepted", "inbox.thread_created"])
        self.assertNotIn(SECRET, json.dumps(again))
        listed = self.own.list_webhook_subscriptions(owner_agent=self.owner)["subscriptions"]
        self.assertEqual([each["subscription_id"] for each in listed], [first["subscription_id"]])
        gone = self.own.delete_webhook_subscription(first["subscription_id"], owner_agent=self.owner)
        self.assertTrue(gone["revoked_at"])
        self.assertEqual(self.own.list_webhook_subscriptions(owner_agent=self.owner)["subscriptions"], [])

    def test_a_published_event_arrives_signed_and_is_replayed(self) -> None:
        self.subscribe("invite.accepted")
        event = {"event_type": "invite.accepted", "source": "story", "payload": {"who": "gr\u00fcn\u2028"}}
        published = self.own.publish_webhook_event(event, owner_agent=self.owner, idempotency_key=str(uuid4()))
        self.assertEqual((published["ok"], published["queued_deliveries"]), (True, 1))
        self.until(lambda: self.receiver.posts, "the event arrives")
        headers, body = self.receiver.posts[0]
        hexed = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        self.assertEqual(headers["x-axme-signature"], f"sha256={hexed}")
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        key = base64.b64decode(SECRET.removeprefix("whsec_"))
        standard = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        self.assertIn(f"v1,{standard}", headers["webhook-signature"].split(" "))
        replayed = self.own.replay_webhook_event(published["event_id"], owner_agent=self.owner)
        self.assertEqual(replayed["event_id"], published["event_id"])
        self.until(lambda: len(self.receiver.posts) > 1, "the replay arrives")
        self.assertEqual(self.receiver.posts[1][0]["webhook-id"], headers["webhook-id"])

    def test_the_life_of_an_intent_arrives(self) -> None:
        self.subscribe("intent.*", "inbox.thread_created")
        sent = set()

        def lived() -> list[dict]:
            # A subscription counts everywhere after five seconds; until then lives may go unheard.
            intent_id = self.send(self.owner)
            self.own.resume_intent(intent_id, {"action": "complete", "n": 1})
            sent.add(intent_id)
            time.sleep(0.2)
            return self.receiver.bodies("intent.completed")

        completed = self.until(lived, "the end arrives")
        self.assertIn(completed[0]["data"]["intent_id"], sent)
        self.until(lambda: self.receiver.bodies("inbox.thread_created"), "the thread arrives")

    def test_bad_subscriptions_and_unknown_events_are_refused(self) -> None:
        with self.refused(422):
            self.admin.upsert_webhook_subscription({"callback_url": "ftp://x", "event_types": ["a.b"]})
        with self.refused(422):
            self.admin.upsert_webhook_subscription({"callback_url": self.receiver.url, "event_types": []})
        with self.refused(404):
            self.own.replay_webhook_event(UNKNOWN, owner_agent=self.owner)
        with self.refused(403):
            self.reviewer.publish_webhook_event({"event_type": "a.b", "source": "story", "payload": {}})
