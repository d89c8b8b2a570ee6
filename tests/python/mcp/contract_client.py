"""The contract's published client at the MCP endpoint: asks for an approval, waits for the decision.

It prints the approval that it waits for, and as its last line one JSON object, for a test to read.
"""

from __future__ import annotations

import json
import os
import sys
import uuid
from typing import Any

from axme import AxmeClient, AxmeClientConfig

WAITS_MAX = 30


def main() -> int:
    """Asks once, twice under the same key, and waits until somebody has decided."""
    config = AxmeClientConfig(
        base_url=os.environ["HOLDPOINT_URL"],
        api_key=os.environ["HOLDPOINT_API_KEY"],
        # The client adds this to every call, to its parameters as well as to the tool's arguments.
        default_owner_agent="agent://owner",
    )
    with AxmeClient(config) as client:
        hello = client.mcp_initialize()
        tools = client.mcp_list_tools()["tools"]
        question = {"title": "Deploy 2.4?", "tool": "deploy", "arguments": {"version": "2.4"}}
        key = str(uuid.uuid4())
        first = called(client, "request_approval", question, idempotency_key=key)
        again = called(client, "request_approval", question, idempotency_key=key)
        approval = {"approval_id": first["approval_id"]}
        opened = called(client, "list_approvals", {})
        refused = client.mcp_call_tool("wait_for_approval", arguments={**approval, "wait_seconds": 99})
        print(f"client: waits for {first['approval_id']}", flush=True)
        for _ in range(WAITS_MAX):
            decided = called(client, "wait_for_approval", {**approval, "wait_seconds": 5})
            if decided["status"] != "waiting":
                break
    report = {
        "protocol_version": hello["protocolVersion"],
        "tools": sorted(tool["name"] for tool in tools),
        "asked_twice_is_one": first["approval_id"] == again["approval_id"],
        "open": len(opened["approvals"]),
        "refusal": refused["content"][0]["text"] if refused["isError"] else None,
        "decided": decided,
    }
    print(json.dumps(report, sort_keys=True), flush=True)
    return 0


def called(client: AxmeClient, tool: str, arguments: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The structured content of a call that must succeed."""
    result = client.mcp_call_tool(tool, arguments=arguments, **more)
    assert not result["isError"], result
    return result["structuredContent"]


if __name__ == "__main__":
    sys.exit(main())
