"""Which product an unknown SKU may mean: suggestions, how sure we are of each, and why, in words.

Candidates come from the database by index: the same SKU but for case, spaces, dashes and leading zeros, the same
barcode, or a name that begins alike. Only those few are compared name by name, with a score of our own (trigrams).
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from unicodedata import normalize

from django.db import connection, models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import Organization

from .mapping import sides
from .models import WaitingSku

MOST = 3  # suggestions of one SKU
MOST_LIKE_IT = 20  # products whose name begins alike that are compared
LONGEST_START = 40
SURE, LIKELY, MAYBE = 0.85, 0.6, 0.35  # from which score on
ALIKE = 0.6  # from which similarity on two names are told to be alike


class Band(models.TextChoices):
    SURE = "sure", gettext_lazy("Sure")
    LIKELY = "likely", gettext_lazy("Likely")
    MAYBE = "maybe", gettext_lazy("Maybe")


class Good(NamedTuple):
    """What is known of either side; of an unknown SKU that only a warehouse told us, nothing but the SKU."""

    sku: str
    name: str = ""
    barcodes: Sequence[str] = ()


class Candidate(NamedTuple):
    product: int
    good: Good
    is_plainly_same: bool  # the same SKU but for its looks
    is_taken: bool  # another SKU of that integration means it already


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A product (by id) that an unknown SKU may mean. `score` is from 0 to 1."""

    product: int
    sku: str
    name: str
    score: float
    reasons: tuple[str, ...]

    @property
    def band(self) -> Band:
        return Band.SURE if self.score >= SURE else Band.LIKELY if self.score >= LIKELY else Band.MAYBE

    @property
    def is_sure(self) -> bool:
        return self.band == Band.SURE


def suggest(
    organization: Organization, waiting: Sequence[WaitingSku], *, by_name: bool = True
) -> dict[str, list[Suggestion]]:
    """The best few for each, best first, by the row's id; one statement for all of one organization's rows.

    Without `by_name` those are missing that only have a name like it: no name alone is sure.
    """
    goods = {row.pk: Good(row.sku, row.name, row.barcodes) for row in waiting}
    found = _candidates(organization, waiting, by_name=by_name)
    return {pk: judged(good, found[pk]) for pk, good in goods.items()}


def judged(good: Good, candidates: Iterable[Candidate]) -> list[Suggestion]:
    """Those that are worth a look, best first. Where two are sure, neither is."""
    rated = sorted((_rate(good, one) for one in candidates), key=lambda one: (-one.score, one.sku))
    best = [one for one in rated if one.score >= MAYBE][:MOST]
    if sum(one.is_sure for one in best) > 1:
        return [_doubted(one, _("more than one fits")) if one.is_sure else one for one in best]
    return best


def _doubted(one: Suggestion, reason: str) -> Suggestion:
    """At most likely."""
    return replace(one, score=min(one.score, SURE - 0.01), reasons=(*one.reasons, reason))


def _rate(good: Good, candidate: Candidate) -> Suggestion:
    other = candidate.good
    score, reasons = _likeness(good, candidate)
    made = Suggestion(candidate.product, other.sku, other.name, min(score, 1.0), tuple(reasons))
    if good.barcodes and other.barcodes and not set(good.barcodes) & set(other.barcodes):
        made = replace(_doubted(made, _("but another barcode")), score=made.score - 0.25)
    if _pack(good) != _pack(other):
        made = replace(_doubted(made, _("but another pack size")), score=made.score / 2)
    return _doubted(made, _("but another SKU there means it already")) if candidate.is_taken else made


def _likeness(good: Good, candidate: Candidate) -> tuple[float, list[str]]:
    """What speaks for it: the strongest sign counts, and names that are alike add a little to others."""
    other, likeness = candidate.good, similarity(good.name, candidate.good.name)
    signs = []
    if good.sku == other.sku:
        signs.append((0.98, _("same SKU")))
    elif candidate.is_plainly_same:
        signs.append(_plainly_same(good.sku, other.sku))
    if set(good.barcodes) & set(other.barcodes):
        signs.append((0.95, _("same barcode")))
    elif good.sku in other.barcodes:
        signs.append((0.9, _("its SKU is the barcode")))
    if likeness >= ALIKE:
        signs.append((0.75 * likeness, _("same name") if likeness == 1 else _("the names are alike")))
    score = max((weight for weight, _reason in signs), default=0.75 * likeness)
    return score + (0.05 if likeness >= ALIKE else 0), [reason for _weight, reason in signs]


def _plainly_same(sku: str, other: str) -> tuple[float, str]:
    """Numbers that differ by zeros in front may be two goods; other differences hardly ever mean anything."""
    if sku.lstrip("0").lower() == other.lstrip("0").lower() and sku.lower() != other.lower():
        return 0.75, _("same SKU but for zeros in front")
    return 0.9, _("same SKU but for case, spaces or dashes")


