"""A run of the Agents SDK as the text that a checkpoint holds, and back."""

from __future__ import annotations

import base64
import hashlib
import json
import lzma
from typing import Any

from agents import Agent, RunState

from hold_point import Checkpoint

FORMAT = "openai-agents-python"
PLAIN_BYTES_MAX = 60_000
DATA_BYTES_MAX = 300_000
STATE_BYTES_MAX = 64_000_000
XZ_MARK = "xz:"


class CheckpointUnusable(Exception):
    """The state is too large to store, or what is stored is not what was put there."""


def packed(state: RunState[Any, Any]) -> dict[str, str]:
    """The checkpoint of a run, compressed once it is large.

    The SDK holds each tool output about four times, far apart, so a large state shrinks about tenfold; xz finds copies
    that lie further apart than zlib's window.
    """
    members = state.to_json()
    plain = json.dumps(members, ensure_ascii=True, separators=(",", ":"))
    data = plain
    if len(plain) > PLAIN_BYTES_MAX:
        data = XZ_MARK + base64.b64encode(lzma.compress(plain.encode())).decode()
    if len(data) > DATA_BYTES_MAX:
        raise CheckpointUnusable(
            f"the run's state is {len(data)} bytes even compressed, and a checkpoint holds {DATA_BYTES_MAX}; "
            "return shorter tool outputs"
        )
    return {"format": FORMAT, "version": members["$schemaVersion"], "data": data}


async def unpacked(root_agent: Agent[Any], checkpoint: Checkpoint) -> RunState[Any, Any]:
    """The run that a checkpoint holds; the SDK itself refuses a schema version that it does not know."""
    if checkpoint.format != FORMAT:
        raise CheckpointUnusable(f"the checkpoint is in format {checkpoint.format!r}, this agent reads {FORMAT!r}")
    if hashlib.sha256(checkpoint.data.encode()).hexdigest() != checkpoint.sha256:
        raise CheckpointUnusable("the checkpoint's data does not fit its digest")
    return await RunState.from_json(root_agent, json.loads(_plain(checkpoint.data)))


def _plain(data: str) -> str:
    if not data.startswith(XZ_MARK):
        return data
    unpacking = lzma.LZMADecompressor()
    plain = unpacking.decompress(base64.b64decode(data.removeprefix(XZ_MARK), validate=True), STATE_BYTES_MAX)
    if not unpacking.eof:
        raise CheckpointUnusable(f"the checkpoint unpacks to more than {STATE_BYTES_MAX} bytes, or is cut short")
    return plain.decode()
