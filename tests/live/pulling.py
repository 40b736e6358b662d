"""How fast the portal pulls thousands of products, against a loop that pages through them and throws them away."""

import statistics
import time

import psycopg

from apps.integrations.connectors.base import StoreRef
from apps.integrations.connectors.vendure.client import VendureClient

from .comparing import at_vendure, differences, in_portal
from .filling import fill
from .ledger import Checks, say
from .owner import Owner
from .shop import USER, Shop

PRODUCTS = 5_000
GOAL = 0.8
SELLER = "Bulk"
LATEST = """SELECT extract(epoch FROM finished_at - started_at)::float, done FROM syncs_syncrun
            WHERE kind = 'products' ORDER BY created_at DESC LIMIT 1"""


def pull_many(shop: Shop, *, owner: Owner, portal_database: str, checks: Checks) -> dict[str, float]:
    """A first import and two more, each between two bare loops. The median of their ratios."""
    token = shop.open_channel(SELLER.lower(), seller=SELLER, currency="EUR", variants=[])
    channel = shop.channel(token)
    fill(shop.database, channel=int(channel), currency="EUR", products=PRODUCTS)
    bare, pulls = [page_through(shop, channel)], []
    store = connect(shop, owner=owner)
    for _ in range(3):
        if pulls:
            owner.read_again(store)
        pulls.append(_latest(portal_database, checks))
        bare.append(page_through(shop, channel))
    ratios = [(before + after) / 2 / own for before, after, own in zip(bare, bare[1:], pulls, strict=False)]
    ratio = statistics.median(ratios)
    say(f"  pulled {PRODUCTS} in {pulls} s, bare loops {bare} s, ratios {ratios}")
    say(f"  the median is {ratio:.2f} of a bare loop (wished: {GOAL}): a figure, and no check")
    arrived = in_portal(owner.file_of_products(store))
    wanted = at_vendure(shop.variants(channel=token))
    checks.equal("… and each is as Vendure says", (len(arrived), differences(arrived, wanted)), (PRODUCTS, {}))
    return {"pull_ratio": round(ratio, 2)}


def page_through(shop: Shop, channel: str) -> float:
    """Seconds to read every page and keep nothing."""
    client, cursor, began = VendureClient(shop.session, address=shop.address), "", time.perf_counter()
    while True:
        cursor = client.products(StoreRef("", channel), cursor).next_cursor
        if not cursor:
            return round(time.perf_counter() - began, 2)


def connect(shop: Shop, *, owner: Owner) -> str:
    owner.choose_vendure()
    owner.log_in(username=USER, password=shop.password)
    owner.choose(SELLER)
    owner.accept_name()
    return owner.connect()


def _latest(database: str, checks: Checks) -> float:
    with psycopg.connect(database) as connection:
        row = connection.execute(LATEST).fetchone()
    assert row
    checks.equal(f"an import reads all {PRODUCTS}", row[1], PRODUCTS)
    return round(row[0], 2)
