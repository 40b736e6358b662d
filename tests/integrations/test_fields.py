"""Typed settings fields: what a definition may say, and which values fit it (behaviour 36)."""

import pytest

from apps.integrations.fields import (
    MOST_FIELDS,
    MOST_OPTIONS,
    InvalidFields,
    check_definition,
    check_required,
    check_values,
)

COLOURS = [{"title": "Red", "value": "red"}, {"title": "Blue", "value": "blue"}]


def field(**changes):
    """A text field, whole as it is kept."""
    usual = {"key": "note", "title": "Note", "data_type": None, "type": "text", "default": None}
    return usual | {"required": False, "options": []} | changes


def wrong(work, *arguments, **named) -> list[tuple[str, str]]:
    with pytest.raises(InvalidFields) as refused:
        work(*arguments, **named)
    assert refused.value.code == "validation_error"
    return refused.value.details


def test_what_is_left_out_of_a_definition_is_filled_in():
    assert check_definition([{"key": "note", "title": "Note", "type": "text"}]) == [field()]
    assert check_definition([]) == []


def test_a_whole_definition_is_kept_as_it_is():
    fields = [
        field(type="boolean", default=False, required=True),
        field(key="limit", type="money", default={"currency": "EUR", "value": "9.99"}),
        field(key="colour", type="select", default="red", options=COLOURS, data_type="paint"),
        field(key="story", type="textarea", default="Once\nupon a time"),
        field(key="api_key_2", type="secret", required=True),
    ]
    assert check_definition(fields) == fields


@pytest.mark.parametrize("fields", [None, {}, "text", [field()] * (MOST_FIELDS + 1)])
def test_a_definition_is_a_list_that_is_not_too_long(fields):
    assert wrong(check_definition, fields) == [("settings_fields", "Must be a list of at most 50 fields.")]


@pytest.mark.parametrize(
    ("changes", "attribute"),
    [
        ({"key": ""}, "key"),
        ({"key": "Note"}, "key"),
        ({"key": "2nd"}, "key"),
        ({"key": "n" * 51}, "key"),
        ({"key": "note\n"}, "key"),
        ({"key": None}, "key"),
        ({"title": " "}, "title"),
        ({"title": 7}, "title"),
        ({"title": "t" * 201}, "title"),
        ({"title": "half \ud800"}, "title"),
        ({"data_type": ""}, "data_type"),
        ({"data_type": 7}, "data_type"),
        ({"required": "yes"}, "required"),
        ({"type": "brand"}, "type"),
        ({"type": "wysiwyg"}, "type"),
        ({"type": ["text"]}, "type"),
        ({"colour": "red"}, "colour"),
        ({"options": COLOURS}, "options"),
        ({"type": "select"}, "options"),
        ({"type": "select", "options": "red"}, "options"),
        ({"type": "select", "options": [{"value": "red"}]}, "options"),
        ({"type": "select", "options": [{"title": "Red", "value": 1}]}, "options"),
        ({"type": "select", "options": [*COLOURS, COLOURS[0]]}, "options"),
        ({"type": "select", "options": [{"title": "t", "value": str(n)} for n in range(MOST_OPTIONS + 1)]}, "options"),
        ({"default": 7}, "default"),
        ({"type": "boolean", "default": "true"}, "default"),
        ({"type": "select", "options": COLOURS, "default": "green"}, "default"),
        ({"type": "secret", "default": "hush"}, "default"),
    ],
)
def test_a_field_that_makes_no_sense_is_named(changes, attribute):
    found = wrong(check_definition, [field(key="first"), field(**changes)])
    assert [name for name, _ in found] == [f"settings_fields[1].{attribute}"]


def test_every_wrong_field_is_named_and_the_attribute_is_the_callers():
    found = wrong(check_definition, [7, field(key="?", title="")], attribute="fields")
    assert [name for name, _ in found] == ["fields[0]", "fields[1].key", "fields[1].title"]


def test_two_fields_have_different_keys():
    assert wrong(check_definition, [field(), field()]) == [("settings_fields[1].key", "Another field has this key.")]


FITTING = [
    ("boolean", True),
    ("boolean", False),
    ("money", {"currency": "EUR", "value": "12.50"}),
    ("money", {"currency": "JPY", "value": "-1200"}),
    ("select", "blue"),
    ("text", ""),
    ("text", "x" * 500),
    ("textarea", "two\nlines"),
    ("secret", "hush"),
]
UNFIT = [
    *[("boolean", value) for value in ("true", 1, 0, [])],
    *[("money", value) for value in ("12.50", 12, {}, {"currency": "EUR"}, {"currency": "eur", "value": "1"})],
    *[("money", {"currency": "EUR", "value": value}) for value in (1, "1,5", "1e3", "NaN", "", "1.23456", "007", "1 ")],
    *[("money", {"currency": code, "value": "1"}) for code in ("EURO", "€", "EUR\n", None)],
    ("money", {"currency": "EUR", "value": "1", "tax": "0"}),
    *[("select", value) for value in ("green", "", 1, ["red"], {})],
    *[("text", value) for value in (7, True, "two\nlines", "x" * 501, ["x"])],
    *[("textarea", value) for value in (7, "x" * 10_001, "\x00")],
    *[("secret", value) for value in (7, "", "x" * 2_001)],
]


def typed(kind: str):
    return field(type=kind, options=COLOURS if kind == "select" else [])


@pytest.mark.parametrize(("kind", "value"), FITTING)
def test_a_value_that_fits_its_type_is_taken_as_it_is(kind, value):
    assert check_values([typed(kind)], {"note": value}) == {"note": value}


@pytest.mark.parametrize(("kind", "value"), UNFIT)
def test_a_value_that_does_not_fit_its_type_is_refused(kind, value):
    assert [name for name, _ in wrong(check_values, [typed(kind)], {"note": value})] == ["settings.note"]


def test_nothing_takes_a_value_away_whatever_the_type():
    assert check_values([typed("boolean")], {"note": None}) == {"note": None}


def test_a_value_without_a_field_is_refused():
    found = wrong(check_values, [field()], {"b": 1, "note": "x", "address": "https://evil.example"})
    assert found == [("settings.address", "Unknown field."), ("settings.b", "Unknown field.")]


@pytest.mark.parametrize("values", [None, [], "note", 7])
def test_values_are_an_object(values):
    assert wrong(check_values, [field()], values) == [("settings", "Must be an object.")]


def test_a_required_field_needs_a_value_or_a_default():
    fields = [field(required=True), field(key="colour", required=True, default="red"), field(key="other")]
    check_required(fields, ["note"])
    assert wrong(check_required, fields, ["colour"]) == [("settings.note", "Required.")]
