"""Making an older configuration of an integration hold again, as a new revision.

Secrets, rights, the definition of a custom connector and the stock kept back stay: they are decided elsewhere.
"""

from typing import Any

from django.utils.translation import gettext as _

from apps.api.errors import Problem
from apps.audit.trail import Actor

from .changing import change
from .exporting import FLAGS, differences
from .fields import InvalidFields, Wrong, check_required, check_values
from .models import Integration, Revision
from .revising import document_of, newest, revisions_of
from .showing import fields_of, is_secret

RESTORED = ("name", "flags", "settings", "orderHoldSeconds")


def preview(integration: Integration, revision: Revision) -> list[dict[str, Any]]:
    """What going back to it would change, `{attribute, before, after}` each."""
    now = document_of(integration)
    return differences(now, now | _restored(revision))


def _restored(revision: Revision) -> dict[str, Any]:
    return {name: revision.document[name] for name in RESTORED if name in revision.document}


def misfits(integration: Integration, revision: Revision) -> list[Wrong]:
    """Values of it that the connector, as it is now, would not take: pairs of a setting's key and what is wrong."""
    fields = [field for field in fields_of(integration) if not is_secret(field)]
    wanted = revision.document.get("settings", {})
    found: list[Wrong] = []
    for check in (check_values, check_required):
        try:
            check(fields, wanted, attribute="")
        except InvalidFields as problem:
            found += problem.details
    return found


def roll_back(integration: Integration, number: int, *, actor: Actor, based_on: int | None = None) -> Revision:
    """Make the revision of this number hold again. What is so already makes no new one.

    `based_on` is the number that held when somebody decided so. Raises Problem: not_found, stale_version, and
    InvalidFields with each value that no longer fits the fields of the connector.
    """
    old = revisions_of(integration).filter(number=number).first()
    if old is None:
        raise Problem("not_found")
    how: dict[str, Any] = {"origin": Revision.Origin.ROLLBACK, "note": _("Version %(n)d again") % {"n": number}}
    change(integration, _wanted(integration, old), actor=actor, based_on=based_on, **how)
    found = newest(integration)
    assert found
    return found


def _wanted(integration: Integration, old: Revision) -> dict[str, Any]:
    """As `change` takes it. A setting that was not there then is taken away."""
    restored = _restored(old)
    wanted: dict[str, Any] = {"name": restored.get("name", integration.name)}
    flags = restored.get("flags", {})
    wanted |= {FLAGS[name]: on for name, on in flags.items() if name in FLAGS}
    if "orderHoldSeconds" in restored:
        wanted["order_hold_seconds"] = restored["orderHoldSeconds"]
    if "settings" in restored:
        has, had = document_of(integration)["settings"], restored["settings"]
        changed = {key: had.get(key) for key in {**has, **had} if has.get(key) != had.get(key)}
        wanted |= {"settings": changed} if changed else {}
    return wanted
