"""SKU mappings and unknown SKUs in the API (Pipe17: contracts 2.11, behaviours 66 and 68)."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.db.models import IntegerField
from django.db.models.expressions import Func
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.response import Response

from apps.api.bodies import Strict, Text, checked
from apps.api.paging import LINKED_QUERY, linked_page
from apps.api.principals import Call
from apps.api.routes import operation
from apps.integrations.connectors.base import LONGEST_ID
from apps.integrations.models import Integration
from apps.integrations.org_api import Moment, integration_of

from . import mapping, pairs, previewing, remapping, worklist
from .matching import Band, suggest
from .models import SkuMapping, WaitingSku
from .product_bodies import LARGEST_ID

TAG = "SKU mapping"
MOST_MATCHES = 500
LARGEST_NUMBER = 2**31 - 1
PAIR = {"type": "array", "items": {"type": "string", "maxLength": LONGEST_ID}, "minItems": 2, "maxItems": 2}


@extend_schema_field({"type": "array", "items": PAIR, "maxItems": pairs.MOST})
class Pairs(serializers.Field):
    """`[["A", "B"], …]`, or one object `{"A": "B"}`."""

    def to_internal_value(self, data: Any) -> list[pairs.Pair]:
        return pairs.from_json(data)

    def to_representation(self, value: list[pairs.Pair]) -> list[list[str]]:
        return [list(pair) for pair in value]


class MappingBody(serializers.Serializer):
    """`version` is 0 before the first one was saved. `ours` says which SKU of each pair is ours."""

    version = serializers.IntegerField()
    ours = serializers.ChoiceField(choices=["first", "second"])
    pairs = Pairs()


class NewMapping(Strict):
    """The whole mapping. `based_on` is the version it was made from."""

    based_on = serializers.IntegerField(min_value=0, max_value=LARGEST_NUMBER)
    pairs = Pairs()
    note = Text(max_length=500, required=False, allow_blank=True)


class OnlyPairs(Strict):
    pairs = Pairs()


class Rollback(Strict):
    """`version` 0 is the time before the first one."""

    version = serializers.IntegerField(min_value=0, max_value=LARGEST_NUMBER)
    based_on = serializers.IntegerField(min_value=0, max_value=LARGEST_NUMBER, required=False)


class VersionBody(serializers.Serializer):
    version = serializers.IntegerField(source="number")
    pairs = serializers.IntegerField(source="size")
    origin = serializers.ChoiceField(choices=SkuMapping.Origin.values)
    note = serializers.CharField()
    created_by = serializers.CharField(source="actor")
    created_at = Moment()


class VersionPage(serializers.Serializer):
    data = VersionBody(many=True)  # type: ignore[assignment]
    prev = serializers.URLField(allow_null=True)
    next = serializers.URLField(allow_null=True)
    per_page = serializers.IntegerField()


class ChangesBody(serializers.Serializer):
    """How many there are, and the first hundred."""

    count = serializers.IntegerField()
    first = serializers.ListField(child=serializers.DictField())


class ChangesByKind(serializers.Serializer):
    moved = ChangesBody()
    linked = ChangesBody()
    unlinked = ChangesBody()
    created = ChangesBody()
    archived = ChangesBody()
    released = ChangesBody()
    published = ChangesBody()


class PreviewBody(serializers.Serializer):
    """Pairs `added` to the version that holds and `removed` from it, and what would change by it.

    Listings that would be `moved` to another product, `linked` or `unlinked`; products that would be `created` or
    `archived`; reports that would be `released`; and listings whose `published` quantity would change.
    """

    based_on = serializers.IntegerField()
    added = serializers.IntegerField()
    removed = serializers.IntegerField()
    changes = ChangesByKind()


class SuggestionBody(serializers.Serializer):
    """`confidence` in a word, `score` from 0 to 1."""

    product_id = serializers.IntegerField(source="product")
    sku = serializers.CharField()
    name = serializers.CharField()
    confidence = serializers.ChoiceField(choices=Band.values, source="band")
    score = serializers.FloatField()
    reasons = serializers.ListField(child=serializers.CharField())


class UnmatchedBody(serializers.Serializer):
    """A SKU that is nobody's, with what waits for it; `name` as a shop calls the good."""

    sku = serializers.CharField()
    name = serializers.CharField()
    listings = serializers.IntegerField()
    reports = serializers.IntegerField()
    times = serializers.IntegerField()
    seen_at = Moment()
    suggestions = SuggestionBody(many=True)


class UnmatchedPage(serializers.Serializer):
    data = UnmatchedBody(many=True)  # type: ignore[assignment]
    prev = serializers.URLField(allow_null=True)
    next = serializers.URLField(allow_null=True)
    per_page = serializers.IntegerField()


