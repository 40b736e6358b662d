"""`python -m tests.live`: the main job with an unmodified Vendure, as its owner, in Chromium; and a partner let in.

Before that, our signatures are verified by the reference library for Node.

Prints each check, one line of JSON, and how many passed and failed. Exit status 0 when all passed; 1 when one did
not, or with one sentence when it could not start. Logs and pictures stay in .dev/live and .dev/vendure.
"""

import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from playwright.sync_api import Error as BrowserError
from playwright.sync_api import Page, sync_playwright

from config.local.browser import chromium
from config.local.child import ChildFailed
from config.local.guard import Guard
from config.local.lock import only_run
from config.local.postgres import remove
from config.local.programs import CHECKOUT
from config.local.run import Run, chosen_ports, running
from config.local.stopping import Stopped, StopSignals

from .bringing import bring
from .comparing import at_vendure, differences, in_portal
from .installing import install
from .ledger import Checks, row_versions, say, written
from .owner import Owner
from .partner import let_in
from .pulling import pull_many
from .shop import USER, Refused, Shop, serving
from .verifying import verify
from .warehouse import publish

PACKAGE = Path(__file__).with_name("vendure")
VENDURE = CHECKOUT / ".dev" / "vendure"
PARTNER = CHECKOUT / ".dev" / "openid-client"
SIGNATURES = CHECKOUT / ".dev" / "standard-webhooks"
PORTAL = CHECKOUT / ".dev" / "live"
OUTLET = "Outlet"


def main() -> None:
    stop, checks, began = StopSignals(), Checks(), time.monotonic()
    VENDURE.mkdir(parents=True, exist_ok=True)
    try:
        with only_run(VENDURE) as lock, Guard(holding=(lock,)) as guard:
            facts = verify(folder=SIGNATURES, checks=checks, guard=guard, stop=stop)
            facts |= rehearse(checks, guard=guard, stop=stop)
    except Stopped:
        sys.exit("Stopped.")
    except (ChildFailed, PermissionError, BrowserError) as failure:
        sys.exit(str(failure))
    result = {"seconds": round(time.monotonic() - began), "passed": checks.passed, "failed": checks.failed}
    print(json.dumps(facts | result))
    print(f"{checks.passed} passed, {len(checks.failed)} failed")
    sys.exit(1 if checks.failed else 0)


def rehearse(checks: Checks, *, guard: Guard, stop: StopSignals) -> dict[str, float]:
    say("Installing Vendure …")
    install(PACKAGE, VENDURE, guard=guard, stop=stop)
    say("Filling Vendure with its sample catalogue …")
    with serving(VENDURE, state=fresh(VENDURE / "run"), guard=guard, stop=stop) as shop:
        say(f"Vendure serves at {shop.address}; starting the portal …")
        with portal(shop, stop=stop) as run, browser(PORTAL) as page:
            owner = Owner(page, portal=run.facts["portal_url"], pictures=PORTAL, stop=stop)
            try:
                owner.sign_in(**run.facts["users"]["owner"])
                let_in(owner, folder=PARTNER, checks=checks, guard=guard, stop=stop)
                return connect_and_compare(shop, owner=owner, run=run, checks=checks)
            except (BrowserError, AssertionError, Refused) as failure:
                page.screenshot(path=PORTAL / "failed.png", full_page=True)
                checks.fail("the journey goes on", f"{failure}; at {page.url}, pictured in {PORTAL}/failed.png")
                return {}


def connect_and_compare(shop: Shop, *, owner: Owner, run: Run, checks: Checks) -> dict[str, float]:
    store = connect_with_a_key(shop, owner=owner, checks=checks)
    compare(shop, store, owner=owner, checks=checks)
    compare_after_a_change(shop, store, owner=owner, run=run, checks=checks)
    heard = publish(shop, store, owner=owner, admin=run.facts["users"]["admin"], checks=checks)
    brought = bring(shop, owner=owner, run=run, checks=checks)
    outlet = connect_with_a_login(shop, owner=owner, checks=checks)
    pulled = pull_many(shop, owner=owner, portal_database=run.facts["database_url"], checks=checks)
    return {"variants": len(shop.variants()), "in_portal": len(in_portal(owner.file_of_products(store)))} | {
        "outlet": len(in_portal(owner.file_of_products(outlet))),
        **heard,
        **brought,
        **pulled,
    }


