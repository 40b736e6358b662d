"""TN-04: no row of one organization can refer to a row of another, whoever asks, raw SQL included."""

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import Model, ProtectedError
from psycopg.errors import ForeignKeyViolation

from apps.accounts.models import Brand
from apps.catalog.models import Location, StockLevel
from apps.integrations.models import Integration
from apps.orders.models import Order, Parcel
from apps.shops.models import Connection, Shop
from apps.tenancy import SameOrganization
from tests.factories import (
    make_brand,
    make_custom_integration,
    make_integration,
    make_organization,
    make_partner_integration,
    make_shop,
    make_store,
)

from .world import is_tenants, make_world

# What a key over both columns cannot say, and what says it instead.
BY_TRIGGER = {
    # A registered connector is nobody's and may be anybody's.
    ("integrations.Integration", "partner"): "custom_connector_is_of_its_organization",
    # A location of the 3PL is nobody's, and anybody's goods lie there.
    ("catalog.StockLevel", "location"): "own_location",
    ("orders.Fulfillment", "location"): "own_location",
    ("orders.RoutingRule", "location"): "own_location",
    # A key needs an index of its own on the listings, which every import would pay for.
    ("catalog.Publication", "listing"): "own_listing",
    # Keys would be looked up row by row, and need an index more on the events, which every import would pay for.
    ("webhooks.Outgoing", "event"): "stays",
    ("webhooks.Delivery", "endpoint"): "stays",
    ("webhooks.Delivery", "hook"): "stays",
    ("webhooks.Delivery", "event"): "stays",
    ("webhooks.Attempt", "delivery"): "stays",
}
# These refuse what would change them; what their keys refuse is seen without that.
FROZEN = {"catalog.StockMovement": "append_only", "orders.Entry": "frozen", "orders.Parcel": "frozen"}
# Tables without an organization of their own that hang on a tenant's row: each is only ever found by a secret's digest,
# and takes its organization from that row.
HANGING = {
    "integrations.AccessToken": ["authorization"],
    "integrations.Application": ["connector"],
    "integrations.Grant": ["authorization"],
    "integrations.RefreshToken": ["authorization"],
}


def references(model: type[Model]) -> list[str]:
    """The fields by which it refers to rows of organizations."""
    return [
        field.name for field in model._meta.concrete_fields if field.related_model and is_tenants(field.related_model)
    ]


def crossings() -> set[tuple[str, str]]:
    """Every reference from one organization's row to another, as (model, field)."""
    models = [model for model in apps.get_models() if is_tenants(model) and model._meta.managed]  # a view has no keys
    return {(model._meta.label, name) for model in models for name in references(model)}


def keys() -> set[tuple[str, str, str]]:
    """Every foreign key over organization and one other column, as the database has it: (table, column, to table)."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT c.conrelid::regclass::text, own.attname, c.confrelid::regclass::text
            FROM pg_constraint c
            JOIN pg_attribute own ON own.attrelid = c.conrelid AND own.attnum = c.conkey[2]
            JOIN pg_attribute first ON first.attrelid = c.conrelid AND first.attnum = c.conkey[1]
            JOIN pg_attribute there ON there.attrelid = c.confrelid AND there.attnum = c.confkey[1]
            JOIN pg_attribute id ON id.attrelid = c.confrelid AND id.attnum = c.confkey[2]
            WHERE c.contype = 'f' AND c.convalidated AND cardinality(c.conkey) = 2
              AND first.attname = 'organization_id' AND there.attname = 'organization_id' AND id.attname = 'id'
            """
        )
        return set(cursor.fetchall())


def missing() -> set[tuple[str, str, str]]:
    """The keys that there should be and are not."""
    fields = [apps.get_model(label)._meta.get_field(name) for label, name in crossings() - set(BY_TRIGGER)]
    assert len(fields) > 20
    tables = {(field.model._meta.db_table, field.column, field.related_model._meta.db_table) for field in fields}
    return tables - keys()


