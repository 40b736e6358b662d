"""Settings in a form made of the connector's own fields, and what happens when two people change them at once."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from apps.audit.models import Entry
from apps.audit.trail import Actor
from apps.integrations.changing import change
from apps.integrations.configuring import write
from apps.integrations.fields import check_definition
from apps.integrations.models import Integration, PartnerConnector, Revision
from tests.conftest import signed_in
from tests.factories import make_custom_integration, make_integration, make_user

ANNA = Actor(text="anna@foo-3pl.example")
FIELDS = [
    {"key": "days", "title": "Days of delay", "type": "text", "default": "1"},
    {"key": "remark", "title": "Remark", "type": "textarea"},
    {"key": "fee", "title": "Fee", "type": "money"},
    {"key": "rush", "title": "Rush", "type": "boolean"},
    {
        "key": "site",
        "title": "Site",
        "type": "select",
        "required": True,
        "options": [{"title": "North", "value": "n"}, {"title": "South", "value": "s"}],
    },
    {"key": "password", "title": "Password", "type": "secret"},
]
ON = {"order_sync_enabled": "on", "product_sync_enabled": "on", "stock_sync_enabled": "on"}
FILLED_IN = {"name": "Great WMS", **ON, "setting_days": "1", "setting_site": "n", "based_on": "0"}


@pytest.fixture
def integration(db) -> Integration:
    made = make_custom_integration(name="Great WMS")
    PartnerConnector.objects.update(settings_fields=check_definition(FIELDS))
    return fresh(made)


def fresh(integration: Integration) -> Integration:
    return Integration.objects.select_related("partner").get(pk=integration.pk)


def address(integration: Integration) -> str:
    return reverse("admin:integrations_integration_change_settings", args=[integration.pk])


def save(client: Any, integration: Integration, **typed: str) -> Any:
    return client.post(address(integration), FILLED_IN | typed)


def errors(answer: Any) -> dict[str, list[str]]:
    return dict(answer.context["form"].errors)


def test_the_page_has_an_input_for_each_field_of_the_connector(staff_client, integration):
    page = staff_client.get(address(integration))
    form = page.context["form"]
    assert {name: (str(form[name].label), type(form[name].field.widget).__name__) for name in form.own_names} == {
        "setting_days": ("Days of delay", "UnfoldAdminTextInputWidget"),
        "setting_remark": ("Remark", "UnfoldAdminTextareaWidget"),
        "setting_fee": ("Fee", "UnfoldAdminTextInputWidget"),
        "setting_rush": ("Rush", "UnfoldBooleanSwitchWidget"),
        "setting_site": ("Site", "UnfoldAdminSelectWidget"),
        "setting_password": ("Password", "UnfoldAdminPasswordWidget"),
    }
    assert form["setting_days"].value() == "1"
    assert [form[name].field.required for name in form.own_names] == [False, False, False, False, True, False]
    assert "Left empty, it is: 1" in page.text


def test_one_without_fields_still_has_its_name_and_flows(staff_client, db):
    page = staff_client.get(address(make_integration()))
    assert (page.status_code, "Its connector has no settings of its own." in page.text) == (200, True)


def test_what_was_typed_is_saved_as_each_field_wants_it_with_who_and_why(staff_client, staff, integration):
    typed = {"days": "3", "remark": "One\r\nTwo", "fee": "eur 12,50", "rush": "on", "site": "s", "password": "hunter2"}
    answer = save(staff_client, integration, note="Moved", **{f"setting_{key}": value for key, value in typed.items()})
    assert answer.headers["Location"] == reverse("admin:integrations_integration_change", args=[integration.pk])
    found = fresh(integration)
    assert found.settings == {
        "days": "3",
        "remark": "One\nTwo",
        "fee": {"currency": "EUR", "value": "12.50"},
        "rush": True,
        "site": "s",
    }
    assert found.secret_settings.secrets == {"password": "hunter2"}
    revision = Revision.objects.get(number=2)
    assert (revision.actor, revision.user_id, revision.note) == (staff.email, staff.pk, "Moved")
    assert Entry.objects.filter(action="settings.change", user_id=staff.pk).count() == 1


def test_saving_what_stands_there_changes_nothing(staff_client, integration):
    write(integration, {"site": "n", "fee": {"currency": "EUR", "value": "1"}, "remark": "a\nb"}, actor=ANNA)
    typed = {"setting_fee": "EUR 1", "setting_remark": "a\r\nb", "based_on": "2"}
    assert save(staff_client, integration, **typed).status_code == 302
    assert (Revision.objects.count(), Entry.objects.count()) == (2, 1)


def test_an_emptied_input_takes_the_value_away_and_the_default_holds(staff_client, integration):
    write(integration, {"site": "n", "days": "3"}, actor=ANNA)
    save(staff_client, integration, setting_days="", based_on="2")
    assert fresh(integration).settings == {"site": "n"}


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ({"setting_site": ""}, {"setting_site": ["This field is required."]}),
        ({"setting_site": "x"}, {"setting_site": ["Select a valid choice. x is not one of the available choices."]}),
        ({"setting_fee": "12"}, {"setting_fee": ["Write the currency and the amount, as in EUR 12.50."]}),
        ({"setting_fee": "EUR x"}, {"setting_fee": ["Its value must be a decimal number, as a text."]}),
        ({"setting_days": "a\tb"}, {"setting_days": ["Must be a single line."]}),
        ({"setting_days": "x" * 501}, {"setting_days": ["Must be a text of at most 500 characters."]}),
        ({"name": " "}, {"name": ["This field is required."]}),
        ({"based_on": "x"}, {"based_on": ["Enter a whole number."]}),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_nothing_is_saved(staff_client, integration, typed, wrong):
    answer = save(staff_client, integration, **{"setting_remark": "kept"} | typed)
    assert (answer.status_code, errors(answer), Revision.objects.count()) == (422, wrong, 0)
    assert answer.context["form"]["setting_remark"].value() == "kept"


@pytest.mark.parametrize("typed", ["\x00", "a\x00b", "\ud800"])
def test_hostile_input_is_no_error_of_ours(staff_client, integration, typed):
    for name in ("setting_days", "setting_remark", "setting_password", "name", "note"):
        sent = {name: typed.encode("utf-8", "surrogatepass")}
        assert save(staff_client, integration, **sent).status_code < 500


# ---- Secrets


def test_a_secret_is_shown_on_no_page_also_right_after_it_was_typed(staff_client, integration):
    save(staff_client, integration, setting_password="hunter2")
    pages = [
        staff_client.get(address(integration)),
        save(staff_client, integration, setting_password="hunter3", name=""),
    ]
    pages.append(save(staff_client, integration, setting_password="hunter4", based_on="1"))
    assert [page.status_code for page in pages] == [200, 422, 409]
    assert ["hunter" in page.text for page in pages] == [False, False, False]
    assert "It is set, and never shown." in pages[0].text


def test_a_secret_stays_when_its_input_is_left_empty_and_can_be_taken_away(staff_client, integration):
    save(staff_client, integration, setting_password="hunter2")
    save(staff_client, integration, setting_days="3", based_on="2")
    assert fresh(integration).secret_settings.secrets == {"password": "hunter2"}
    save(staff_client, integration, setting_days="3", ended_password="on", based_on="3")
    assert fresh(integration).secret_settings.secrets == {}


# ---- Two people at once


def test_who_comes_second_sees_both_loses_nothing_and_can_save(staff_client, integration):
    change(integration, {"name": "Quay", "settings": {"days": "5", "site": "s"}}, actor=ANNA, note="New house")
    answer = save(staff_client, integration, setting_days="9", setting_remark="Mine", note="Why")
    form = answer.context["form"]
    assert answer.status_code == 409
    assert "anna@foo-3pl.example" in answer.text
    assert "New house" in answer.text
    assert {
        name: form[name].value() for name in ("name", "setting_days", "setting_remark", "setting_site", "note")
    } == {
        "name": "Quay",  # theirs, for it was not touched here
        "setting_days": "9",
        "setting_remark": "Mine",
        "setting_site": "n",  # chosen here, and by them otherwise
        "note": "Why",
    }
    assert form["setting_days"].help_text == "You typed this. Now it is: 5"
    assert form["setting_site"].help_text == "You typed this. Now it is: South"
    assert fresh(integration).settings == {"days": "5", "site": "s"}
    typed = {name: form[name].value() for name in ("name", "setting_days", "setting_remark", "setting_site")}
    again = save(staff_client, integration, **typed, based_on=str(form["based_on"].value()))
    assert (again.status_code, fresh(integration).settings) == (302, {"days": "9", "site": "n", "remark": "Mine"})
    assert fresh(integration).name == "Quay"


# ---- What partners and others wrote is text, never HTML that htmx would obey


EVIL = '<b hx-post="/admin/" hx-trigger="load"></b>'
TOLD = "&lt;b hx-post=&quot;/admin/&quot; hx-trigger=&quot;load&quot;&gt;&lt;/b&gt;"


@pytest.mark.parametrize(
    "field",
    [
        {"key": "days", "title": "Days", "type": "text", "default": EVIL},
        {"key": "days", "title": EVIL, "type": "text"},
        {"key": "rush", "title": EVIL, "type": "boolean"},
        {
            "key": "site",
            "title": "Site",
            "type": "select",
            "default": "n",
            "options": [{"title": EVIL, "value": "n"}],
        },
    ],
    ids=["a default", "a title", "the title of a switch", "the title of an option"],
)
def test_what_a_partner_wrote_in_its_definition_is_shown_as_text(field, staff_client, integration):
    PartnerConnector.objects.update(settings_fields=check_definition([field]))
    page = staff_client.get(address(integration)).text
    assert (EVIL in page, TOLD in page) == (False, True)


def test_what_others_typed_meanwhile_is_shown_as_text(staff_client, integration):
    change(integration, {"name": EVIL, "settings": {"days": EVIL, "site": "s"}}, actor=ANNA, note=EVIL)
    answer = save(staff_client, integration, setting_days="9")
    assert (answer.status_code, EVIL in answer.text) == (409, False)
    assert f"You typed this. Now it is: {TOLD}" in answer.text


# ---- Who may


def test_who_may_only_look_sees_the_history_and_no_settings(integration, settings):
    settings.DEMO = True
    reader = make_user(is_staff=True)
    reader.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client = signed_in(reader)
    assert client.get(address(integration)).status_code == 403
    assert save(client, integration, name="Mine").status_code == 403
    page = client.get(reverse("admin:integrations_integration_change", args=[integration.pk])).text
    assert (address(integration) in page, "History of settings" in page) == (False, True)


def test_a_deleted_one_is_not_changed(staff_client, integration):
    Integration.objects.update(deleted_at=timezone.now())
    assert staff_client.get(address(integration)).status_code == 403


# ---- History


def page_of(revision: Revision, deed: str = "change") -> str:
    return reverse(f"admin:integrations_revision_{deed}", args=[revision.pk])


def words(page: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


def test_the_history_says_in_peoples_words_who_changed_what(staff_client, integration):
    save(
        staff_client,
        integration,
        setting_site="s",
        setting_rush="on",
        setting_password="hunter2",
        stock_sync_enabled="",
    )
    link = reverse("admin:integrations_integration_revisions", args=[integration.pk])
    page = words(staff_client.get(link, follow=True))
    for said in (
        "Site before: – → after: South",
        "Rush before: – → after: Yes",
        "Password before: not set → after: replaced",
        "Stock flows before: Yes → after: No",
        "admin@foo-3pl.example",
    ):
        assert said in page


def test_the_history_is_of_this_integration_alone(staff_client, integration):
    save(staff_client, integration, setting_days="3")
    other = make_integration()
    change(other, {"name": "Elsewhere"}, actor=ANNA)
    link = reverse("admin:integrations_integration_revisions", args=[integration.pk])
    rows = staff_client.get(link, follow=True).context["cl"].queryset
    assert {row.integration_id for row in rows} == {integration.pk}


def test_rolling_back_asks_first_and_says_what_changes(staff_client, staff, integration):
    save(staff_client, integration, setting_days="3")
    save(staff_client, integration, setting_days="4", based_on="2")
    old = Revision.objects.get(number=2)
    page = staff_client.get(page_of(old, "roll_back"))
    assert "Days of delay before: 4 → after: 3" in words(page)
    assert fresh(integration).settings["days"] == "4"
    answer = staff_client.post(page_of(old, "roll_back"), {"based_on": "3"})
    made = Revision.objects.get(number=4)
    assert (answer.headers["Location"], made.origin, made.actor) == (page_of(made), "rollback", staff.email)
    assert fresh(integration).settings["days"] == "3"


def test_rolling_back_after_somebody_else_changed_something_is_refused(staff_client, integration):
    save(staff_client, integration, setting_days="3")
    save(staff_client, integration, setting_days="4", based_on="2")
    answer = staff_client.post(page_of(Revision.objects.get(number=2), "roll_back"), {"based_on": "2"})
    assert (answer.status_code, "Somebody saved version 3 meanwhile." in answer.text) == (422, True)
    assert fresh(integration).settings["days"] == "4"


def test_rolling_back_to_what_no_longer_fits_names_what(staff_client, integration):
    save(staff_client, integration, setting_days="3")
    save(staff_client, integration, setting_days="4", based_on="2")
    PartnerConnector.objects.update(settings_fields=check_definition([FIELDS[4]]))
    answer = staff_client.get(page_of(Revision.objects.get(number=2), "roll_back"), follow=True)
    assert "The connector has changed since. What no longer fits: days: Unknown field." in answer.text


def test_rolling_back_to_what_holds_says_so(staff_client, integration):
    save(staff_client, integration, setting_days="3")
    answer = staff_client.get(page_of(Revision.objects.get(number=2), "roll_back"), follow=True)
    assert "It is exactly so already: nothing to change." in answer.text


def test_what_was_deleted_is_not_rolled_back(staff_client, integration):
    save(staff_client, integration, setting_days="3")
    save(staff_client, integration, setting_days="4", based_on="2")
    Integration.objects.update(deleted_at=timezone.now())
    old = Revision.objects.get(number=2)
    assert staff_client.get(page_of(old)).status_code == 200
    assert staff_client.post(page_of(old, "roll_back"), {"based_on": "3"}).status_code == 403
    assert fresh(integration).settings["days"] == "4"
