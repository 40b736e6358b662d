import pytest
from django.db import ProgrammingError, connection, transaction

from apps.audit import trail
from apps.audit.models import Entry
from apps.audit.trail import Actor
from tests.factories import make_custom_integration, make_organization, make_shop

ACTOR = Actor("admin@foo-3pl.example", address="192.0.2.7")

pytestmark = pytest.mark.django_db


def test_an_entry_says_who_did_what_to_what_and_for_whom():
    shop = make_shop()
    entry = trail.record(ACTOR, "shop.close", on=shop, before={"is_active": True}, after={"is_active": False})
    entry.refresh_from_db()
    assert (entry.actor, entry.action, entry.outcome, entry.address) == (ACTOR.text, "shop.close", "done", "192.0.2.7")
    assert (entry.target_kind, entry.target_id, entry.target) == ("shop", str(shop.pk), shop.name)
    assert (entry.organization_id, entry.integration_id) == (shop.organization_id, shop.integration_id)
    assert (entry.before, entry.after) == ({"is_active": True}, {"is_active": False})


def test_an_integration_is_its_own():
    integration = make_custom_integration()
    assert trail.record(ACTOR, "x", on=integration).integration_id == integration.pk


def test_the_actors_organization_and_integration_count_where_the_row_has_none():
    integration = make_custom_integration()
    actor = Actor("key", organization_id=integration.organization_id, integration_id=integration.pk)
    entry = trail.record(actor, "GET /x", refused=True, reason="forbidden")
    assert (entry.organization_id, entry.integration_id) == (integration.organization_id, integration.pk)
    assert (entry.outcome, entry.reason) == ("refused", "forbidden")


def test_many_rows_have_an_entry_each_by_one_statement(django_assert_num_queries):
    shops = [make_shop(), make_shop()]
    with django_assert_num_queries(1):
        trail.record_each(ACTOR, "shop.close", shops)
    entries = Entry.objects.order_by("pk").values_list("actor", "action", "target_id", "organization_id")
    assert list(entries) == [(ACTOR.text, "shop.close", str(shop.pk), shop.organization_id) for shop in shops]


def test_long_words_are_cut_and_not_refused():
    entry = trail.record(Actor("a" * 999), "b" * 999, on=make_organization(name="c" * 200), reason="d" * 999)
    assert [len(text) for text in (entry.actor, entry.action, entry.target, entry.reason)] == [300, 100, 200, 300]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_entry SET actor = 'x'",
        "DELETE FROM audit_entry",
        "INSERT INTO audit_entry SELECT * FROM audit_entry ON CONFLICT (id) DO UPDATE SET actor = 'x'",
    ],
)
def test_nobody_changes_or_removes_an_entry(change):
    entry = trail.record(ACTOR, "x")
    with pytest.raises(ProgrammingError, match="append-only"):
        run(change)
    assert Entry.objects.get() == entry


def run(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_an_entry_outlives_what_it_is_about():
    organization = make_organization()
    trail.record(ACTOR, "x", on=organization)
    organization.delete()
    assert Entry.objects.get().target == organization.name


def test_entries_are_found_by_row_and_by_integration():
    integration = make_custom_integration()
    mine = trail.record(ACTOR, "x", on=integration)
    trail.record(ACTOR, "x", on=make_custom_integration())
    assert list(Entry.objects.of_integration(integration.pk)) == [mine]
    assert list(Entry.objects.about("integration", integration.pk)) == [mine]


def test_an_entry_falls_with_the_deed():
    with pytest.raises(ZeroDivisionError):
        do_and_fail()
    assert not Entry.objects.exists()


@transaction.atomic
def do_and_fail() -> float:
    trail.record(ACTOR, "x")
    return 1 / 0
