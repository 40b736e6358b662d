"""Pio's answers by its public contract (contracts part 1; its gaps as agreed), in the JSON files of this folder."""

import json
from pathlib import Path
from typing import Any

from apps.integrations.connectors.base import StoreRef
from tests.conftest import PIO

ROOT = "/api/v1"
API = PIO + ROOT
HATS = StoreRef("", "", "great-hats", "Great Hats")


def recorded(name: str) -> Any:
    return json.loads(Path(__file__).with_name(f"{name}.json").read_text())


def refusal(code: str, status: int) -> dict[str, Any]:
    """Pio's answer that refuses a call."""
    return {"json": {"code": code, "message": "No."}, "status": status}
