"""Guards of an integration's page: who may do what from it, what is written down, and who only looks on."""

from .guards import Guard

LOOKING, ADMIN, FORMS = "apps/accounts/looking.py", "apps/desk/cockpit_admin.py", "apps/desk/cockpit_forms.py"
STEERING, QUEUEING, PULLING = "apps/desk/steering.py", "apps/syncs/queueing.py", "apps/syncs/pulling_orders.py"


def _looks(*names: str) -> tuple[str, ...]:
    return tuple(f"tests/accounts/test_looking.py::test_{name}" for name in names)


def _page(*names: str) -> tuple[str, ...]:
    return tuple(f"tests/desk/test_cockpit.py::test_{name}" for name in names)


def _pulls(*names: str) -> tuple[str, ...]:
    return tuple(f"tests/syncs/test_pulling_orders.py::test_{name}" for name in names)


WRITTEN = _page("97_each_deed_asks_first_and_is_written_down_under_who_did_it")
ONE = _page("one_store_is_paused_and_resumed_and_the_other_goes_on")
FROM_A_DAY = "a_reading_that_waits_is_begun_at_the_day_and_one_at_work_is_left_alone"

DESK_COCKPIT_GUARDS = [
    Guard(
        "cockpit",
        LOOKING,
        "if request.method not in SAFE:",
        "if False:",
        _looks("nothing_can_be_changed_by_who_looks"),
    ),
    Guard(
        "cockpit",
        LOOKING,
        "SET default_transaction_read_only = on",
        "SET default_transaction_read_only = off",
        _looks("the_database_refuses_a_page_that_would_write"),
    ),
    Guard(
        "cockpit",
        LOOKING,
        'found["until"] > timezone.now().timestamp() and is_staff',
        "is_staff",
        _looks("it_ends_when_the_time_is_over"),
    ),
    Guard("cockpit", LOOKING, " and request.user.has_perm(PERMISSION)", "", _looks("it_ends_with_the_permission")),
    Guard(
        "cockpit",
        LOOKING,
        "is_staff = request.user.is_authenticated and request.user.is_staff",
        "is_staff = request.user.is_authenticated",
        _looks("somebody_who_is_staff_no_longer_sees_nothing"),
    ),
    Guard(
        "97",
        LOOKING,
        '    record(actor_of(request), "organization.look", on=organization, after={"until": until.isoformat()}, '
        "reason=reason)\n",
        "",
        _looks("beginning_and_end_are_written_down"),
    ),
    Guard(
        "97",
        STEERING,
        '    record(actor, "integration.sync", on=integration, after=after)\n',
        "",
        WRITTEN,
    ),
    Guard(
        "97",
        STEERING,
        '    record(actor, f"{room}.{word}", on=row, after={"stores": changed}, reason=reason)\n',
        "    pass\n",
        WRITTEN,
    ),
    Guard(
        "97",
        STEERING,
        "refused=True, reason=why",
        "reason=why",
        _page("an_id_that_is_not_replaced_says_why_and_is_written_down_as_refused"),
    ),
    Guard("cockpit", STEERING, "stores.filter(pk=store.pk) if store else stores", "stores", ONE),
    Guard(
        "cockpit",
        FORMS,
        "Connection.objects.filter(integration=integration, state__in=self.states)",
        "Connection.objects.filter(state__in=self.states)",
        _page("a_store_of_somebody_else_is_not_paused"),
    ),
    Guard(
        "cockpit",
        ADMIN,
        " if admin.site.get_model_admin(tab.model).has_view_permission(request)",
        "",
        _page("whoever_may_not_see_keys_sees_no_tab_of_them"),
    ),
    Guard(
        "cockpit",
        PULLING,
        "page.resume_from and not found.since and not",
        "page.resume_from and not",
        _pulls("orders_are_read_from_a_day_on_and_the_regular_readings_stay_as_they_are"),
    ),
    Guard("cockpit", QUEUEING, "< len(runs):", "< 0:", _pulls(FROM_A_DAY)),
]
