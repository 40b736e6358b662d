"""Pio's answers by its public contract (contracts part 1; its gaps as agreed), in the JSON files of this folder."""

import json
from pathlib import Path
from typing import Any

ROOT = "/api/v1"


def recorded(name: str) -> Any:
    return json.loads(Path(__file__).with_name(f"{name}.json").read_text())
