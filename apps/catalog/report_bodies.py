"""A warehouse's report as it comes over the API. Each row is read by itself, so that a bad one fails alone."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.api.bodies import Flag, Strict, Text
from apps.integrations.connectors.base import LONGEST_ID
from apps.integrations.models import Integration
from apps.integrations.org_api import ToldMoment
from apps.moments import in_utc

from . import stocking
from .ledger import AHEAD, MOST
from .models import Location, StockMovement
from .reporting import HIGHEST_VERSION, Reported
from .stocking import Result

MOST_ROWS = 5_000
CAUSES = {"snapshot": StockMovement.Cause.SNAPSHOT, "incremental": StockMovement.Cause.REPORT}


class RowBody(serializers.Serializer):
    """`on_hand` pieces are there; or, in an incremental report, `change` pieces came or, below zero, went.

    `version` and `observed_at` are the report's, unless the row has its own. `entry` is your own id of a change, which
    counts once however often it is told.
    """

    sku = serializers.CharField(max_length=LONGEST_ID)
    on_hand = serializers.IntegerField(min_value=0, max_value=MOST, required=False)
    change = serializers.IntegerField(min_value=-MOST, max_value=MOST, required=False)
    version = serializers.IntegerField(min_value=0, max_value=HIGHEST_VERSION, required=False)
    observed_at = serializers.DateTimeField(required=False)
    entry = serializers.CharField(max_length=LONGEST_ID, required=False)


@extend_schema_field(RowBody)
class Row(serializers.Field):
    """Whatever it is, it is read with an outcome of its own."""

    def to_internal_value(self, data: Any) -> Any:
        return data


class Version(serializers.IntegerField):
    """A whole number, and no text that looks like one."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return super().to_internal_value(data)


class StockReport(Strict):
    """What one of your locations holds: a `snapshot` counts, an `incremental` report may also tell changes.

    `observed_at` is when it was so (now, if left out), `version` a number that grows with each report, if you have one.
    A snapshot may come in several calls with the same `observed_at`: the last says `complete`, and what none of them
    named is not there.
    """

    location_id = serializers.UUIDField()
    style = serializers.ChoiceField(choices=["snapshot", "incremental"])  # type: ignore[assignment]
    observed_at = ToldMoment(required=False)
    version = Version(min_value=0, max_value=HIGHEST_VERSION, required=False)
    reference = Text(max_length=255, required=False)
    complete = Flag(required=False)
    rows = serializers.ListField(child=Row(allow_null=True), max_length=MOST_ROWS)

    def validate_observed_at(self, moment: datetime) -> datetime:
        if moment > timezone.now() + AHEAD:
            raise serializers.ValidationError("That is still to come: is your clock right?")
        return moment

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("complete") and attrs["style"] != "snapshot":
            raise serializers.ValidationError({"complete": ["Only a snapshot is complete."]})
        if attrs.get("complete") and "observed_at" not in attrs:
            raise serializers.ValidationError({"observed_at": ["Say when the complete snapshot was taken."]})
        return attrs


class ReportOutcome(serializers.Serializer):
    """`code` says why a row was refused, and is empty otherwise."""

    index = serializers.IntegerField()
    sku = serializers.CharField()
    result = serializers.ChoiceField(choices=[str(result) for result in Result])
    code = serializers.CharField()


def read_row(row: Any, *, changes: bool) -> Reported:
    """A row of a report; with its error, if it has one. `changes`: whether it may tell a change."""
    if not isinstance(row, dict) or not isinstance(row.get("sku"), str):
        return Reported("", error="bad_row" if not isinstance(row, dict) else "bad_sku")
    error = _error(row, changes=changes)
    if error:
        return Reported(row["sku"], error=error)
    return Reported(
        row["sku"],
        on_hand=row.get("on_hand"),
        change=row.get("change"),
        version=row.get("version"),
        occurred_at=_moment(row["observed_at"]) if "observed_at" in row else None,
        entry=row.get("entry", ""),
    )


def take_report(
    integration: Integration, asked: dict[str, Any], *, location: Location
) -> list[tuple[Reported, stocking.Outcome]]:
    """Take in what StockReport has checked: each row with what came of it. Raises Problem as `stocking.report`."""
    rows = [read_row(row, changes=asked["style"] == "incremental") for row in asked["rows"]]
    by = stocking.By(CAUSES[asked["style"]], str(integration), integration, reference=asked.get("reference", ""))
    outcomes = stocking.report(
        location,
        rows,
        by=by,
        complete=asked.get("complete", False),
        version=asked.get("version"),
        occurred_at=asked.get("observed_at"),
    )
    return list(zip(rows, outcomes, strict=True))


def _error(row: dict[str, Any], *, changes: bool) -> str:
    """What is no row of a report; whether its numbers are possible, is judged later."""
    if set(row) - set(FIELDS):
        return "bad_row"
    for name, (kind, code) in FIELDS.items():
        if name in row and (isinstance(row[name], bool) or not isinstance(row[name], kind)):
            return code
    if "observed_at" in row and _moment(row["observed_at"]) is None:
        return "bad_time"
    return "bad_quantity" if "change" in row and not changes else ""


FIELDS: dict[str, tuple[type, str]] = {
    "sku": (str, "bad_sku"),
    "on_hand": (int, "bad_quantity"),
    "change": (int, "bad_quantity"),
    "version": (int, "bad_version"),
    "observed_at": (str, "bad_time"),
    "entry": (str, "bad_entry"),
}


def _moment(text: str) -> datetime | None:
    """A time of ISO 8601, in UTC when it does not say; None when it is none, cannot be kept, or is still to come."""
    try:
        found = in_utc(datetime.fromisoformat(text))
    except ValueError:
        return None
    return found if found <= timezone.now() + AHEAD else None
