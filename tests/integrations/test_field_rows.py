"""The settings a custom connector offers, filled in without writing JSON."""

from html.parser import HTMLParser

import pytest
from django import forms

from apps.integrations.field_rows import RowsField
from apps.integrations.fields import check_definition


class Form(forms.Form):
    fields_ = RowsField(required=False)


def row(place: int = 0, **parts: str) -> dict[str, str]:
    return {f"fields_-{place}-{part}": value for part, value in {"type": "text", **parts}.items()}


def cleaned(data: dict[str, str]) -> list[dict]:
    form = Form(data)
    assert form.is_valid(), form.errors
    return form.cleaned_data["fields_"]


def errors(data: dict[str, str]) -> list[str]:
    return Form(data).errors.get("fields_", [])


WHOLE = {"data_type": None, "default": None, "required": False, "options": []}


def test_a_row_becomes_a_field_with_a_short_name_made_of_its_title():
    assert cleaned(row(title="Days of delay", default="1", required="on")) == [
        WHOLE | {"key": "days_of_delay", "title": "Days of delay", "type": "text", "default": "1", "required": True}
    ]


def test_choices_stand_on_a_line_each():
    given = row(title="Site", type="select", options="n: North\r\n\r\nSouth", default="n")
    assert cleaned(given)[0]["options"] == [{"value": "n", "title": "North"}, {"value": "South", "title": "South"}]


@pytest.mark.parametrize(
    ("kind", "typed", "default"),
    [
        ("boolean", "Yes", True),
        ("boolean", "no", False),
        ("boolean", "", None),
        ("money", "eur 12,50", {"currency": "EUR", "value": "12.50"}),
        ("text", "", None),
    ],
)
def test_what_holds_unless_set_is_read_by_its_kind(kind, typed, default):
    assert cleaned(row(title="X", type=kind, default=typed))[0]["default"] == default


def test_empty_rows_are_left_out_wherever_they_stand():
    given = row(0) | row(1, title="B") | row(2) | row(9, title="C")
    assert [field["key"] for field in cleaned(given)] == ["b", "c"]
    assert cleaned({}) == []


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        (row(title="9 lives"), "Row 1, Short name: Must begin with a small letter; then small letters, digits and _;"),
        (row(title="A") | row(1, title="a"), "Row 2, Short name: Another field has this key."),
        (row(title="A", type="money", default="12"), "Row 1, Unless set: Must be an object of currency and value."),
        (row(title="A", type="boolean", default="perhaps"), "Row 1, Unless set: Must be true or false."),
        (row(title="A", options="x"), "Row 1, Choices: Only a select has options."),
        (row(title="A", type="secret", default="x"), "Row 1, Unless set: A secret has no default."),
        (row(title="A", type=""), "Row 1, Kind: Must be one of: boolean, money, text, textarea, secret, select."),
        (row(title="\x00"), "Row 1, Title: Must be a text of 1 to 200 characters."),
        (row(key="a"), "Row 1, Title: Must be a text of 1 to 200 characters."),
    ],
)
def test_what_is_wrong_names_its_row_and_input(given, wrong):
    assert [message[: len(wrong)] for message in errors(given)][-1:] == [wrong]


def test_what_is_there_comes_back_as_it_was():
    there = check_definition(
        [
            {"key": "a", "title": "A", "type": "select", "options": [{"title": "North", "value": "n"}], "default": "n"},
            {"key": "b", "title": "B", "type": "boolean", "default": False, "data_type": "sku"},
            {"key": "c", "title": "C", "type": "money", "default": {"currency": "EUR", "value": "1"}, "required": True},
            {"key": "d", "title": "D", "type": "boolean", "default": True},
        ]
    )
    page = Form(initial={"fields_": there})["fields_"].as_widget()
    assert cleaned(_inputs(page)) == there


def _inputs(page: str) -> dict[str, str]:
    """What a browser would send of it."""
    found: dict[str, str] = {}

    class Reader(HTMLParser):
        inside = ""

        def handle_starttag(self, tag, attrs):
            has = dict(attrs)
            if tag == "input" and (has.get("type") != "checkbox" or "checked" in has):
                found[has["name"]] = has.get("value", "on")
            elif tag in ("select", "textarea"):
                self.inside = has["name"]
            elif tag == "option" and "selected" in has:
                found[self.inside] = has["value"]

        def handle_data(self, data):
            if self.inside and data.strip() and self.inside.endswith("-options"):
                found[self.inside] = data

        def handle_endtag(self, tag):
            if tag in ("select", "textarea"):
                self.inside = ""

    Reader().feed(page)
    return found


def test_what_was_typed_stays_when_something_is_wrong():
    page = Form(row(title="A", default="<b>", options="x"))["fields_"].as_widget()
    assert ('value="&lt;b&gt;"' in page, ">x</textarea>" in page) == (True, True)
