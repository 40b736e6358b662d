"""Who hears from an organization, and what was sent, in a real browser: on a desk, on a phone and without scripts."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, expect

from apps.accounts.models import Organization
from apps.webhooks.models import Delivery, Endpoint, Hook, Receipt

from ..factories import (
    make_connection,
    make_delivery,
    make_endpoint,
    make_event,
    make_hook,
    make_integration,
    make_member,
    make_organization,
    make_partner_integration,
    make_receipt,
    make_signing_secret,
    make_try,
)
from ..webhooks.receiver import Receiver, receiver
from .conftest import listen
from .inspecting import inspect, photograph
from .owner import DESKTOP, PHONE, Owner
from .test_operations import sign_in

SCRIPT = "<script>document.title = 'hacked'</script><img src=x onerror=\"document.title = 'hacked'\">"
LONG = "https://93.184.216.34/" + "abcdefghij-0123456789" * 12
State = Delivery.State


@pytest.fixture
def sink(settings) -> Iterator[Receiver]:
    settings.EGRESS_ALLOWED_HOSTS = ["127.0.0.1"]
    with receiver() as sink:
        yield sink


@pytest.fixture
def organization(transactional_db) -> Organization:
    """One address works, one fails, one is disabled and holds five messages; and an application has one of its own."""
    organization, now = make_organization(name="Great Hats"), timezone.now()
    shop = make_connection(integration=make_integration(organization=organization, name="Vendure of Hats")).shop
    good = make_endpoint(organization=organization, name="Bookkeeping", last_success_at=now)
    make_signing_secret(endpoint=good)
    orders = make_hook(endpoint=good, event="order.created")
    make_hook(endpoint=good, event="stock.changed", filter=[{"field": "in_stock", "op": "less", "value": 5}])
    for n in range(3):
        event = make_event(
            organization=organization, type="order.created", entity="order", data={"number": f"#100{n}", "total": "5"}
        )
        made = make_delivery(hook=orders, event=event, state=State.DELIVERED if n else State.FAILED, error="status_500")
        make_try(delivery=made, status=200 if n else 500, body=SCRIPT, headers={"Server": SCRIPT})
    since = now - timedelta(hours=3)
    failing = {"failing_since": since, "failures": 7, "last_error": "status_500"}
    make_hook(endpoint=make_endpoint(organization=organization, url=LONG, shop=shop, **failing), event="order.updated")
    stopped = {
        "state": "disabled",
        "reason": "failing",
        "state_since": since,
        "failing_since": since - timedelta(days=5),
    }
    stopped |= {"last_error": "timeout", "failures": 40, "name": "Helpdesk"}
    helpdesk = make_hook(endpoint=make_endpoint(organization=organization, **stopped), event="order.created")
    for _ in range(5):
        make_delivery(hook=helpdesk)
    app = make_partner_integration(organization=organization)
    make_hook(endpoint=make_endpoint(integration=app), event="product.created")
    make_receipt(integration=shop.integration, state=Receipt.State.FAILED, error="unreadable", body=SCRIPT.encode())
    return organization


@pytest.fixture
def at_home(
    new_context: Callable[..., BrowserContext], live_server, organization: Organization
) -> Iterator[Callable[..., Owner]]:
    """Opens windows in which the owner has signed in. What Chromium complains of fails the test."""
    complaints: list[str] = []
    owner = make_member(email="anna@hats.example", organization=organization)

    def open_one(*, size: dict[str, int], scripts: bool = True) -> Owner:
        context = new_context(viewport=size, java_script_enabled=scripts, locale="en-GB", reduced_motion="reduce")
        page = context.new_page()
        listen(page, complaints)
        sign_in(page, owner, address=live_server.url)
        return Owner(page, facts={"portal_url": live_server.url}, scripts=scripts)

    yield open_one
    assert complaints == []


WINDOWS = pytest.mark.parametrize(
    ("size", "scripts"), [(DESKTOP, True), (PHONE, True), (PHONE, False)], ids=["desktop", "phone", "plain"]
)


@WINDOWS
def test_an_owner_adds_an_address_tries_it_and_says_when_it_hears(size, scripts, at_home, sink):
    person = at_home(size=size, scripts=scripts)
    page, name = person.page, "desktop" if size == DESKTOP else "phone"
    person.go("/")
    person.follow("Messages")
    person.arrives("Who hears from us")
    inspect(person)
    photograph(person, f"hooks-{name}", size=size)

    person.follow("Add an address")
    person.arrives("Add an address")
    inspect(person)
    photograph(person, f"hook-add-{name}", size=size)
    person.press("Add it")
    expect(page.get_by_role("alert").get_by_text("Choose at least one event.")).to_be_visible()
    inspect(person)
    page.get_by_label("Address").fill(sink.url)
    page.get_by_label("Name").fill("Own program")
    page.get_by_label("Order received").check()
    page.get_by_label("Stock changed").check()
    person.press("Add it")
    person.arrives("The address is added")
    inspect(person)
    sink.answers = lambda message: 404
    person.press("Send a test")
    expect(page.get_by_text("It says that there is nothing at this address (404 Not Found).")).to_be_visible()
    inspect(person)
    photograph(person, f"hook-added-{name}", size=size)
    assert [message.id[:5] for message in sink.got] == ["test_"]

    if scripts:  # without, the answer stands on the page of the address
        person.follow("I have kept the secret")
    person.arrives("Own program")
    page.get_by_role("link", name=re.compile("Only if.*Stock changed")).click()
    person.arrives("“Stock changed”: only if…")
    page.get_by_label("What, in condition 1").select_option("in_stock")
    page.get_by_label("How, in condition 1").select_option(label="is less than")
    page.get_by_label("Value of condition 1").fill("many")
    person.press("Save")
    expect(page.get_by_role("alert").get_by_text("Row 1:")).to_be_visible()
    page.get_by_label("Value of condition 1").fill("5")
    person.press("Try on the last 50 events")
    expect(page.get_by_text("Nothing of this kind has happened yet.")).to_be_visible()
    inspect(person)
    photograph(person, f"hook-filter-{name}", size=size)
    person.press("Save")
    person.arrives("Own program")
    expect(page.get_by_text("only if 1 condition holds")).to_be_visible()
    assert Hook.objects.get(endpoint__name="Own program", event="stock.changed").filter == [
        {"field": "in_stock", "op": "less", "value": 5}
    ]
    inspect(person)
    photograph(person, f"hook-{name}", size=size)


@WINDOWS
def test_an_owner_looks_after_what_was_kept(size, scripts, at_home):
    person = at_home(size=size, scripts=scripts)
    page, name = person.page, "desktop" if size == DESKTOP else "phone"
    person.go("/hooks/")
    page.get_by_role("link", name="Resume… Helpdesk").click()
    person.arrives("What shall we do with what was kept?")
    inspect(person)
    photograph(person, f"hook-resume-{name}", size=size)
    page.get_by_role("radio", name="Send none of them").check()
    person.press("Resume")
    person.arrives("Helpdesk")
    expect(page.get_by_text("Resumed.")).to_be_visible()
    assert Delivery.objects.filter(endpoint__name="Helpdesk", state=State.DROPPED).count() == 5
    person.follow("Replace the secret…")
    person.arrives("Replace the secret?")
    inspect(person)
    person.press("Replace it")
    person.arrives("The new secret")
    inspect(person)
    person.follow("I have kept the secret")
    person.follow("Change the address")
    person.arrives("Change the address")
    inspect(person)
    person.follow("Cancel")
    person.follow("Choose other events")
    person.arrives("What shall we tell?")
    inspect(person)
    person.follow("Cancel")
    person.follow("Remove…")
    inspect(person)
    person.press("Remove it")
    person.arrives("Who hears from us")
    assert Endpoint.objects.get(name="Helpdesk").deleted_at is not None


@WINDOWS
def test_wo_19_a_script_in_an_answer_is_text_on_the_pages_of_messages(size, scripts, at_home):
    person = at_home(size=size, scripts=scripts)
    page, name = person.page, "desktop" if size == DESKTOP else "phone"
    person.go("/hooks/messages/")
    person.arrives("All messages")
    expect(page.locator("#results li")).to_have_count(9)
    inspect(person)
    photograph(person, f"messages-{name}", size=size)
    page.get_by_label("Status").select_option(label="Failed")
    if not scripts:
        person.press("Search")
    expect(page.locator("#results li")).to_have_count(2)
    page.get_by_role("link", name="Order received").click()
    person.arrives("Order received")
    expect(page.get_by_text(SCRIPT, exact=True)).to_be_visible()
    assert "hacked" not in page.title()
    inspect(person)
    photograph(person, f"message-{name}", size=size)
    person.press("Send it once more")
    expect(page.get_by_text("It is sent once more. What comes of it stands here.")).to_be_visible()

    person.go("/hooks/messages/?direction=in")
    page.get_by_role("link", name="inventory_levels.update").click()
    expect(page.get_by_text(SCRIPT, exact=True)).to_be_visible()
    assert "hacked" not in page.title()
    inspect(person)
    photograph(person, f"message-in-{name}", size=size)