class Match(Strict):
    sku = Text(max_length=LONGEST_ID, trim_whitespace=False)
    product_id = serializers.IntegerField(min_value=1, max_value=LARGEST_ID)


class Matches(Strict):
    matches = serializers.ListField(child=Match(), min_length=1, max_length=MOST_MATCHES)

    def validate_matches(self, value: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len({match["sku"] for match in value}) < len(value):
            raise serializers.ValidationError("Name each SKU once.")
        return value


@operation("Read the SKU mapping", tag=TAG, answers={200: MappingBody})
def read_mapping(request: Call, organization_id: UUID, integration_id: UUID) -> Response:
    """All pairs that hold. On the way of an order the first SKU becomes the second, on the way back the first again."""
    return _mapping(integration_of(request, organization_id, integration_id))


@operation(
    "Save the SKU mapping",
    tag=TAG,
    body=NewMapping,
    answers={200: MappingBody},
    errors=["stale_version"],
    writes=True,
)
def write_mapping(request: Call, organization_id: UUID, integration_id: UUID) -> Response:
    """As the next version; listings and reports follow it at once. When anything is wrong, nothing is saved."""
    integration = integration_of(request, organization_id, integration_id)
    body = checked(NewMapping, request.data)
    remapping.save(
        integration,
        body["pairs"],
        origin=SkuMapping.Origin.API,
        actor=request.user.actor,
        by=request.user.user,
        note=body.get("note", ""),
        based_on=body["based_on"],
    )
    return _mapping(integration)


def _mapping(integration: Integration) -> Response:
    newest = remapping.newest(integration)
    own, _other = mapping.sides(integration)
    shown = {"version": newest.number if newest else 0, "ours": own, "pairs": remapping.pairs_of(integration)}
    return Response(MappingBody(shown).data)


@operation("Preview an SKU mapping", tag=TAG, body=OnlyPairs, answers={200: PreviewBody}, once=False)
def preview_mapping(request: Call, organization_id: UUID, integration_id: UUID) -> Response:
    """What saving these pairs would change, over all listings and waiting reports. Nothing is written."""
    integration = integration_of(request, organization_id, integration_id)
    found = previewing.preview(integration, checked(OnlyPairs, request.data)["pairs"])
    changes = {kind: asdict(changes) for kind, changes in found.changes.items()}
    shown = {"based_on": found.based_on, "added": found.added, "removed": found.removed, "changes": changes}
    return Response(PreviewBody(shown).data)


@operation("List the versions", tag=TAG, answers={200: VersionPage}, query=LINKED_QUERY)
def list_versions(request: Call, organization_id: UUID, integration_id: UUID) -> Response:
    """Newest first: that one holds."""
    found = remapping.versions(integration_of(request, organization_id, integration_id)).defer("pairs")
    size = Func("pairs", function="jsonb_array_length", output_field=IntegerField())
    return linked_page(request, found.annotate(size=size), shape=lambda version: VersionBody(version).data)


@operation(
    "Roll back to a version",
    tag=TAG,
    body=Rollback,
    answers={200: MappingBody},
    errors=["stale_version"],
    writes=True,
)
def roll_back(request: Call, organization_id: UUID, integration_id: UUID) -> Response:
    """Its pairs hold again, as a new version."""
    integration = integration_of(request, organization_id, integration_id)
    body = checked(Rollback, request.data)
    user = request.user
    remapping.roll_back(integration, body["version"], actor=user.actor, by=user.user, based_on=body.get("based_on"))
    return _mapping(integration)


@operation("List unmatched SKUs", tag=TAG, answers={200: UnmatchedPage}, query=LINKED_QUERY)
def list_unmatched(request: Call, organization_id: UUID, integration_id: UUID) -> Response:
    """SKUs of the integration's that are nobody's, the most frequent first, with up to three suggestions each."""
    integration = integration_of(request, organization_id, integration_id)
    page = linked_page(request, worklist.waiting(integration).open(), shape=lambda row: row)
    rows: list[WaitingSku] = page.data["data"]
    found = suggest(integration.organization, rows)
    for row in rows:
        row.suggestions = found[row.pk]  # type: ignore[attr-defined]
    page.data["data"] = UnmatchedBody(rows, many=True).data
    return page


@operation("Accept matches", tag=TAG, body=Matches, answers={200: MappingBody}, writes=True)
def accept_matches(request: Call, organization_id: UUID, integration_id: UUID) -> Response:
    """Each SKU means its product from now on, and what waited for it goes on. All of them, or none."""
    integration = integration_of(request, organization_id, integration_id)
    chosen = {match["sku"]: match["product_id"] for match in checked(Matches, request.data)["matches"]}
    worklist.accept(integration, chosen, actor=request.user.actor, by=request.user.user)
    return _mapping(integration)
