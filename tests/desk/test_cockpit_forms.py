"""What makes no sense to do with a store is refused before anything is done."""

import pytest

from apps.desk.cockpit_forms import ReplaceForm, SyncForm

from ..factories import make_connection, make_integration


@pytest.fixture
def store(db):
    return make_connection(integration=make_integration(connector="vendure"))


@pytest.mark.parametrize(
    ("since", "said"),
    [
        ("0001-01-01", ["This day is too long ago."]),  # no moment at all, east of Greenwich
        ("1999-12-31", ["This day is too long ago."]),
        ("2000-01-01", []),
        ("2999-01-01", ["This day is still to come."]),
    ],
)
def test_orders_are_read_from_a_day_on_which_there_can_be_some(store, since, said):
    form = SyncForm({"kind": "orders", "since": since}, integration=store.integration)
    assert form.errors.get("since", []) == said


def test_an_id_is_replaced_by_another_one(store):
    asked = {"store": store.pk, "reason": "Typed wrong"}
    same = ReplaceForm(asked | {"ext_shop_id": f" {store.ext_shop_id} "}, integration=store.integration)
    other = ReplaceForm(asked | {"ext_shop_id": "new-id"}, integration=store.integration)
    assert (same.errors, other.errors) == ({"ext_shop_id": ["This is its ID already."]}, {})
