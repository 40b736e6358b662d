"""The main job as a store owner does it: log in, agree at the platform, choose, connect, watch the import."""

import time
from collections.abc import Callable
from urllib.parse import urlsplit

from config.local.pages import LostWay, Page, Visitor

IMPORT_SECONDS = 120


def connect_a_store(
    visitor: Visitor,
    portal: str,
    *,
    owner: dict[str, str],
    platform: str,
    account: dict[str, str],
    meanwhile: Callable[[], None],
) -> str:
    """Connects the first brand's first store, and waits for its import; the address of its product list as a file.

    `owner` and `account` are {email, password} at the portal and at the platform. Raises LostWay when a page is not
    what it should be, or the import does not end well.
    """
    page = visitor.open(portal)
    page = visitor.send(page.form("login", "password"), login=owner["email"], password=owner["password"])
    page = visitor.open(f"{portal}/connect/")
    page = visitor.send(page.form("platform"), platform=platform)
    page = visitor.send(page.form())
    page = visitor.send(page.form("email", "password"), **account)
    page = visitor.send(page.form("decision"), decision="approve")
    for choice in ("brand", "store"):
        page = _choose_first(visitor, page, choice, meanwhile=meanwhile)
    page = visitor.send(page.form("name", "ext_shop_id"))
    page = visitor.send(page.form())
    page = _settled(visitor, page, meanwhile=meanwhile)
    page = visitor.open(page.link(r"/stores/[^/]+/products/"))
    return page.link(r"/stores/[^/]+/products\.csv")


def _choose_first(visitor: Visitor, page: Page, choice: str, *, meanwhile: Callable[[], None]) -> Page:
    """The portal skips a choice between one, and fetches a long list in several goes."""
    if not urlsplit(page.url).path.endswith(f"/{choice}/"):
        return page
    form = _settled(visitor, page, meanwhile=meanwhile).form(choice)
    return visitor.send(form, **{choice: form.choices[choice][0]})


def _settled(visitor: Visitor, page: Page, *, meanwhile: Callable[[], None]) -> Page:
    """The page once it no longer reloads itself."""
    end = time.monotonic() + IMPORT_SECONDS
    while page.reloads:
        if time.monotonic() > end:
            raise LostWay(f"{page} still reloads itself after {IMPORT_SECONDS} seconds.")
        meanwhile()
        time.sleep(0.3)
        page = visitor.open(page.url)
    return page
