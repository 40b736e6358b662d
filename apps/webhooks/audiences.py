"""Who may hear of an entity, and what is told of it: said by the room that owns it, since this one knows none of them.

A room registers both when the portal starts (`AppConfig.ready`).
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

type Describe = Callable[[Collection[str]], Mapping[str, dict[str, Any]]]

AUDIENCES: dict[str, str] = {}
DESCRIPTIONS: dict[str, Describe] = {}


def heard_by(entity: str, sql: str) -> None:
    """Whose events of this entity are.

    `sql` selects (event_id, shop_id, integration_id) from `happened` (event_id, entity, entity_id text, data jsonb),
    one row for each shop whose token, and for each integration whose key, may see the entity. A null says nothing.
    """
    AUDIENCES[entity] = sql


def described_by(entity: str, describe: Describe) -> None:
    """What is added to the data of events of this entity, when the first hook is to hear of them.

    `describe` takes ids as the events have them, and gives JSON objects by id; what an event says itself wins. An
    entity that is gone has none.
    """
    DESCRIPTIONS[entity] = describe