PACK = re.compile(
    r"\b(\d{1,4})\s*-?\s*(?:pack|pk|pcs|pieces|ct|count|er-?pack|stück|stk|x)\b|"
    r"\b(?:pack|set|box|case) of (\d{1,4})\b|\bx\s*(\d{1,4})\b"
)


def _pack(good: Good) -> int:
    """How many pieces its name or SKU seems to promise; one where they say nothing."""
    match = PACK.search(normalize("NFKC", f"{good.name} {good.sku}").lower().replace("_", " "))
    return int(next(filter(None, match.groups()), "1")) if match else 1


def similarity(one: str, other: str) -> float:
    """The share of trigrams two names have in common, 0 to 1, counted like PostgreSQL's pg_trgm."""
    left, right = _trigrams(one), _trigrams(other)
    return len(left & right) / len(left | right) if left and right else 0.0


def _trigrams(text: str) -> set[str]:
    words = re.findall(r"\w+", normalize("NFKC", text[:500]).lower())
    padded = [f"  {word} " for word in words]
    return {word[at : at + 3] for word in padded for at in range(len(word) - 2)}


def _candidates(
    organization: Organization, waiting: Sequence[WaitingSku], *, by_name: bool
) -> dict[str, list[Candidate]]:
    items = [
        {
            "id": row.pk,
            "integration": str(row.integration_id),
            "own": sides(row.integration)[0],
            "sku": row.sku,
            "barcodes": [*row.barcodes, row.sku],
            "start": _start(row.name) if by_name else "",
        }
        for row in waiting
    ]
    names: dict[str, Any] = {"organization": organization.pk, "items": json.dumps(items), "most": MOST_LIKE_IT}
    names["codes"] = sorted({code for row in waiting for code in (*row.barcodes, row.sku)})
    found = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(CANDIDATES, names)
        for item, product, sku, name, barcodes, is_plainly_same, is_taken in cursor.fetchall():
            found[item].append(Candidate(product, Good(sku, name, barcodes), is_plainly_same, is_taken))
    return found


def _start(name: str) -> str:
    """The first two words: names that begin otherwise are hardly alike."""
    return " ".join(name.lower().split()[:2])[:LONGEST_START]


PLAIN = """ltrim(lower(translate(
    CASE WHEN octet_length({0}) = length({0}) THEN {0} ELSE normalize({0}, NFKC) END, E' \\t-_./', '')), '0')"""

OF_ORGANIZATION = "SELECT id FROM catalog_product product WHERE organization_id = %(organization)s"

PAIR = "FROM catalog_skupair WHERE organization_id = %(organization)s AND integration_id = item.integration"

# By all barcodes at once: looked up item by item, the planner does not know how few have one, and reads them all.
CANDIDATES = f"""
WITH item AS MATERIALIZED (
    SELECT *, {PLAIN.format("sku")} AS plain
    FROM json_to_recordset(%(items)s::json) AS item (
        id text, integration uuid, own text, sku text, barcodes varchar[], start text
    )
), coded AS MATERIALIZED (
    SELECT code, (array_agg(product.id))[:%(most)s] AS ids
    FROM catalog_product product CROSS JOIN unnest(product.barcodes) AS code
    WHERE organization_id = %(organization)s AND product.barcodes && %(codes)s::varchar[] AND code = ANY(%(codes)s)
    GROUP BY code
), found AS (
    SELECT item.id AS item, alike.id AS product
    FROM item
    CROSS JOIN LATERAL (
        ({OF_ORGANIZATION} AND {PLAIN.format("sku")} = item.plain AND item.plain <> '' LIMIT %(most)s)
        UNION ALL
        ({OF_ORGANIZATION} AND item.start <> '' AND lower(left(name, {LONGEST_START})) ~>=~ item.start
            AND lower(left(name, {LONGEST_START})) ~<~ (item.start || U&'\\+10FFFF') LIMIT %(most)s)
    ) alike
    UNION
    SELECT item.id, unnest(coded.ids)
    FROM item CROSS JOIN unnest(item.barcodes) AS code JOIN coded USING (code)
)
SELECT item.id, product.id, product.sku, product.name, product.barcodes,
       item.plain <> '' AND item.plain = {PLAIN.format("product.sku")},
       EXISTS (
           SELECT FROM catalog_listing listing JOIN shops_shop shop ON shop.id = listing.shop_id
           WHERE listing.product_id = product.id AND shop.integration_id = item.integration
             AND listing.removed_at IS NULL AND listing.sku <> item.sku
       ) OR item.own = 'first' AND EXISTS (SELECT {PAIR} AND first = product.sku AND second <> item.sku)
       OR item.own = 'second' AND EXISTS (SELECT {PAIR} AND second = product.sku AND first <> item.sku)
FROM found JOIN item ON item.id = found.item JOIN catalog_product product ON product.id = found.product
"""
