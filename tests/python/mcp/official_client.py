"""The protocol's own client at the MCP endpoint: asks for an approval, waits for the decision.

`--mode legacy` begins with a handshake, `--mode auto` with the newest version that the server knows. The client checks
each structured content against the schema that the tool promised.

It prints the approval that it waits for, and as its last line one JSON object, for a test to read.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import uuid
from typing import Any

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

WAITS_MAX = 30
ANSWER_SECONDS_MAX = 40.0


async def main(mode: str) -> int:
    """Asks once, twice under the same key, and waits until somebody has decided."""
    headers = {"Authorization": f"Bearer {os.environ['HOLDPOINT_API_KEY']}"}
    async with httpx2.AsyncClient(headers=headers, timeout=ANSWER_SECONDS_MAX) as http:
        transport = streamable_http_client(f"{os.environ['HOLDPOINT_URL']}/mcp", http_client=http)
        async with Client(transport, mode=mode) as client:
            report = await story(client)
    print(json.dumps(report, sort_keys=True), flush=True)
    return 0


async def story(client: Client) -> dict[str, Any]:
    """What the client sees."""
    tools = (await client.list_tools()).tools
    question = {
        "title": "Deploy 2.4?",
        "tool": "deploy",
        "arguments": {"version": "2.4"},
        "idempotency_key": str(uuid.uuid4()),
    }
    first = await called(client, "request_approval", question)
    again = await called(client, "request_approval", question)
    approval = {"approval_id": first["approval_id"]}
    opened = await called(client, "list_approvals", {})
    refused = await client.call_tool("wait_for_approval", {**approval, "wait_seconds": 99})
    print(f"client: waits for {first['approval_id']}", flush=True)
    for _ in range(WAITS_MAX):
        decided = await called(client, "wait_for_approval", {**approval, "wait_seconds": 5})
        if decided["status"] != "waiting":
            break
    return {
        "protocol_version": client.protocol_version,
        "tools": sorted(tool.name for tool in tools),
        "asked_twice_is_one": first["approval_id"] == again["approval_id"],
        "open": len(opened["approvals"]),
        "refusal": refused.content[0].text if refused.is_error else None,
        "decided": decided,
    }


async def called(client: Client, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """The structured content of a call that must succeed."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result
    assert result.structured_content is not None, result
    return result.structured_content


def parsed_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mode", choices=["legacy", "auto"], required=True, help="how the version is agreed on")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(parsed_arguments().mode)))
