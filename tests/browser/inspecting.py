"""What must hold on every page, and pictures of a few."""

import os
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe

from .owner import DESKTOP, Owner

PICTURES = Path(__file__).with_name("screenshots")
SCHEMES = {True: ("dark", "light"), False: ("light",)}  # colours do not depend on the width, so once is enough
FACTS = """() => ({
    lang: document.documentElement.lang,
    headings: document.querySelectorAll('h1').length,
    sideways: Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth),
    unlabelled: [...document.querySelectorAll('input:not([type=hidden]), select, textarea')]
        .filter(field => !field.labels.length && !field.ariaLabel).map(field => field.name),
    unnamed: [...document.querySelectorAll('button, a, summary')]
        .filter(one => !one.textContent.trim() && !one.ariaLabel).map(one => one.outerHTML),
})"""


def inspect(owner: Owner, *, language: str = "en") -> None:
    """One heading, a language, names for everything, nothing cut off; and axe, where there are scripts."""
    page = owner.page
    good = {"lang": language, "headings": 1, "sideways": 0, "unlabelled": [], "unnamed": []}
    assert (page.url, page.evaluate(FACTS)) == (page.url, good)
    for scheme in SCHEMES[page.viewport_size == DESKTOP] if owner.scripts else ():
        page.emulate_media(color_scheme=scheme)
        found = Axe().run(page).response["violations"]
        named = [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]
        assert (page.url, scheme, named) == (page.url, scheme, [])


def photograph(owner: Owner, name: str, *, size: dict[str, int] = DESKTOP, scheme: str = "light") -> None:
    """With SCREENSHOTS=1, the picture that is committed; of a window with scripts and of that size only."""
    if os.environ.get("SCREENSHOTS") == "1" and owner.scripts and owner.page.viewport_size == size:
        PICTURES.mkdir(exist_ok=True)
        owner.page.emulate_media(color_scheme=scheme)
        owner.page.screenshot(path=PICTURES / f"{name}.png")
        owner.page.emulate_media(color_scheme="light")
