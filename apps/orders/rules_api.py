"""An organization's routing rules in the API (Pipe17: contracts 2.8; priorities and blocks: Pio, 1.7; behaviour 75)."""

from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.response import Response

from apps.accounts.models import Organization
from apps.api.bodies import Flag, Strict, Text, checked
from apps.api.errors import Problem
from apps.api.principals import Call
from apps.api.routes import operation
from apps.integrations.connectors.base import LONGEST_ID

from . import ruling
from .models import RoutingRule

TAG = "Routing rules"
HIGHEST = 1_000_000  # priority, either way
MOST_NAMED = 100  # shops, tags, countries or methods of one rule


def _names(*, longest: int = LONGEST_ID) -> serializers.ListField:
    return serializers.ListField(child=Text(max_length=longest), max_length=MOST_NAMED, required=False)


class RuleBody(Strict):
    """A condition that is left out fits every order; of several, all must fit.

    `location_id` and `may_split` are of rules that `route`, `priority` of those that give one: priorities add up.
    """

    name = Text(max_length=200)
    kind = serializers.ChoiceField(choices=RoutingRule.Kind.values)
    is_active = Flag(required=False)
    shops = serializers.ListField(child=serializers.UUIDField(), max_length=MOST_NAMED, required=False)
    tags = _names()
    countries = _names(longest=2)
    shipping_methods = _names()
    location_id = serializers.UUIDField(required=False, allow_null=True)
    may_split = Flag(required=False)
    priority = serializers.IntegerField(min_value=-HIGHEST, max_value=HIGHEST, required=False)


class RulesBody(serializers.Serializer):
    """All of them, the first first. `version` changes with any of them."""

    version = serializers.CharField()
    rules = RuleBody(many=True)


class NewRules(Strict):
    """The whole list. With `based_on`, only if that version still holds."""

    based_on = Text(max_length=50, required=False)
    rules = RuleBody(many=True, max_length=ruling.MOST)  # type: ignore[call-arg]

    def validate_rules(self, rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len({rule["name"] for rule in rules}) < len(rules):
            raise serializers.ValidationError("Give each rule a name of its own.")
        return rules


@operation("Read the routing rules", tag=TAG, answers={200: RulesBody})
def read_rules(request: Call, organization_id: UUID) -> Response:
    """The organization's, for a credential that may see all of it."""
    organization = _organization(request, organization_id)
    rules = RoutingRule.objects.for_principal(request).filter(organization=organization)
    return _rules(list(rules.order_by("position", "pk")))


@operation(
    "Save the routing rules",
    tag=TAG,
    body=NewRules,
    answers={200: RulesBody},
    errors=["stale_version"],
    writes=True,
)
def write_rules(request: Call, organization_id: UUID) -> Response:
    """All at once, in this order; orders that wait are looked at again. When anything is wrong, nothing is saved."""
    organization = _organization(request, organization_id)
    body = checked(NewRules, request.data)
    rules = [RoutingRule(organization=organization, **_upper(said)) for said in body["rules"]]
    _check(rules)
    saved = ruling.replace(organization, rules, actor=request.user.actor, based_on=body.get("based_on"))
    return _rules(saved)


def _organization(request: Call, organization_id: UUID) -> Organization:
    """The caller's own. Raises Problem not_found for any other."""
    if organization_id != request.user.organization.pk:
        raise Problem("not_found")
    return request.user.organization


def _upper(said: dict[str, Any]) -> dict[str, Any]:
    return said | {"countries": [country.upper() for country in said.get("countries", [])]}


def _check(rules: list[RoutingRule]) -> None:
    """Raises Problem validation_error with all that is wrong."""
    details = [
        (f"rules.{number}.{attribute}", message)
        for number, rule in enumerate(rules)
        for attribute, message in ruling.problems(rule)
    ]
    if details:
        raise Problem("validation_error", details[0][1], details=details[:MOST_NAMED])


def _rules(rules: list[RoutingRule]) -> Response:
    return Response(RulesBody({"version": ruling.version_of(rules), "rules": rules}).data)
