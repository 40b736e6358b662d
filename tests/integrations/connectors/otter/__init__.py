"""Otter's answers as its published contract has them, in the JSON files of this folder."""

import json
from pathlib import Path
from typing import Any

ORGANIZATION = "/organization/v1/organization"
SUMMARIES = "/inventories/v1/summaries"
TOKEN = "/v1/auth/token"
BRAND = "b1a7d0de-0000-4000-8000-000000000001"
STORE = "57030000-0000-4000-8000-000000000001"
STORE_PATH = f"{ORGANIZATION}/brands/{BRAND}/stores/{STORE}"


def recorded(name: str) -> Any:
    return json.loads(Path(__file__).with_name(f"{name}.json").read_text())
