"""What goes wrong, grouped by what causes it: a statement for each kind of trouble, whatever the number of its rows.

Nothing of it is stored. A problem is there as long as something fails for that reason, and goes by itself.
"""

import base64
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Count, F, Model, Q, QuerySet, TextChoices
from django.db.models.lookups import IContains
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.integrations.connectors.base import is_storable
from apps.webhooks.addressing import without_query

MOST = 200  # problems of one kind that are found; whoever has more does not look through them one by one
NAMED = {"organization", "integration", "shop"}  # what has a name of its own to be searched by


class Who(TextChoices):
    """Must act."""

    US = "us", _("You")
    OWNER = "owner", _("The store's owner")
    PARTNER = "partner", _("The partner")
    PLATFORM = "platform", _("The platform or the warehouse")


class Unknown(Exception):
    """No problem has this address."""


@dataclass(frozen=True, slots=True)
class Narrow:
    """Which problems: of whom, and with this text in what they are about. What is None or empty narrows nothing."""

    organization: Any = None
    integration: Any = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of trouble. `found` is all that fails so; those alike in all of `by` (names and where each is found) have
    one cause. `first` and `last` say when it began and was seen last, `count` how much it is, `orders` how many of
    these wait. `model` is what somebody has to be allowed to look at. `title` is said with the names and `why`.
    `shown` are the rows that its page names, `listed` the ids of those of `model` that its list shows. One that
    `repeats` is found anew at each look at the other side, and is news only when there is more of it.
    """

    code: str
    name: Promise
    title: Promise
    who: Who
    model: type[Model]
    found: Callable[[], QuerySet[Any]]
    by: Mapping[str, Any]
    first: Any
    last: Any
    amount: Callable[[int], str]
    count: Any = field(default_factory=lambda: Count("pk"))
    orders: Any = None
    why: Callable[[Mapping[str, Any]], str] = lambda refs: ""
    shown: Callable[[QuerySet[Any]], QuerySet[Any]] = lambda rows: rows
    listed: Callable[[QuerySet[Any]], QuerySet[Any]] = lambda rows: rows.values("pk")
    of_integration: Callable[[Any], Q] | None = None
    repeats: bool = False

    @property
    def permission(self) -> str:
        """What somebody needs to know of it."""
        return f"{self.model._meta.app_label}.view_{self.model._meta.model_name}"

    def causes(self, narrow: Narrow, *, most: int = MOST) -> list["Cause"]:
        """What has this kind of trouble, most orders and then most rows first; one more than `most` when there are."""
        return self._grouped(self._narrowed(narrow), most=most + 1)

    def cause(self, refs: Mapping[str, Any]) -> "Cause | None":
        """That of these, or None when it is gone."""
        return next(iter(self._grouped(self.rows(refs), most=1)), None)

    def rows(self, refs: Mapping[str, Any]) -> QuerySet[Any]:
        """All that fails for this. Raises Unknown for what can be nobody's."""
        try:
            return self._told_apart().filter(**dict(_is(name, value) for name, value in refs.items()))
        except (ValidationError, ValueError, TypeError) as error:
            raise Unknown from error

    def ids(self, refs: Mapping[str, Any]) -> QuerySet[Any]:
        """Of all rows of its model that fail for this. Raises Unknown as `rows` does."""
        return self.listed(self.rows(refs))

    def _told_apart(self) -> QuerySet[Any]:
        """Each row with what tells its cause, under names that are no fields."""
        places = {name: F(place) if isinstance(place, str) else place for name, place in self.by.items()}
        return self.found().order_by().annotate(**{_alias(name): place for name, place in places.items()})

    def _narrowed(self, narrow: Narrow) -> QuerySet[Any]:
        rows = self._told_apart()
        if narrow.organization:
            rows = rows.filter(by_organization=narrow.organization)
        if narrow.integration:
            rows = rows.filter(self._of_integration(narrow.integration))
        return rows.filter(self._saying(narrow.text)) if narrow.text else rows

    def _of_integration(self, integration: Any) -> Q:
        if self.of_integration:
            return self.of_integration(integration)
        return Q(by_integration=integration) if "integration" in self.by else Q(pk__in=[])

    def _saying(self, text: str) -> Q:
        """That have this text in a name or another thing they are about."""
        found = Q()
        for name, place in self.by.items():
            if name in NAMED:
                prefix = "" if place == "pk" else f"{place}__"
                found |= Q(**{f"{prefix}name__icontains": text})
            elif name == "endpoint":
                url = "url" if place == "pk" else "endpoint__url"
                found |= Q(IContains(without_query(url), text))
            else:
                found |= Q(**{f"{_alias(name)}__icontains": text})
        return found

    def _grouped(self, rows: QuerySet[Any], *, most: int) -> list["Cause"]:
        aliases = [_alias(name) for name in self.by]
        figures = {"n": self.count, "began": self.first, "seen": self.last}
        if self.orders is not None:
            figures["waiting"] = self.orders
        groups = rows.values(*aliases).annotate(**figures).order_by("-waiting" if self.orders else "-n", "began")
        return [
            Cause(
                kind=self,
                refs={name: _plain(row[_alias(name)]) for name in self.by},
                count=row["n"],
                orders=row.get("waiting", 0),
                first=row["began"],
                last=row["seen"],
            )
            for row in groups[:most]
        ]


def _alias(name: str) -> str:
    return f"by_{name}"


def _is(name: str, value: Any) -> tuple[str, Any]:
    return (f"{_alias(name)}__isnull", True) if value is None else (_alias(name), value)


def _plain(value: Any) -> str | None:
    return None if value is None else str(value)


@dataclass(frozen=True, slots=True)
class Cause:
    """One problem: `count` rows fail for the same reason. `refs` says what it is about, by the names of its kind."""

    kind: Kind
    refs: Mapping[str, Any]
    count: int
    orders: int
    first: datetime
    last: datetime

    @property
    def key(self) -> str:
        return json.dumps([self.kind.code, *self.refs.values()], ensure_ascii=False, separators=(",", ":"))

    @property
    def address(self) -> str:
        """What its page is called: the same as long as it is there, and when it comes back."""
        return self.address_of(self.key)

    @staticmethod
    def address_of(key: str) -> str:
        return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")

    @property
    def rows(self) -> QuerySet[Any]:
        return self.kind.rows(self.refs)

    @property
    def amount(self) -> str:
        """How much fails, in words."""
        return self.kind.amount(self.count)


def read(address: str, kinds: Collection[Kind]) -> tuple[Kind, dict[str, Any]]:
    """The kind and the refs that an address stands for. Raises Unknown."""
    try:
        code, *values = json.loads(base64.urlsafe_b64decode(address + "=" * (-len(address) % 4)))
    except (ValueError, TypeError, RecursionError) as error:  # base64's, JSON's and Unicode's are ValueErrors
        raise Unknown from error
    kind = next((one for one in kinds if one.code == code), None)
    are_texts = all(value is None or (isinstance(value, str) and is_storable(value)) for value in values)
    if kind is None or len(values) != len(kind.by) or not are_texts:
        raise Unknown
    return kind, dict(zip(kind.by, values, strict=True))
