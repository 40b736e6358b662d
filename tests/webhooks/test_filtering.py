"""What passes a filter, and what is refused as one."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.api.errors import Problem
from apps.webhooks.catalogue import EVENTS
from apps.webhooks.filtering import OPS, parse, passes

ORDER = {
    "state": "new",
    "total": "19.95",
    "lines": [{"sku": "HAT", "quantity": 2}, {"sku": "CAP", "quantity": 1}],
    "tags": ["gift", "express"],
    "is_paid": True,
    "note": None,
    "destination": {"country": "NL"},
    "ordered_at": "2026-11-21T12:00:00+01:00",
}


@pytest.mark.parametrize(
    ("field", "op", "value", "holds"),
    [
        ("state", "equals", "new", True),
        ("state", "equals", "New", False),
        ("state", "not_equals", "new", False),
        ("state", "one_of", ["sent", "new"], True),
        ("state", "one_of", ["sent"], False),
        ("state", "contains", "ew", True),
        ("total", "greater", 19, True),
        ("total", "greater", 19.95, False),
        ("total", "less", "20", True),
        ("lines.sku", "equals", "CAP", True),
        ("lines.sku", "not_equals", "CAP", False),
        ("lines.sku", "not_equals", "SOCK", True),
        ("lines.quantity", "greater", 1, True),
        ("lines.quantity", "greater", 2, False),
        ("tags", "equals", "gift", True),
        ("tags", "contains", "press", True),
        ("is_paid", "equals", True, True),
        ("is_paid", "equals", 1, False),
        ("lines.quantity", "equals", 2.0, True),
        ("note", "exists", True, False),
        ("note", "exists", False, True),
        ("note", "equals", None, True),
        ("destination.country", "equals", "NL", True),
        ("destination", "equals", "NL", False),
        ("nothing", "equals", None, False),
        ("nothing", "not_equals", "x", True),
        ("nothing.at.all", "exists", False, True),
        ("ordered_at", "greater", "2026-11-21T10:59:59Z", True),
        ("ordered_at", "less", "2026-11-21T11:00:00Z", False),
        ("state", "less", 5, False),
        ("total", "greater", "2026-11-21T11:00:00Z", False),
        ("is_paid", "greater", 0, False),
    ],
)
def test_a_condition_holds_or_not(field, op, value, holds):
    assert passes([{"field": field, "op": op, "value": value}], ORDER) is holds


def test_all_conditions_must_hold_and_none_lets_everything_pass():
    new, paid = {"field": "state", "op": "equals", "value": "new"}, {"field": "is_paid", "op": "equals", "value": True}
    assert passes([new, paid], ORDER)
    assert not passes([new, paid | {"value": False}], ORDER)
    assert passes([], {})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=10,
)


@given(raw=json_values, data=st.dictionaries(st.sampled_from("abc"), json_values, max_size=3))
def test_whatever_is_given_is_a_filter_that_can_be_asked_or_a_validation_error(raw, data):
    try:
        told = passes(parse(raw, published=EVENTS["order.created"]), data)
    except Problem as problem:
        told = (problem.code, problem.details[0][0][:6])
    assert told in (True, False, ("validation_error", "filter"))


@given(op=st.sampled_from(OPS), field=st.sampled_from(["a", "a.b", "c"]), value=json_values, data=json_values)
def test_no_condition_that_is_accepted_ever_raises(op, field, value, data):
    try:
        conditions = parse([{"field": field, "op": op, "value": value}], published=unknown())
    except Problem:
        return
    assert passes(conditions, {"a": data, "c": [data]}) in (True, False)


def unknown():
    """An event whose schema says nothing."""
    known = EVENTS["order.created"]
    fields = {name: getattr(known, name) for name in known.__slots__}
    return type(known)(**fields | {"source": "nobody.knows", "schema": {}})


def test_the_data_in_front_of_a_field_is_left_out_and_the_usual_op_is_equals():
    kept = [{"field": "state", "op": "equals", "value": "new"}]
    assert parse([{"field": "data.state", "value": "new"}], published=EVENTS["order.created"]) == kept
    assert parse(None, published=EVENTS["order.created"]) == []


def test_numbers_are_kept_as_json_has_them():
    (kept,) = parse([{"field": "version", "op": "less", "value": Decimal("1.5")}], published=EVENTS["order.created"])
    assert (kept["value"], type(kept["value"])) == (1.5, float)


def test_pios_names_are_filtered_by_what_our_event_says():
    for name in ("on_hand", "sku"):
        if name in EVENTS["stock.changed"].schema["properties"]:
            assert parse([{"field": name, "op": "exists"}], published=EVENTS["inventory_levels.update"])


@pytest.mark.parametrize(
    ("raw", "attribute"),
    [
        ("state", "filter"),
        ({"field": "state"}, "filter"),
        ([1], "filter[0]"),
        ([{"field": "state", "value": "new"}] * 21, "filter"),
        ([{}], "filter[0].field"),
        ([{"field": ""}], "filter[0].field"),
        ([{"field": "a..b"}], "filter[0].field"),
        ([{"field": "a" * 256}], "filter[0].field"),
        ([{"field": "moon", "value": 1}], "filter[0].field"),
        ([{"field": "state", "value": "new"}, {"field": "lines.moon", "value": 1}], "filter[1].field"),
        ([{"field": "state.moon", "op": "exists"}], "filter[0].field"),
        ([{"field": "total.moon", "op": "exists"}], "filter[0].field"),
        ([{"field": "tags.moon", "op": "exists"}], "filter[0].field"),
        ([{"field": "lines.sku.moon", "op": "exists"}], "filter[0].field"),
        ([{"field": "state", "op": "like", "value": 1}], "filter[0].op"),
        ([{"field": "state", "op": ["equals"], "value": 1}], "filter[0].op"),
        ([{"field": "state", "or": 1}], "filter[0].or"),
        ([{"field": "state"}], "filter[0].value"),
        ([{"field": "state", "value": {}}], "filter[0].value"),
        ([{"field": "state", "value": "x" * 256}], "filter[0].value"),
        ([{"field": "state", "op": "one_of", "value": "new"}], "filter[0].value"),
        ([{"field": "state", "op": "one_of", "value": []}], "filter[0].value"),
        ([{"field": "state", "op": "one_of", "value": ["new", []]}], "filter[0].value[1]"),
        ([{"field": "state", "op": "contains", "value": 1}], "filter[0].value"),
        ([{"field": "state", "op": "greater", "value": "much"}], "filter[0].value"),
        ([{"field": "state", "op": "exists", "value": "yes"}], "filter[0].value"),
    ],
)
def test_what_is_no_condition_is_refused_with_what_is_wrong(raw, attribute):
    with pytest.raises(Problem) as found:
        parse(raw, published=EVENTS["order.created"])
    assert (found.value.code, found.value.details[0][0]) == ("validation_error", attribute)


def test_an_unknown_field_is_refused_with_those_that_exist():
    with pytest.raises(Problem) as found:
        parse([{"field": "lines.moon", "value": 1}], published=EVENTS["order.created"])
    assert "lines.moon" in found.value.detail and "lines.sku" in found.value.detail


def test_below_a_text_there_is_nothing_and_what_stands_beside_it_is_named():
    with pytest.raises(Problem) as found:
        parse([{"field": "lines.sku.moon", "value": 1}], published=EVENTS["order.created"])
    [(_, told)] = found.value.details
    assert told.startswith("There is no lines.sku.moon. There are: lines.id, lines.ext_line_id, lines.sku, ")
