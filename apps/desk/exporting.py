"""Rows of a list as CSV: the list's own columns in plain text, safe to open in a spreadsheet.

RFC 4180, in UTF-8 with a byte order mark: without one Excel reads a file in the code page of its country and shows
"Zoë" as "ZoÃ«"; everything else skips it. Times are ISO 8601.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from html import unescape
from typing import Any

from django.contrib.admin.utils import label_for_field, lookup_field
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Model
from django.utils.functional import Promise
from django.utils.html import strip_tags
from django.utils.safestring import SafeString
from django.utils.timezone import is_aware, localtime
from django.utils.translation import gettext as _

from apps.onboarding.spreadsheets import harmless

from .models import Job

MARK = "\ufeff"
NO_COLUMN = "action_checkbox"
BLOCKS = re.compile(r"</(?:div|li|p)>|<br\s*/?>")


@dataclass(frozen=True, slots=True)
class Column:
    title: str
    value: Callable[[Any], Any]


def columns(pages: Any, request: Any) -> list[Column]:
    """The id, and what the list shows."""
    names = [name for name in pages.get_list_display(request) if name != NO_COLUMN]
    return [Column("id", lambda row: row.pk), *(_column(name, pages) for name in names)]


def _column(name: Any, pages: Any) -> Column:
    title = str(label_for_field(name, pages.model, model_admin=pages))
    shown = name if callable(name) else getattr(pages, name, None)
    if plain := getattr(shown, "plain", None):
        return Column(title, plain)
    if chosen := getattr(shown, "chosen", None) or (shown is None and _with_choices(pages.model, name)):
        return Column(title, _chosen(pages.model, chosen))
    return Column(title, lambda row: _looked_up(name, row, pages))


def _with_choices(model: type[Model], name: str) -> str:
    """This name when it is that of a field with choices."""
    found = [field.name for field in model._meta.fields if field.name == name and field.choices]
    return found[0] if found else ""


def _chosen(model: type[Model], name: str) -> Callable[[Any], Any]:
    """Django's own display of a choice translates all of them for each row."""
    field: Any = model._meta.get_field(name)
    words = {value: str(text) for value, text in field.flatchoices}
    return lambda row: words.get(getattr(row, name), getattr(row, name))


def _looked_up(name: Any, row: Model, pages: Any) -> Any:
    try:
        return lookup_field(name, row, pages)[2]
    except ObjectDoesNotExist:
        return None


def header(found: Sequence[Column]) -> str:
    return lines([[column.title for column in found]])


def shown(found: Sequence[Column], rows: Iterable[Any]) -> str:
    """A line for each of these rows."""
    return lines([column.value(row) for column in found] for row in rows)


def lines(rows: Iterable[Iterable[Any]]) -> str:
    """As lines of CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([cell(value) for value in row] for row in rows)
    return text.getvalue()


def cell(value: Any) -> str:
    """In plain text. A number stays one; any other text that a spreadsheet would calculate begins with an
    apostrophe."""
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return str(value)
    return harmless(_plain(value).replace("\x00", ""))


def _plain(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return _("yes") if value else _("no")
        case datetime():
            return (localtime(value) if is_aware(value) else value).isoformat(timespec="seconds")
        case date():
            return value.isoformat()
        case dict() | list():
            return json.dumps(value, ensure_ascii=False, default=str)
        case SafeString():
            return _without_html(value)
        case Promise():
            return str(value)
    return str(value)


def _without_html(html: str) -> str:
    parts = (unescape(strip_tags(part)) for part in BLOCKS.split(html))
    return "; ".join(text for part in parts if (text := " ".join(part.split())))


def download(job: Job) -> Iterator[str]:
    """Its result file, piece by piece. Each is fetched when the one before has been sent: a slow reader holds nothing
    of the database."""
    yield MARK
    number = -1
    while part := job.parts.filter(number__gt=number).order_by("number").first():
        yield part.text
        number = part.number
