"""Reading and sending web pages as a person without JavaScript does: links, forms, and pages that reload."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import requests

SECONDS = 60  # the longest wait for one page


class LostWay(Exception):
    """A page was an error, or had not what a person would look for. The message says which page."""


@dataclass
class Form:
    """`values` are sent whichever button is pressed; `choices` are radio buttons and named buttons, by name."""

    method: str
    action: str
    values: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)


class Page(HTMLParser):
    """One page. Links and forms count inside <main> only, where there is one; `reloads` if it does so by itself."""

    def __init__(self, url: str, html: str) -> None:
        super().__init__()
        self.url = url
        self.links: list[str] = []
        self.forms: list[Form] = []
        self.heading = ""
        self.reloads = False
        self._inside: set[str] = set()
        self._after_main = False
        self.feed(html)

    def __str__(self) -> str:
        return f"The page “{self.heading.strip()}” at {self.url}"

    def link(self, pattern: str) -> str:
        """The address of the first link whose path matches the pattern. Raises LostWay."""
        for link in self.links:
            if re.fullmatch(pattern, urlsplit(link).path):
                return link
        raise LostWay(f"{self} has no link to {pattern}.")

    def form(self, *names: str) -> Form:
        """The first form that asks for these; without names, the first that asks nothing. Raises LostWay."""
        for form in self.forms:
            asked = form.values.keys() | form.choices.keys()
            if form.method == "post" and (asked.issuperset(names) if names else not form.choices):
                return form
        raise LostWay(f"{self} has no form that asks for {', '.join(names) or 'a press of its button'}.")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._inside.add(tag)
        if tag == "main":
            self.links, self.forms = [], []
        if tag == "meta" and given.get("http-equiv") == "refresh":
            self.reloads = True
        if not self._after_main:
            self._collect(tag, given)

    def handle_endtag(self, tag: str) -> None:
        self._inside.discard(tag)
        self._after_main = self._after_main or tag == "main"

    def handle_data(self, data: str) -> None:
        if "h1" in self._inside:
            self.heading += data

    def _collect(self, tag: str, given: dict[str, str]) -> None:
        if tag == "a" and "href" in given:
            self.links.append(urljoin(self.url, given["href"]))
        elif tag == "form":
            address = urljoin(self.url, given.get("action") or self.url)
            self.forms.append(Form(given.get("method", "get").lower(), address))
        elif tag in {"input", "button"} and "form" in self._inside and given.get("name"):
            name, value = given["name"], given.get("value", "")
            if tag == "button" or given.get("type") == "radio":
                self.forms[-1].choices.setdefault(name, []).append(value)
            else:
                self.forms[-1].values[name] = value


class Visitor:
    """A browser without JavaScript: keeps cookies, follows redirects, sends forms."""

    def __init__(self) -> None:
        self.session = requests.Session()
        self.session.trust_env = False

    def open(self, url: str) -> Page:
        return self._page(self.session.get(url, timeout=SECONDS))

    def send(self, form: Form, **answers: str) -> Page:
        """Sends what the form holds already, with these answers over it."""
        return self._page(self.session.post(form.action, data=form.values | answers, timeout=SECONDS))

    def download(self, url: str) -> str:
        """The text of a file. Raises LostWay."""
        return self._good(self.session.get(url, timeout=SECONDS)).content.decode()

    def _page(self, response: requests.Response) -> Page:
        return Page(self._good(response).url, response.text)

    def _good(self, response: requests.Response) -> requests.Response:
        if not response.ok:
            page = Page(response.url, response.text)
            raise LostWay(f"{page} answered {response.status_code}.")
        return response
