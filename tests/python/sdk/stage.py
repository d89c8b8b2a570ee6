"""Who acts in these stories: an agent, another one, a reviewer and an administrator, each over the published client."""

from __future__ import annotations

import os
import time
import unittest
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from axme import AxmeClient, AxmeClientConfig, AxmeError

URL = os.environ["HOLDPOINT_URL"]
# Longer than anything here takes; a story that waits this long has failed.
PATIENCE_SECONDS = 30.0


def client(role: str) -> AxmeClient:
    """The published client, with the key of that role."""
    key = os.environ[f"HOLDPOINT_{role.upper()}_KEY"]
    return AxmeClient(AxmeClientConfig(base_url=URL, api_key=key))


def client_with(key: str) -> AxmeClient:
    """The published client, with any key."""
    return AxmeClient(AxmeClientConfig(base_url=URL, api_key=key, max_retries=0))


class Story(unittest.TestCase):
    """A story with its people."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.agent = client("agent")
        cls.reviewer = client("reviewer")
        cls.admin = client("admin")

    @classmethod
    def tearDownClass(cls) -> None:
        for each in (cls.agent, cls.reviewer, cls.admin):
            each.close()

    def address(self, name: str) -> str:
        """An address that no other story uses."""
        return f"{name}-{uuid4().hex[:8]}"

    def send(self, to: str, **fields: Any) -> str:
        """Sends an intent to `to` and returns its name."""
        return self.agent.send_intent({"intent_type": "story.step.v1", "to_agent": to, "payload": {}, **fields})

    def ask(self, **human_task: Any) -> str:
        """Asks a person and returns the intent's name."""
        task = {"title": "Shall it?", **human_task}
        return self.send("agent://agent_core", human_task=task)

    def status(self, intent_id: str) -> str:
        """Where the intent stands."""
        return self.agent.get_intent(intent_id)["intent"]["status"]

    def until(self, condition: Callable[[], Any], what: str) -> Any:
        """Looks again and again until `condition` gives something true; fails when patience ends."""
        ends_at = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < ends_at:
            found = condition()
            if found:
                return found
            time.sleep(0.02)
        return self.fail(f"never happened: {what}")

    def offered(self, listener: AxmeClient, address: str, intent_id: str | None = None) -> dict[str, Any]:
        """The first offer on the stream of `address`, or the one of `intent_id`."""
        for offer in listener.listen(address, wait_seconds=5, timeout_seconds=PATIENCE_SECONDS):
            if intent_id in (None, offer["intent_id"]):
                return offer
        return self.fail("the stream ended")

    @contextmanager
    def refused(self, status: int, code: str | None = None) -> Iterator[None]:
        """The client raises an error with this status and, if one is named, this word."""
        with self.assertRaises(AxmeError) as caught:
            yield
        error = caught.exception
        self.assertEqual(error.status_code, status, error)
        self.assertTrue(error.message, "a refusal says something")
        self.assertTrue(error.request_id, "a refusal can be found in the log")
        if code is not None:
            self.assertEqual(error.body["error"]["code"], code, error.body)
