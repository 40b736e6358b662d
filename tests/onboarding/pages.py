"""Reading pages as people do."""

import re
from html import unescape

from django.http import HttpResponse

HTMX = {"HX-Request": "true"}


def text(answer: HttpResponse) -> str:
    """What stands on the page, outside tags."""
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode())))


def choices(answer: HttpResponse) -> list[str]:
    """The titles one can choose from, in their order."""
    return [unescape(title) for title in re.findall(r'choice-title">([^<]+)<', answer.content.decode())]


def is_part(part: HttpResponse, *, of: HttpResponse) -> bool:
    """Whether what htmx got stands on the page, word for word; form tokens are masked anew each time."""
    forms = re.compile(r'(csrfmiddlewaretoken" value=")[^"]+')
    inner, whole = (forms.sub(r"\1", answer.content.decode()) for answer in (part, of))
    return "<html" not in inner and inner.strip() in whole
