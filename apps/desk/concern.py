"""One kind of trouble, and how it is found: its rows, who must act, and the orders that it holds up.

Here it is only said what to look for. `reckoning` looks, at all of it in one statement; so each set has to be read from
an index, however many rows there are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.db.models.expressions import RawSQL
from django.urls import reverse
from django.utils.functional import Promise

from apps.orders.models import Fulfillment, Order

from .causes import Who

Rows = QuerySet[Any]
EACH = RawSQL("each.id", [])
AT_RISK = "risk"  # the filter of the list of orders


@dataclass(frozen=True, slots=True)
class Each:
    """Of each of these ids (`outer`) its own rows: those of `inner`, which names the id as EACH. So each is looked up
    in an index, where of a set the database may think that it had better read everything."""

    outer: Rows
    inner: Rows


@dataclass(frozen=True, slots=True)
class Concern:
    """One kind of trouble. `query` lists its rows, `found`, on their own page.

    `parts` are the ids of these rows, to be counted: each set is read from another index. `oldest` are ids and since
    when, the longest first; the ids of rows of `of`. `orders` are the ids of the orders that are held up. Sets of ids
    may name one several times, and have nulls for what does not count.

    What is dear to find is found once: without `parts` what `oldest` finds is counted, and where that `tells` it has
    the name and the organization of each row besides.

    `kind` is the code of the kind of problem that shows the same by its causes, where there is one.
    """

    key: str
    title: Promise
    who: Who
    todo: Promise
    found: Rows
    query: str
    oldest: Rows
    parts: Sequence[Rows | Each]
    of: Any
    orders: Sequence[Rows | Each] = ()
    tells: bool = False
    kind: str = ""

    @property
    def link(self) -> str:
        model = self.found.model._meta
        return f"{reverse(f'admin:{model.app_label}_{model.model_name}_changelist')}?{self.query}"

    @property
    def held_up(self) -> str:
        """The page of the orders that it holds up."""
        return reverse("admin:orders_order_changelist", query={AT_RISK: self.key})

    @property
    def causes(self) -> str:
        """The page of the problems of its kind."""
        return reverse("problems", query={"kind": self.kind})

    @property
    def permission(self) -> str:
        """What somebody needs to know of it."""
        return f"{self.found.model._meta.app_label}.view_{self.found.model._meta.model_name}"


def concern(key: str, title: Any, who: Who, todo: Any, found: Rows, query: str, since: str, **more: Any) -> Concern:
    """One whose rows are counted and named as they are found, each as old as `since` says."""
    plain: dict[str, Any] = {
        "oldest": found.order_by(since).values_list("pk", since),
        "parts": [found.order_by().values_list("pk")],
        "of": found.model,
    }
    return Concern(key, title, who, todo, found, query, **plain | more)


def orders_of(integrations: Rows) -> list[Each]:
    """Open orders that came through these integrations (their ids), or are at their warehouses."""
    bought = Order.objects.open().filter(integration=EACH)
    live = [state for state in Fulfillment.State if state not in Fulfillment.FINAL]
    shipped = Fulfillment.objects.filter(integration=EACH, state__in=live)
    parts = [bought.order_by().values_list("pk"), shipped.order_by().values_list("order")]
    return [Each(integrations, part) for part in parts]
