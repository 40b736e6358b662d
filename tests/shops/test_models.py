"""Shops and connections: the wizard's next step, who holds a store, leases, and what the database refuses."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.integrations.connectors.base import StoreRef
from apps.integrations.models import Integration
from apps.shops.models import LEASE, Connection, Shop, printable_ascii
from tests.concurrency import at_once
from tests.factories import (
    brand_of,
    make_connection,
    make_draft,
    make_integration,
    make_organization,
    make_shop,
    make_store,
)

State = Connection.State
pytestmark = pytest.mark.django_db
SOON, PAST = timedelta(minutes=1), timedelta(minutes=-1)


def now(change: timedelta = timedelta()):
    return timezone.now() + change


@pytest.mark.parametrize("text", ["a", "~" * 255, "Store 7/Amsterdam (#1)", " "])
def test_an_id_of_ours_may_be_any_printable_ascii(text):
    printable_ascii(text)


@pytest.mark.parametrize("text", ["", "x" * 256, "café", "a\nb", "a\x00b", "a\n", "\u200b", "帽"])
def test_an_id_of_ours_may_be_nothing_else(text):
    with pytest.raises(ValidationError):
        printable_ascii(text)


def test_the_wizards_next_step_follows_from_what_is_chosen():
    draft = make_draft()
    steps = [draft.next_step]
    draft.integration = make_integration(organization=draft.organization)
    steps.append(draft.next_step)
    draft.brand = brand_of(draft.integration)
    steps.append(draft.next_step)
    draft.store = make_store(brand=draft.brand)
    steps.append(draft.next_step)
    draft.ext_shop_id = "our-id"
    steps.append(draft.next_step)
    draft.state = State.CONNECTING
    steps.append(draft.next_step)
    assert steps == ["authorize", "brand", "store", "identify", "review", "progress"]


@pytest.mark.parametrize(
    "state", [Integration.State.NOT_CONFIGURED, Integration.State.NEEDS_RECONNECT, Integration.State.DISABLED]
)
def test_a_draft_whose_permission_is_gone_starts_with_it_again(state):
    integration = make_integration(state=state)
    brand = brand_of(integration)
    assert make_draft(integration=integration, brand=brand, store=make_store(brand=brand)).next_step == "authorize"


def test_a_connection_names_its_store_in_the_platforms_words():
    integration = make_integration()
    store = make_store(brand=brand_of(integration, ext_id="b1"), ext_id="s1")
    connection = make_connection(integration=integration, store=store, ext_shop_id="ours")
    assert connection.ref == StoreRef("b1", "s1", "ours")


@pytest.mark.parametrize(
    ("state", "holding", "live", "shown", "draft"),
    [
        (State.DRAFT, False, False, True, True),
        (State.CONNECTING, True, False, True, False),
        (State.ACTIVE, True, True, True, False),
        (State.PAUSED, True, False, True, False),
        (State.DISCONNECTING, True, False, True, False),
        (State.DISCONNECTED, False, False, False, False),
    ],
)
def test_each_state_says_who_counts_it_in(state, holding, live, shown, draft):
    connection = make_connection(state=state)
    rows = Connection.objects.all()
    found = [subset.exists() for subset in (rows.held_stores(), rows.live(), rows.shown(), rows.drafts())]
    assert found == [holding, live, shown, draft]
    assert (connection.is_live, connection.is_draft) == (live, draft)


@pytest.mark.parametrize(
    ("state", "lease_until", "hanging"),
    [
        (State.CONNECTING, PAST, True),
        (State.CONNECTING, SOON, False),
        (State.DRAFT, PAST, False),
        (State.ACTIVE, PAST, False),
    ],
)
def test_a_connection_hangs_when_whoever_connected_it_did_not_come_back(state, lease_until, hanging):
    make_connection(state=state, lease_until=now(lease_until))
    assert Connection.objects.hanging().exists() is hanging


@pytest.mark.parametrize(
    ("state", "disconnect_at", "lease_until", "due"),
    [
        (State.DISCONNECTING, PAST, None, True),
        (State.DISCONNECTING, PAST, PAST, True),
        (State.DISCONNECTING, PAST, SOON, False),
        (State.DISCONNECTING, SOON, None, False),
        (State.ACTIVE, PAST, None, False),
    ],
)
def test_a_store_is_disconnected_when_the_time_to_think_again_is_over(state, disconnect_at, lease_until, due):
    make_connection(state=state, disconnect_at=now(disconnect_at), lease_until=lease_until and now(lease_until))
    assert Connection.objects.to_be_disconnected().exists() is due


@pytest.mark.django_db(transaction=True)
def test_one_of_many_gets_a_connection():
    draft = make_draft()
    claims = at_once(6, lambda: Connection.objects.drafts().claim(draft.pk, state=State.CONNECTING))
    (claimed,) = [claim for claim in claims if claim]
    assert (claimed.pk, claimed.fence) == (draft.pk, 1)
    assert now() < claimed.lease_until <= now(LEASE)


def test_whoever_lost_a_connection_can_no_longer_write_to_it():
    draft = make_draft()
    first = Connection.objects.all().claim(draft.pk)
    second = Connection.objects.all().claim(draft.pk)
    assert (first.mine().update(name="first"), second.mine().update(name="second")) == (0, 1)


@pytest.mark.parametrize("state", Connection.HOLDING)
def test_a_store_of_an_account_is_connected_once(state):
    first = make_connection()
    shop = first.shop
    with pytest.raises(IntegrityError, match="one_connection_per_store"), transaction.atomic():
        make_connection(shop=shop, state=state, ext_shop_id="another")
    make_connection(shop=shop, state=State.DISCONNECTED)
    make_connection(shop=shop, state=State.DRAFT)


def test_two_stores_of_an_organization_do_not_share_an_id():
    organization = make_organization()
    make_connection(organization=organization, ext_shop_id="ours")
    with pytest.raises(IntegrityError, match="one_connection_per_ext_shop_id"), transaction.atomic():
        make_connection(organization=organization, ext_shop_id="ours")


def test_stores_of_two_organizations_do_not_share_an_id_at_a_platform():
    make_connection(ext_shop_id="ours")
    with pytest.raises(IntegrityError, match="one_connection_per_ext_shop_id_of_a_connector"), transaction.atomic():
        make_connection(ext_shop_id="ours")
    make_connection(ext_shop_id="ours", state=State.DISCONNECTED)


def test_stores_of_two_organizations_may_share_an_id_where_each_has_a_server_of_its_own():
    for _ in range(2):
        make_connection(ext_shop_id="ours", ids_are_shared=False)


def test_a_shop_has_one_id_in_its_organization_and_a_store_one_shop_in_an_account():
    shop = make_shop(ext_shop_id="ours")
    elsewhere = make_integration(organization=shop.organization)
    with pytest.raises(IntegrityError, match="ext_shop_id_is_unique_in_an_organization"), transaction.atomic():
        make_shop(integration=elsewhere, ext_shop_id="ours")
    with pytest.raises(IntegrityError, match="one_shop_per_store"), transaction.atomic():
        make_shop(integration=shop.integration, store=shop.store)
    assert Shop.objects.count() == 1


def test_a_connection_that_was_made_has_a_shop():
    with pytest.raises(IntegrityError, match="a_connection_that_was_made_has_a_shop"), transaction.atomic():
        make_draft(state=State.ACTIVE)


def test_a_connection_is_called_by_its_name_its_store_or_its_number():
    named = make_connection(name="Online")
    outlet = make_store(name="Outlet")
    unnamed = make_connection(organization=outlet.organization, name="", store=outlet)
    draft = make_draft()
    assert [str(one) for one in (named, unnamed, draft)] == ["Online", "Outlet", str(draft.pk)]
