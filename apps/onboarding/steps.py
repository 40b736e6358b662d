"""Where in the wizard somebody is, and what comes next: the rail on every page of it."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.shops.models import Connection

STEPS: dict[str, Promise] = {
    "platform": _("Platform"),
    "authorize": _("Log in there"),
    "brand": _("Brand"),
    "store": _("Store"),
    "identify": _("Name and ID"),
    "review": _("Check and connect"),
    "progress": _("First import"),
}
# There is nothing to choose at a warehouse.
OF_WAREHOUSES = {"platform": _("Warehouse"), "authorize": STEPS["authorize"], "review": STEPS["review"]}


@dataclass(frozen=True, slots=True)
class Step:
    label: Promise
    state: str
    url: str


def rail(now: str, draft: Connection | None = None, *, to_warehouse: bool = False) -> dict[str, object]:
    """Context of the rail. Steps behind can be gone back to as long as the draft is one."""
    to_warehouse = to_warehouse or (draft is not None and draft.is_warehouse)
    labels = STEPS | OF_WAREHOUSES if to_warehouse else STEPS
    names = [name for name in STEPS if not to_warehouse or name in {*OF_WAREHOUSES, now}]
    number = names.index(now)
    back = draft is not None and draft.is_draft
    steps = [
        Step(
            labels[name],
            "done" if i < number else "now" if i == number else "next",
            url(name, draft) if back and i < number and draft else "",
        )
        for i, name in enumerate(names)
    ]
    return {"steps": steps, "number": number + 1, "total": len(names), "label": labels[now]}


def url(name: str, draft: Connection) -> str:
    if name == "platform":
        return reverse("connect-warehouse" if draft.is_warehouse else "connect")
    return reverse(f"connect-{name}", args=[draft.pk])
