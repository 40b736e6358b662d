"""Hearing of what orders may wait for, and nudging them. The rooms below do not know that anybody listens."""

from collections.abc import Collection
from typing import Any

from django.db.models.signals import post_save

from apps.catalog.models import Location
from apps.catalog.news import RISEN, skus_known, stock_rose, when_stock_rose
from apps.integrations.models import Integration

from .models import Hindrance
from .nudging import ALL, nudge, nudge_everybody, nudging
from .ringing import ring

Code = Hindrance.Code


def listen() -> None:
    stock_rose.connect(_on_stock)
    when_stock_rose.append((nudging(Code.OUT_OF_STOCK, RISEN), ring))
    skus_known.connect(_on_skus)
    post_save.connect(_on_location, sender=Location)
    post_save.connect(_on_integration, sender=Integration)


def _on_stock(sender: Any, *, organization: Any, products: Collection[int], **_more: Any) -> None:
    nudge(organization, Code.OUT_OF_STOCK, products)


def _on_skus(sender: Any, *, organization: Any, skus: Collection[str] | None, **_more: Any) -> None:
    nudge(organization, Code.UNKNOWN_SKU, [ALL] if skus is None else skus)


def _on_location(sender: Any, *, instance: Location, **_more: Any) -> None:
    """It may be active again, or no longer paused."""
    if not instance.is_active or instance.is_paused:
        return
    if instance.organization_id:
        _nudge_homeless(instance.organization_id)
    else:
        nudge_everybody(Code.NO_LOCATION, Code.OUT_OF_STOCK)


def _on_integration(sender: Any, *, instance: Integration, **_more: Any) -> None:
    """It may have been connected again, and fulfil from its locations."""
    if instance.is_connected:
        _nudge_homeless(instance.organization_id)


def _nudge_homeless(organization: Any) -> None:
    for code in (Code.NO_LOCATION, Code.OUT_OF_STOCK):
        nudge(organization, code)