def connect_with_a_key(shop: Shop, *, owner: Owner, checks: Checks) -> str:
    """One seller, one channel: nothing to choose. The address of the store's page."""
    checks.equal("the shop's address is filled in", owner.choose_vendure(), shop.address)
    owner.log_in(key="no:key")
    checks.equal("a wrong key is refused in plain words", "did not accept what you entered" in owner.refusal(), True)
    owner.log_in(key=shop.make_key())
    owner.accept_name()
    agreed = owner.agreed_to()
    named = [name for name in ("Default Seller", "Default channel") if name in agreed]
    checks.equal("the only brand and store are taken", named, ["Default Seller", "Default channel"])
    return owner.connect()


def connect_with_a_login(shop: Shop, *, owner: Owner, checks: Checks) -> str:
    """A second seller's channel, so that there is a brand to choose. The address of the store's page."""
    some = [item["id"] for item in shop.variants()[:7]]
    token = shop.open_channel(OUTLET.lower(), seller=OUTLET, currency="EUR", variants=some)
    owner.choose_vendure()
    owner.log_in(username=USER, password=shop.password)
    owner.choose(OUTLET)
    owner.accept_name()
    store = owner.connect()
    arrived = in_portal(owner.file_of_products(store))
    checks.equal(
        "a second channel arrives with its own prices",
        (len(arrived), differences(arrived, at_vendure(shop.variants(channel=token)))),
        (len(some), {}),
    )
    return store


def compare(shop: Shop, store: str, *, owner: Owner, checks: Checks) -> None:
    arrived = in_portal(owner.file_of_products(store))
    wanted = at_vendure(shop.variants())
    checks.equal("every variant arrived, and is as Vendure says", differences(arrived, wanted), {})
    listed, drawn = owner.pictures_shown(store)
    checks.equal("the products page shows every picture", (listed > 0, drawn), (True, listed))


def compare_after_a_change(shop: Shop, store: str, *, owner: Owner, run: Run, checks: Checks) -> None:
    versions = partial(row_versions, run.facts["database_url"])
    total, before, first = len(shop.variants()), versions(), in_portal(owner.file_of_products(store))
    checks.equal("read again unchanged", owner.read_again(store), f"{total} products read, all as before")
    checks.equal("… which wrote no row", written(before, versions()), {"product": 0, "listing": 0})
    chosen = shop.variants()[total // 2]
    shop.change(chosen["id"], price=chosen["price"] + 250, stock=chosen["stockOnHand"] + 7)
    checks.equal("read again with one change", owner.read_again(store), f"{total} products read, 1 changed")
    checks.equal("… which wrote one row of each", written(before, versions()), {"product": 1, "listing": 1})
    second = in_portal(owner.file_of_products(store))
    checks.equal("only that product differs", list(differences(first, second)), [chosen["id"]])
    checks.equal("and is as Vendure says", differences(second, at_vendure(shop.variants())), {})


@contextmanager
def portal(shop: Shop, *, stop: StopSignals) -> Iterator[Run]:
    """As `make demo` starts it, on ports and servers of its own, with this shop as its Vendure."""
    for name in ("DATABASE_URL", "BROKER_URL", "OTTER_URL", "PIO_URL", "PUBLIC_URL"):
        os.environ.pop(name, None)
    os.environ |= {"VENDURE_URL": shop.address, "PORT": "0", "SANDBOX_PORT": "0", "ORDERS_EVERY_SECONDS": "5"}
    ports = partial(chosen_ports, portal=0, sandbox=0)
    with running(PORTAL, ports=ports, stop=stop, say=say, durable=False) as run:
        yield run


@contextmanager
def browser(pictures: Path) -> Iterator[Page]:
    with sync_playwright() as playwright:
        chrome = playwright.chromium.launch(executable_path=chromium())
        page = chrome.new_page(locale="en-GB", viewport={"width": 1280, "height": 900})
        page.set_default_timeout(20_000)
        yield page
        chrome.close()


def fresh(state: Path) -> Path:
    """The folder, without what an earlier run left."""
    remove(state / "postgres")
    shutil.rmtree(state, ignore_errors=True)
    state.mkdir()
    return state


if __name__ == "__main__":
    main()
