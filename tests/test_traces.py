"""Whatever somebody changes in the admin leaves an entry in the audit trail (threat AD-03): asked of every page and
every deed that a superuser may send, filled in as its form offers.
"""

import re
from functools import partial
from typing import Any

import pytest
from django import forms
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from apps.accounts.powers import Power
from apps.audit.models import Entry

from .test_permissions import DO, Asking, Page, pages, person, read_table, world

__all__ = ["world"]  # the fixture

WRITES = re.compile(r'^(?:INSERT INTO|UPDATE|DELETE FROM) "(\w+)"')
# Of the work of a page itself; of what everybody keeps for themselves, and of versions, which name their author.
NOT_ASKED_ABOUT = {"django_session", "django_admin_log", "cache", "api_usage", "audit_entry"}
OWN = {"desk_view", "integrations_revision"}
FEWEST = 40  # so many deeds change something when filled in so; fewer say that the filling in broke


def filled_in(form: Any) -> dict[str, Any]:
    """What somebody in a hurry would send: what stands there, else the first that is offered, else a word."""
    return {form.add_prefix(name): _value(form, name, field) for name, field in form.fields.items()}


def _value(form: Any, name: str, field: forms.Field) -> Any:
    stands = form.get_initial_for_field(field, name)
    if isinstance(field, forms.MultipleChoiceField | forms.ModelMultipleChoiceField):
        return [str(value) for value, _label in list(field.choices)[:1]]
    if isinstance(field, forms.ChoiceField | forms.ModelChoiceField):
        offered = [str(value) for value, _label in _flat(field.choices) if str(value)]
        return getattr(stands, "value", stands) or (offered[0] if offered else "")
    if isinstance(field, forms.BooleanField):
        return "on"
    if isinstance(field, forms.IntegerField):
        return (stands or 0) + 1
    if isinstance(field, forms.EmailField):
        return stands or "somebody@hats.example"
    return "" if isinstance(field, forms.FileField) else f"{stands or ''} x".strip()


def _flat(choices: Any) -> list[Any]:
    found: list[Any] = []
    for value, text in choices:
        found += text if isinstance(text, list | tuple) else [(value, text)]
    return found


def note(written: set[str], execute: Any, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Around each statement: which table it changed something in."""
    done = execute(sql, params, many, context)
    if (found := WRITES.match(sql)) and context["cursor"].rowcount > 0:
        written.add(found[1])
    return done


def send(client: Client, page: Page, arguments: list[Any]) -> tuple[set[str], int]:
    """The tables that it wrote to, and how many entries it left. All of it is undone."""
    with transaction.atomic():
        before = Entry.objects.count()
        if page.action:
            address = reverse(page.address)
            given = {"action": page.action, "_selected_action": [str(pk) for pk in arguments]}
        else:
            address = reverse(page.address, args=arguments)
            context = client.get(address).context or {}
            form = context["adminform"].form if "adminform" in context else context.get("form")
            given = filled_in(form) if isinstance(form, forms.BaseForm) else {}
        written: set[str] = set()
        with connection.execute_wrapper(partial(note, written)):
            client.post(address, {name: value for name, value in given.items() if value is not None} | {"post": "yes"})
        left = Entry.objects.count() - before
        transaction.set_rollback(True)
    return written - NOT_ASKED_ABOUT - OWN, left


@pytest.mark.usefixtures("world")
def test_whatever_is_changed_in_the_admin_leaves_an_entry(world):
    table = read_table()
    asking = Asking(person("superuser"), world, {})
    changed, silent = [], {}
    for key, page in pages().items():
        if table[key][Power.SUPERUSER.value] != DO:
            continue
        for arguments in asking._arguments(page)[:8]:
            written, left = send(asking.client, page, arguments)
            if written:
                changed.append(key)
                if not left:
                    silent[key] = written
                break
    assert silent == {}
    assert len(changed) >= FEWEST, sorted(changed)
