"""The roles of the 3PL's own people: who is what, who decides it, and that somebody always can."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.urls import reverse

from apps.accounts import powers
from apps.accounts.models import User
from apps.accounts.powers import Power
from apps.audit.models import Entry
from apps.audit.trail import Actor

from ..concurrency import at_once
from ..conftest import save_as_shown, signed_in
from ..factories import make_member, make_user

ANNA = Actor("anna@foo-3pl.example")


def page_of(user: User) -> str:
    return reverse("admin:accounts_user_change", args=[user.pk])


def rights_of(user: User) -> set[str]:
    """As a page asks for them: from the database, whatever this row remembers."""
    return set(User.objects.get(pk=user.pk).get_all_permissions())


@pytest.fixture
def colleague(db) -> User:
    return make_user(email="max@foo-3pl.example")


def test_every_model_of_the_admin_has_a_row_and_no_row_is_of_none():
    registered = {model._meta.label_lower for model in admin.site._registry}
    assert set(powers.OPERATORS) == registered


def test_every_right_of_the_table_exists(db):
    known = set(Permission.objects.values_list("content_type__app_label", "codename"))
    assert [pair for power in powers.GROUPS for pair in powers.permissions_of(power) if pair not in known] == []


def test_a_reader_looks_at_everything_but_second_factors(colleague):
    powers.give(colleague, Power.READER, actor=ANNA)
    seen = rights_of(colleague)
    models = [model._meta for model in admin.site._registry]
    assert seen == {f"{meta.app_label}.view_{meta.model_name}" for meta in models} - {"mfa.view_authenticator"}


def test_an_operator_mends_things_and_decides_nothing_about_people(colleague):
    powers.give(colleague, Power.OPERATOR, actor=ANNA)
    may = rights_of(colleague)
    assert {"orders.change_order", "syncs.change_syncrun", "integrations.add_apikey"} <= may
    people = ["accounts.{}_user", "accounts.{}_membership", "accounts.{}_invitation", "auth.{}_group"]
    people += ["account.{}_emailaddress", "mfa.{}_authenticator"]
    decided = {right.format(verb) for right in people for verb in ("add", "change", "delete")}
    assert may & decided == set()


def test_every_migrate_brings_the_groups_back_to_the_table(db):
    reader = Group.objects.get(name=Power.READER)
    reader.permissions.set(Permission.objects.filter(codename="delete_user"))
    Group.objects.filter(name=Power.OPERATOR).delete()
    call_command("migrate", verbosity=0)
    found = {
        group.name: set(group.permissions.values_list("content_type__app_label", "codename"))
        for group in Group.objects.filter(name__in=powers.GROUPS)
    }
    assert found == {power.value: set(powers.permissions_of(power)) for power in powers.GROUPS}


@pytest.mark.parametrize("power", [Power.READER, Power.OPERATOR, Power.SUPERUSER])
def test_a_superuser_gives_a_role_and_takes_it_away(power, staff_client, colleague):
    for given in (power, Power.NONE):
        save_as_shown(staff_client, page_of(colleague), {"is_active": "on", "power": given.value})
        colleague.refresh_from_db()
        assert powers.power_of(colleague) == given
    given_and_taken = [(entry.before, entry.after) for entry in Entry.objects.filter(action="user.role").order_by("pk")]
    assert given_and_taken == [
        ({"role": "none"}, {"role": power.name.lower()}),
        ({"role": power.name.lower()}, {"role": "none"}),
    ]
    assert {entry.actor for entry in Entry.objects.all()} == {"admin@foo-3pl.example"}


def test_a_new_role_counts_from_the_next_click(staff_client, colleague):
    client = signed_in(colleague)
    assert client.get("/admin/orders/order/").status_code == 302
    powers.give(colleague, Power.READER, actor=ANNA)
    assert client.get("/admin/orders/order/").status_code == 200
    powers.give(colleague, Power.NONE, actor=ANNA)
    assert client.get("/admin/orders/order/").status_code == 302


def test_rights_given_by_hand_stay_until_a_role_is_chosen(staff_client, colleague):
    colleague.is_staff = True
    colleague.save()
    colleague.user_permissions.set(Permission.objects.filter(codename="view_order"))
    page = staff_client.get(page_of(colleague))
    assert page.context["adminform"].form.initial["power"] == Power.BY_HAND
    save_as_shown(staff_client, page_of(colleague), {"is_active": "on", "power": Power.BY_HAND.value})
    assert rights_of(colleague) == {"orders.view_order"}
    save_as_shown(staff_client, page_of(colleague), {"is_active": "on", "power": Power.READER.value})
    assert powers.power_of(User.objects.get(pk=colleague.pk)) == Power.READER


def test_nobody_is_offered_what_only_history_made(staff_client, colleague):
    form = staff_client.get(page_of(colleague)).context["adminform"].form
    assert [value for value, _label in form.fields["power"].choices] == ["", "Read-only", "Operator", "superuser"]


@pytest.mark.parametrize("wrong", ["emperor", "x" * 500, "<script>"])
def test_a_role_that_there_is_not_is_refused(wrong, staff_client, colleague):
    answer = save_as_shown(staff_client, page_of(colleague), {"is_active": "on", "power": wrong})
    assert (answer.status_code, powers.power_of(User.objects.get(pk=colleague.pk))) == (200, Power.NONE)


def errors_of(answer) -> list[str]:
    return [str(text) for text in answer.context["adminform"].form.non_field_errors()]


MEANWHILE = ["Somebody changed this after you opened the page. Nothing is saved: open it anew, and look first."]


def test_a_page_opened_before_a_role_was_taken_does_not_give_it_back(staff_client, colleague):
    powers.give(colleague, Power.OPERATOR, actor=ANNA)
    shown = staff_client.get(page_of(colleague)).context["adminform"].form["as_shown"].value()
    powers.give(colleague, Power.READER, actor=ANNA)
    given = {"first_name": "Max", "is_active": "on", "power": "Operator", "as_shown": shown}
    answer = staff_client.post(page_of(colleague), given)
    assert errors_of(answer) == MEANWHILE
    colleague.refresh_from_db()
    assert (colleague.first_name, powers.power_of(colleague)) == ("", Power.READER)


def test_a_page_opened_before_somebody_was_dismissed_does_not_switch_them_on_again(staff_client, colleague):
    shown = staff_client.get(page_of(colleague)).context["adminform"].form["as_shown"].value()
    User.objects.filter(pk=colleague.pk).update(is_active=False)
    given = {"first_name": "Max", "is_active": "on", "power": "", "as_shown": shown}
    assert errors_of(staff_client.post(page_of(colleague), given)) == MEANWHILE
    assert User.objects.get(pk=colleague.pk).is_active is False


def test_nobody_changes_their_own_role(staff, staff_client):
    make_user(is_staff=True, is_superuser=True)
    answer = save_as_shown(staff_client, page_of(staff), {"is_active": "on", "power": ""})
    assert errors_of(answer) == ["You cannot change your own role. Ask another superuser."]
    staff.refresh_from_db()
    assert staff.is_superuser


def test_the_last_superuser_can_be_neither_switched_off_nor_given_less(staff, staff_client):
    answer = save_as_shown(staff_client, page_of(staff), {"power": "superuser"})
    assert errors_of(answer) == ["There must be one superuser at least. Make somebody else one first."]
    staff.refresh_from_db()
    assert staff.is_active


def test_somebody_with_rights_over_people_but_no_superuser_gives_no_role(colleague, settings):
    settings.DEMO = True
    other = make_user(is_staff=True)
    other.user_permissions.set(Permission.objects.filter(content_type__app_label="accounts"))
    client = signed_in(other)
    save_as_shown(client, page_of(colleague), {"is_active": "on", "first_name": "Max", "power": "superuser"})
    colleague.refresh_from_db()
    assert (colleague.first_name, powers.power_of(colleague)) == ("Max", Power.NONE)


def test_an_operator_makes_no_key_for_a_person(colleague, settings):
    settings.DEMO = True
    powers.give(colleague, Power.OPERATOR, actor=ANNA)
    make_member()
    assert signed_in(colleague).get("/admin/integrations/apikey/add/").status_code == 403


def test_the_two_roles_are_not_changed_or_deleted_by_hand(staff_client):
    for group in Group.objects.filter(name__in=powers.GROUPS):
        for page in ("change", "delete"):
            address = reverse(f"admin:auth_group_{page}", args=[group.pk])
            assert staff_client.post(address, {"name": "x", "post": "yes"}).status_code == 403
    chosen = [str(pk) for pk in Group.objects.values_list("pk", flat=True)]
    given = {"action": "delete_selected", "_selected_action": chosen, "post": "yes"}
    staff_client.post("/admin/auth/group/", given)
    assert Group.objects.filter(name__in=powers.GROUPS).count() == 2


@pytest.mark.django_db(transaction=True)
def test_of_the_last_two_superusers_who_leave_at_once_one_stays():
    two = [make_user(is_staff=True, is_superuser=True) for _ in range(2)]
    waiting = list(two)

    def leave() -> None:
        user = waiting.pop()
        with powers.transaction.atomic():
            powers.check_may_leave(user)
            User.objects.filter(pk=user.pk).update(is_active=False)

    refused = [found for found in at_once(2, leave) if isinstance(found, powers.Refused)]
    assert (len(refused), User.objects.filter(is_active=True).count()) == (1, 1)