def test_every_reference_between_tenants_rows_has_a_key_over_both_columns(db):
    assert missing() == set()


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE shops_shop DROP CONSTRAINT a_shops_store_is_of_its_organization",
        "ALTER TABLE shops_shop DROP CONSTRAINT a_shops_store_is_of_its_organization; ALTER TABLE shops_shop"
        " ADD CONSTRAINT a_shops_store_is_of_its_organization FOREIGN KEY (store_id) REFERENCES accounts_store (id)",
    ],
)
def test_a_key_that_is_missing_or_over_one_column_is_found(db, statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
    assert missing() == {("shops_shop", "store_id", "accounts_store")}


def why_refused(sql: str, *values: object) -> type[Exception] | None:
    """What the database says to a statement of ours, once everything put off has been looked at."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, values)
            assert cursor.rowcount == 1
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except IntegrityError as error:
        return type(error.__cause__)
    return None


def why_not_set(row: Model, column: str, value: object) -> type[Exception] | None:
    """What the database says to this value in one column of one row."""
    key = {field.column: getattr(row, field.attname) for field in row._meta.pk_fields}
    where = " AND ".join(f'"{name}" = %s' for name in key)
    return why_refused(f'UPDATE "{row._meta.db_table}" SET "{column}" = %s WHERE {where}', value, *key.values())  # noqa: S608 - of this test


def run_sql(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def thaw(label: str) -> None:
    if label in FROZEN:
        run_sql(f"ALTER TABLE {apps.get_model(label)._meta.db_table} DISABLE TRIGGER {FROZEN[label]}")


def own_and_foreign(label: str, name: str) -> tuple[Model, Model]:
    """A row of one organization, and one of another's to which its field must not refer."""
    own, foreign, model = make_world("mine"), make_world("theirs"), apps.get_model(label)
    field = model._meta.get_field(name)
    others = field.related_model._base_manager.filter(organization=foreign.organization)
    if field.one_to_one:
        others = others.exclude(pk__in=model._base_manager.exclude(**{name: None}).values(name))
    return own.of(model, **{f"{name}__isnull": False}) or own.of(model), others.first()


@pytest.mark.parametrize(("label", "name"), sorted(crossings()))
def test_raw_sql_cannot_refer_to_another_organizations_row(db, label, name):
    field = apps.get_model(label)._meta.get_field(name)
    thaw(label)
    row, other = own_and_foreign(label, name)
    assert why_not_set(row, field.column, other.pk) == ForeignKeyViolation
    assert why_not_set(row, field.column, getattr(row, field.attname)) is None


@pytest.mark.parametrize("label", sorted({label for label, _ in crossings()}))
def test_a_row_that_refers_to_others_cannot_be_moved_to_another_organization(db, label):
    model = apps.get_model(label)
    name = references(model)[0]
    thaw(label)
    row, other = make_world("mine").of(model, **{f"{name}__isnull": False}), make_organization()
    assert why_not_set(row, "organization_id", other.pk) == ForeignKeyViolation


@pytest.mark.parametrize(("label", "name"), sorted(BY_TRIGGER))
def test_without_its_trigger_a_row_could_refer_to_another_organizations(db, label, name):
    row, other = own_and_foreign(label, name)
    column = row._meta.get_field(name).column
    assert why_not_set(row, column, other.pk) == ForeignKeyViolation
    run_sql("SET CONSTRAINTS ALL IMMEDIATE")
    run_sql(f"DROP TRIGGER {BY_TRIGGER[label, name]} ON {row._meta.db_table}")
    assert why_not_set(row, column, other.pk) is None


def test_a_custom_connector_cannot_be_moved_to_another_organization(db):
    connector, other = make_custom_integration().partner, make_organization()
    with pytest.raises(IntegrityError), transaction.atomic():
        type(connector).objects.filter(pk=connector.pk).update(organization=other)


def test_a_registered_connector_is_anybodys(db):
    registered = make_partner_integration().partner
    make_partner_integration(partner=registered)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_a_form_is_told_before_the_database_is(db):
    integration, store = make_integration(), make_store()
    shop = Shop(organization=integration.organization, integration=integration, store=store, name="x", ext_shop_id="x")
    with pytest.raises(ValidationError, match="belongs to another organization"):
        shop.validate_constraints()
    shop.store = make_store(brand=make_brand(organization=integration.organization))
    shop.validate_constraints()
    shop.store = None
    shop.validate_constraints()


def test_rows_still_go_with_what_they_hang_on(db):
    world = make_world("mine")
    Connection.objects.all().delete()
    Parcel.objects.all().delete()
    Order.objects.all().delete()
    Shop.objects.all().delete()
    with pytest.raises(ProtectedError):
        world.organization.delete()
    # The ledger keeps its lines, and they what they are about; only the database's owner can do away with them.
    run_sql("SET CONSTRAINTS ALL IMMEDIATE; TRUNCATE catalog_stockmovement; SET CONSTRAINTS ALL DEFERRED")
    StockLevel.objects.all().delete()
    Location.objects.all().delete()
    world.organization.delete()
    assert not Integration.objects.exists() and not Brand.objects.exists()


def test_a_reference_that_is_emptied_is_empty(db):
    world = make_world("mine")
    world.authorization.delete()
    world.registered_shop.authorization.delete()
    world.registered_shop.refresh_from_db()
    assert world.registered_shop.authorization is None
    draft = Connection.objects.create(
        organization=world.organization, connector="otter", brand=make_brand(organization=world.organization)
    )
    draft.brand.delete()
    draft.refresh_from_db()
    assert draft.brand is None
    make_shop(integration=world.integration)


def test_two_rules_are_the_same_when_they_say_the_same():
    one, other = (SameOrganization("store", name=name) for name in ("one", "other"))
    assert (one == SameOrganization("store", name="one"), one == other, one == "one") == (True, False, False)
    assert one.clone() == one
