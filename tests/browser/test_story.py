"""A bad morning: a platform's login was lost, a SKU is nobody's, and a partner's system was down over night.

Somebody of the 3PL goes from the first page to all three mended, and whatever was held is on its way.
"""

from dataclasses import dataclass

import pytest
from django.conf import settings as django_settings
from django.core import mail
from playwright.sync_api import Locator, Page, expect

from apps.accounts import powers
from apps.accounts.models import User
from apps.accounts.powers import Power
from apps.audit.trail import Actor
from apps.integrations import consent
from apps.integrations.connectors.base import RemoteOrganization
from apps.integrations.models import Integration
from apps.orders import sorting
from apps.orders.models import Order
from apps.shops.models import Connection
from apps.syncs.models import SyncRun
from apps.webhooks.dispatching import deliver_all
from apps.webhooks.models import Delivery, Endpoint

from ..conftest import signed_in
from ..factories import (
    make_connection,
    make_delivery,
    make_endpoint,
    make_event,
    make_hook,
    make_level,
    make_listing,
    make_location,
    make_member,
    make_order,
    make_organization,
    make_product,
    make_run,
    make_signing_secret,
    make_user,
)
from ..webhooks.receiver import Receiver, receiver
from .conftest import listen

CLICKS = 12
KEPT, LEVEL = 5, "level-of-a-hat"


@dataclass
class Colleague:
    """Counts each click."""

    page: Page
    clicks: int = 0

    def click(self, what: Locator) -> None:
        self.clicks += 1
        what.click()

    def follow(self, name: str) -> None:
        self.click(self.page.get_by_role("link", name=name).locator("visible=true").first)

    def press(self, name: str) -> None:
        self.click(self.page.get_by_role("button", name=name, exact=True))

    def is_told(self, text: str) -> None:
        expect(self.page.locator("#content, main").get_by_text(text).first).to_be_visible()


@pytest.fixture
def store(transactional_db) -> Connection:
    organization = make_organization(name="Great Hats")
    make_member(organization=organization, email="owner@great-hats.example")
    return make_connection(organization=organization)


@pytest.fixture
def order(store: Connection) -> Order:
    """For a hat that its shop calls otherwise."""
    hat = make_product(organization=store.organization, sku="HAT-RED-L", name="Red hat, large")
    make_listing(shop=store.shop, product=hat)
    make_level(product=hat, location=make_location(organization=store.organization), on_hand=9)
    made = make_order(shop=store.shop, lines=[{"sku": "HAT-RED-L-2026", "name": "Red hat, large", "quantity": 1}])
    sorting.sort_due()
    assert Order.objects.get().state == Order.State.WAITING
    return made


@pytest.fixture
def partner(store: Connection, settings) -> Receiver:
    """One whose address was given up, and which is there again; the messages since were kept."""
    settings.EGRESS_ALLOWED_HOSTS = ["127.0.0.1"]
    with receiver() as heard:
        endpoint = make_endpoint(
            organization=store.organization, url=heard.url, state=Endpoint.State.DISABLED, reason="failing"
        )
        make_signing_secret(endpoint=endpoint)
        hook = make_hook(endpoint=endpoint, event="stock.changed")
        for sequence in range(1, KEPT + 1):
            event = make_event(
                organization=store.organization, type="stock.changed", entity="stock_level", entity_id=LEVEL,
                sequence=sequence, data={},
            )  # fmt: skip
            make_delivery(hook=hook, event=event, state="pending")
        yield heard


@pytest.fixture
def lost(store: Connection) -> Integration:
    """Its platform asks for a login, and a sync waits for that."""
    assert store.integration
    make_run(connection=store)
    store.integration.state = Integration.State.NEEDS_RECONNECT
    store.integration.save()
    assert not SyncRun.objects.due().exists()
    return store.integration


def an_operator() -> User:
    """Whose powers suffice for all of it."""
    colleague = make_user(email="anna@foo-3pl.example")
    powers.give(colleague, Power.OPERATOR, actor=Actor("a test"))
    return colleague


def sign_in(page: Page, user: User, *, address: str) -> None:
    cookie = signed_in(user).cookies[django_settings.SESSION_COOKIE_NAME]
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": address}])


def test_all_three_are_mended_in_a_few_clicks_and_what_was_held_goes_on(
    page, live_server, settings, order, partner, lost
):
    settings.DEMO, settings.PUBLIC_URL = True, live_server.url
    complaints: list[str] = []
    listen(page, complaints)
    sign_in(page, an_operator(), address=live_server.url)
    page.goto(f"{live_server.url}/admin/")
    colleague = Colleague(page)

    colleague.follow("See them by their cause, and mend them")
    colleague.follow("does not let us in any more")
    colleague.press("Mail them the link")
    colleague.is_told("Mailed to owner@great-hats.example")

    colleague.follow("HAT-RED-L-2026")
    page.get_by_role("searchbox").fill("red hat")
    colleague.click(page.get_by_label("Red hat, large"))
    colleague.press("It is this product")
    colleague.is_told("1 order")

    colleague.follow(partner.url.removeprefix("http://"))
    colleague.press("Send now")
    colleague.is_told(f"{KEPT} messages are sent now.")
    assert (complaints, colleague.clicks <= CLICKS) == ([], True)

    [letter] = mail.outbox
    assert (letter.to, f"{live_server.url}/" in letter.body) == (["owner@great-hats.example"], True)
    the_owner_logs_in(lost)
    sorting.sort_due()
    deliver_all()
    assert SyncRun.objects.due().exists()
    assert Order.objects.get(pk=order.pk).state == Order.State.READY
    kept = [got.json["sequence"] for got in partner.got if got.json["entity_id"] == LEVEL]
    assert kept == list(range(1, KEPT + 1))
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}
    page.goto(f"{live_server.url}/admin/problems/")
    expect(page.get_by_text("HAT-RED-L-2026")).to_have_count(0)


def the_owner_logs_in(integration: Integration) -> None:
    """What comes of the link in the letter, when its platform let them in."""
    consent.keep_permission(
        integration.kind,
        organization=integration.organization,
        account=RemoteOrganization(id=integration.account_ref, name=integration.account_name),
        secrets_given={"access_token": "new", "expires_in": 3600},
        by=User.objects.get(email="owner@great-hats.example"),
    )
