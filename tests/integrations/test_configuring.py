"""Settings written by their fields; what the API shows of them is in test_org_api."""

import pytest

from apps.audit.models import Entry
from apps.audit.trail import Actor
from apps.integrations.configuring import write
from apps.integrations.fields import InvalidFields, check_definition
from apps.integrations.models import Integration, SecretSettings
from apps.integrations.showing import shown
from tests.concurrency import at_once
from tests.factories import make_custom_integration, make_integration

ADMIN = Actor(text="admin@foo-3pl.example", user_id=7)


def having(*fields: dict) -> Integration:
    made = make_custom_integration()
    made.partner.settings_fields = check_definition(list(fields))
    made.partner.save()
    return made


def text(key: str, **changes) -> dict:
    return {"key": key, "title": key, "type": "text"} | changes


def test_the_trail_holds_what_changed_and_of_secrets_only_that_they_did(db):
    made = having(text("days"), text("note"), text("token", type="secret"))
    write(made, {"days": "3", "note": "same", "token": "hush-1"}, actor=ADMIN)
    write(made, {"days": "4", "note": "same", "token": "hush-2"}, actor=ADMIN)
    write(made, {"days": None, "token": None}, actor=ADMIN)
    found = Entry.objects.order_by("id").values_list("action", "user_id", "before", "after")
    assert list(found) == [
        ("settings.change", 7, {"token": "not set"}, {"days": "3", "note": "same", "token": "changed"}),
        ("settings.change", 7, {"days": "3", "token": "set"}, {"days": "4", "token": "changed"}),
        ("settings.change", 7, {"days": "4", "token": "set"}, {"token": "not set"}),
    ]


def test_what_is_not_named_stays_and_nothing_takes_a_value_away(db):
    made = having(text("days", default="1"), text("note"), text("one", type="secret"), text("two", type="secret"))
    write(made, {"days": "3", "note": "x", "one": "1", "two": "2"}, actor=ADMIN)
    write(made, {"days": None, "two": None}, actor=ADMIN)
    assert [(field["value"], field["is_set"]) for field in shown(made)] == [
        ("1", False), ("x", True), (None, True), (None, False),
    ]  # fmt: skip
    assert SecretSettings.objects.get().secrets == {"one": "1"}


def test_secrets_are_sealed(db):
    made = having(text("token", type="secret"))
    write(made, {"token": "hush-hush"}, actor=ADMIN)
    row = SecretSettings.objects.get()
    assert (made.settings, row.organization_id) == ({}, made.organization_id)
    assert "hush" not in row.sealed


def test_a_required_value_cannot_be_taken_away(db):
    made = having(text("days", required=True), text("token", type="secret", required=True))
    write(made, {"days": "3", "token": "hush"}, actor=ADMIN)
    write(made, {"days": "4"}, actor=ADMIN)
    for key in ("days", "token"):
        with pytest.raises(InvalidFields) as refused:
            write(made, {key: None}, actor=ADMIN)
        assert refused.value.details == [(f"settings.{key}", "Required.")]
    assert Integration.objects.get().settings == {"days": "4"}


def test_what_is_no_field_is_kept_and_out_of_reach(db):
    made = having(text("days"))
    Integration.objects.update(settings={"address": "https://shop.example", "former": 1})
    write(made, {"days": "3"}, actor=ADMIN)
    assert Integration.objects.get().settings == {"address": "https://shop.example", "former": 1, "days": "3"}
    assert [field["key"] for field in shown(made)] == ["days"]


def test_one_whose_connector_was_removed_has_no_fields(db):
    assert shown(make_integration(connector="gone")) == []


@pytest.mark.django_db(transaction=True)
def test_writes_at_once_lose_nothing():
    made = having(*[text(f"{kind}{n}", type=kind) for n in range(4) for kind in ("text", "secret")])
    numbers = iter(range(4))

    def write_two() -> None:
        n = next(numbers)
        write(made, {f"text{n}": str(n), f"secret{n}": str(n)}, actor=ADMIN)

    assert at_once(4, write_two) == [None] * 4
    assert Integration.objects.get().settings == {f"text{n}": str(n) for n in range(4)}
    assert SecretSettings.objects.get().secrets == {f"secret{n}": str(n) for n in range(4)}
