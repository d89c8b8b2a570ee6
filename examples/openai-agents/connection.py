"""Where the server is, and the key that a role presents to it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

URL_VARIABLE = "HOLDPOINT_URL"
FILE_VARIABLE = "HOLDPOINT_CONNECTION"
KEY_VARIABLES = {"agent": "HOLDPOINT_API_KEY", "reviewer": "HOLDPOINT_REVIEWER_KEY"}


class ConnectionUnknown(Exception):
    """The environment does not say where the server is or which key to use."""


@dataclass(frozen=True)
class Connection:
    """One server, as one role sees it."""

    base_url: str
    api_key: str

    @classmethod
    def of_role(cls, role: str) -> Connection:
        """Reads the two variables of the role, or else the file that `holdpoint up` writes."""
        key_variable = KEY_VARIABLES[role]
        base_url = os.environ.get(URL_VARIABLE, "").strip()
        api_key = os.environ.get(key_variable, "").strip()
        file_name = os.environ.get(FILE_VARIABLE, "").strip()
        if file_name and not (base_url and api_key):
            written = _members_of(Path(file_name))
            base_url = base_url or written.get("base_url", "")
            api_key = api_key or written.get(f"{role}_key", "")
        if not base_url or not api_key:
            raise ConnectionUnknown(
                f"set {FILE_VARIABLE} to the connection.json that `holdpoint up` writes into its data folder, "
                f"or set {URL_VARIABLE} and {key_variable}"
            )
        return cls(base_url=base_url.rstrip("/"), api_key=api_key)


def _members_of(file: Path) -> dict[str, str]:
    try:
        members = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as cause:
        raise ConnectionUnknown(f"{file} cannot be read as a connection file: {cause}") from cause
    if not isinstance(members, dict):
        raise ConnectionUnknown(f"{file} must hold one JSON object")
    return {name: value for name, value in members.items() if isinstance(value, str)}
