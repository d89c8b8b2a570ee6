"""Every method of the published client that the contract's served parts name is called by one of these stories."""

from __future__ import annotations

import ast
import unittest
from pathlib import Path

METHODS = """
    health create_intent send_intent get_intent list_intent_events observe wait_for resolve_intent resume_intent
    update_intent_controls update_intent_policy
    listen list_agents get_agent create_service_account list_service_accounts get_service_account
    create_service_account_key revoke_service_account_key
    heartbeat start_heartbeat stop_heartbeat report_metric kill resume list_events
    list_inbox get_inbox_thread list_inbox_changes reply_inbox_thread delegate_inbox_thread approve_inbox_thread
    reject_inbox_thread delete_inbox_messages
    decide_approval get_capabilities
    upsert_webhook_subscription list_webhook_subscriptions delete_webhook_subscription publish_webhook_event
    replay_webhook_event
    apply_scenario validate_scenario mcp_initialize mcp_list_tools mcp_call_tool
""".split()


class Coverage(unittest.TestCase):
    def test_every_method_is_called(self) -> None:
        called = set()
        for path in Path(__file__).parent.glob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    called.add(node.func.attr)
        self.assertEqual(sorted(set(METHODS) - called), [])
