"""What decides the agents' moves: the real model if there is a key, the script if there is none."""

from __future__ import annotations

import os
from dataclasses import dataclass

from agents.models.interface import Model

import scripted_moves

KEY_VARIABLE = "OPENAI_API_KEY"
MODEL_VARIABLE = "OPENAI_MODEL"


class MisconfiguredModel(Exception):
    """A key is there but empty; running the script in its place would hide that."""


@dataclass(frozen=True)
class Brain:
    """A model, and the name under which every result admits to it."""

    model: Model | str | None
    name: str

    @classmethod
    def of_environment(cls) -> Brain:
        """A configured key never falls back to the script, whatever goes wrong with it later."""
        key = os.environ.get(KEY_VARIABLE)
        if key is None:
            return cls(scripted_moves.scripted_model(), scripted_moves.NAME)
        if not key.strip():
            raise MisconfiguredModel(f"{KEY_VARIABLE} is set but empty; give it a key, or unset it to run the script")
        model = os.environ.get(MODEL_VARIABLE, "").strip() or None
        return cls(model, model or "the Agents SDK's default model")
