"""The hold point of one intent: the four endpoints that a suspended agent needs and the AXME SDK does not have.

Every call may be repeated: a repeated suspend or record changes nothing, and a claim carries a token of this process's
own, by which a repeated one is known to be the same claim. So all of them are retried.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from connection import Connection

ATTEMPTS_MAX = 4
BACKOFF_SECONDS = 0.2
RETRY_AFTER_SECONDS_MAX = 10
TIMEOUT_SECONDS = 20.0
CLAIM_TOKEN_BYTES = 32
TERMINAL_STATUSES = frozenset({"COMPLETED", "FAILED", "CANCELED", "TIMED_OUT"})


class HoldPointRefused(Exception):
    """The server understood the request and refused it."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Approval:
    """One question that was put to people for this intent, with the answer if there is one."""

    call_id: str
    tool: str
    approval_id: str
    status: str
    approved: bool | None
    comment: str
    decided_by: str
    digest: str
    action: dict[str, Any]

    @property
    def is_settled(self) -> bool:
        """True once it can no longer change, be it by a decision or because nobody answered in time."""
        return self.approved is not None or self.status in TERMINAL_STATUSES

    @property
    def is_granted(self) -> bool:
        """True only for a plain yes."""
        return self.approved is True


@dataclass(frozen=True)
class Checkpoint:
    """The stored state of a suspended run."""

    format: str
    version: str
    data: str
    sha256: str


@dataclass(frozen=True)
class Claim:
    """The answer to a claim: either this process may act, or somebody already has and this is what came out."""

    token: str | None
    output: Any = None


class HoldPoint:
    """Suspends and resumes the run of one intent."""

    def __init__(self, connection: Connection, intent_id: str) -> None:
        self._path = f"/v1/intents/{quote(intent_id, safe='')}"
        self._http = httpx.Client(
            base_url=connection.base_url,
            headers={"x-api-key": connection.api_key},
            timeout=TIMEOUT_SECONDS,
        )

    def __enter__(self) -> HoldPoint:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def checkpoint(self) -> tuple[Checkpoint | None, list[Approval]]:
        """The stored state, and every approval ever asked for this intent, oldest first."""
        answer = self._request("GET", "/checkpoint")
        stored = answer["checkpoint"]
        checkpoint = None if stored is None else _checkpoint_of(stored)
        return checkpoint, [_approval_of(entry) for entry in answer["approvals"]]

    def suspend(
        self, checkpoint: dict[str, str], replaces_sha256: str | None, approvals: list[dict[str, Any]]
    ) -> list[dict[str, Any]]:
        """Stores the state and asks people, in one step that happens whole or not at all."""
        body = {"checkpoint": checkpoint, "expected_checkpoint": replaces_sha256, "approvals": approvals}
        asked: list[dict[str, Any]] = self._request("POST", "/suspend", body)["approvals"]
        return asked

    def claim(self, call_id: str, tool: str, arguments: dict[str, Any], approval_id: str | None) -> Claim:
        """Spends the one-use grant of a tool call; only a claim with a token permits acting.

        The token never leaves this process's memory, so a lost reply can be asked for again, while a later process
        cannot pass for this one.
        """
        token = secrets.token_urlsafe(CLAIM_TOKEN_BYTES)
        body = {"tool": tool, "arguments": arguments, "approval_id": approval_id, "claim_token": token}
        claim = self._request("POST", f"/tool-calls/{quote(call_id, safe='')}/claim", body)["claim"]
        if claim["status"] == "claimed":
            return Claim(token=claim["claim_token"])
        if claim["status"] == "completed":
            return Claim(token=None, output=claim["output"])
        raise ValueError(f"a claim can be claimed or completed, not {claim['status']!r}")

    def record(self, call_id: str, token: str, output: Any, is_error: bool) -> None:
        """Stores what came out of a claimed call, for every later process to read."""
        body = {"claim_token": token, "output": output, "is_error": is_error}
        self._request("POST", f"/tool-calls/{quote(call_id, safe='')}/complete", body)

    def _request(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        for attempt in range(1, ATTEMPTS_MAX + 1):
            is_last = attempt == ATTEMPTS_MAX
            pause_seconds = BACKOFF_SECONDS * 2 ** (attempt - 1)
            try:
                response = self._http.request(method, self._path + path, json=body)
            except httpx.TransportError:
                if is_last:
                    raise
            else:
                if is_last or not _is_worth_retrying(response):
                    return _answer_of(response)
                pause_seconds = _asked_pause_seconds(response) or pause_seconds
            time.sleep(pause_seconds)
        raise AssertionError("the last attempt returns or raises")


def _is_worth_retrying(response: httpx.Response) -> bool:
    return response.status_code == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error


def _asked_pause_seconds(response: httpx.Response) -> float | None:
    asked = response.headers.get("retry-after", "")
    return float(min(int(asked), RETRY_AFTER_SECONDS_MAX)) if asked.isdecimal() else None


def _answer_of(response: httpx.Response) -> dict[str, Any]:
    if response.is_success:
        answer: dict[str, Any] = response.json()
        return answer
    try:
        error = response.json()["error"]
        code, message = error["code"], error["message"]
    except (ValueError, LookupError, TypeError):
        code, message = "unreadable_error", response.reason_phrase
    raise HoldPointRefused(response.status_code, str(code), str(message))


def _checkpoint_of(stored: dict[str, Any]) -> Checkpoint:
    return Checkpoint(
        format=stored["format"],
        version=stored["version"],
        data=stored["data"],
        sha256=stored["sha256"],
    )


def _approval_of(entry: dict[str, Any]) -> Approval:
    return Approval(
        call_id=entry["call_id"],
        tool=entry["tool"],
        approval_id=entry["approval_id"],
        status=entry["status"],
        approved=entry["approved"],
        comment=entry.get("comment") or "",
        decided_by=entry.get("decided_by") or "",
        digest=entry["digest"],
        action=entry["action"],
    )
