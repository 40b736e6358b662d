"""Guards of problems: told apart by cause and owner, set aside only until something new happens, and mended only by who
may, only what fails for that reason."""

from .guards import Guard

CAUSES, PROBLEMS, FIXING, PAGES = (
    f"apps/desk/{name}.py" for name in ("causes", "problems", "fixing", "problems_admin")
)
OF_MESSAGES = "apps/desk/kinds/of_messages.py"
FOUND, FIXED, SHOWN = (f"tests/desk/test_{name}.py" for name in ("problems", "fixing", "problems_admin"))

DESK_PROBLEM_GUARDS = [
    Guard(
        "a problem is its cause's",
        CAUSES,
        "self._told_apart().filter(**dict(_is(name, value) for name, value in refs.items()))",
        "self._told_apart()",
        (f"{FIXED}::test_what_a_warehouse_refused_is_routed_again_all_of_it_and_nothing_else",),
    ),
    Guard(
        "a filter by organization",
        CAUSES,
        "rows = rows.filter(by_organization=narrow.organization)",
        "pass",
        (f"{FOUND}::test_each_kind_is_narrowed_to_its_organization",),
    ),
    Guard(
        "an address of nothing",
        CAUSES,
        "except (ValidationError, ValueError, TypeError) as error:",
        "except KeyError as error:",
        (f"{FOUND}::test_an_address_with_what_can_be_nobodys_id_is_unknown",),
    ),
    Guard(
        "bounded",
        PROBLEMS,
        "causes += found[:MOST]",
        "causes += found",
        (f"{FOUND}::test_no_more_than_two_hundred_of_a_kind_are_looked_at",),
    ),
    Guard(
        "set aside until something new happens",
        PROBLEMS,
        "cause.last <= then.seen_at",
        "True",
        (f"{FOUND}::test_one_that_was_set_aside_stays_away_until_something_new_happens",),
    ),
    Guard(
        "set aside until there is more",
        PROBLEMS,
        "cause.count <= then.count",
        "True",
        (f"{FOUND}::test_a_sync_that_goes_on_failing_as_it_did_stays_away_until_another_store_does",),
    ),
    Guard(
        "set aside until it comes back",
        PROBLEMS,
        "return kind.repeats and kind.cause(refs) is None",
        "return False",
        (f"{FOUND}::test_a_sync_that_worked_again_and_fails_once_more_is_new",),
    ),
    Guard(
        "set aside until it comes back",
        PROBLEMS,
        "return kind.repeats and kind.cause(refs) is None",
        "return kind.repeats",
        (f"{FOUND}::test_a_sync_that_worked_again_and_fails_once_more_is_new",),
    ),
    Guard(
        "set aside with a reason",
        PROBLEMS,
        "if not 0 < len(reason) <= LONGEST_REASON:",
        "if False:",
        (f"{FOUND}::test_nothing_is_set_aside_without_a_reason",),
    ),
    Guard(
        "audited",
        PROBLEMS,
        'record(_acting(actor, problem), "problem.dismiss"',
        'record(actor, "problem.dismiss"',
        (f"{FOUND}::test_setting_aside_and_bringing_back_are_in_the_audit_trail",),
    ),
    Guard(
        "not what was paused on purpose",
        OF_MESSAGES,
        "Endpoint.objects.kept().filter(stopped)",
        "Endpoint.objects.kept().exclude(state=Endpoint.State.ACTIVE, failing_since=None)",
        (f"{FOUND}::test_an_address_that_somebody_paused_is_no_problem_and_one_that_was_stopped_says_what_it_keeps",),
    ),
    Guard(
        "not what nobody wants",
        "apps/webhooks/models/deliveries.py",
        "state=Delivery.State.FAILED, hook__deleted_at=None)",
        "state=Delivery.State.FAILED)",
        (f"{FOUND}::test_messages_to_a_hook_that_was_removed_are_nobodys",),
    ),
    Guard(
        "looking",
        PAGES,
        "if not request.user.has_perm(needed):",
        "if False:",
        (f"{SHOWN}::test_people_see_the_kinds_that_they_may_look_at",),
    ),
    Guard(
        "mending",
        PAGES,
        "if not _may(request, fix):",
        "if False:",
        (f"{SHOWN}::test_mending_takes_the_permission_of_what_it_changes",),
    ),
    Guard(
        "setting aside",
        PAGES,
        'if not request.user.has_perm("desk.add_dismissal"):',
        "if False:",
        (f"{SHOWN}::test_mending_takes_the_permission_of_what_it_changes",),
    ),
    Guard(
        "bringing back",
        PAGES,
        'if not request.user.has_perm("desk.delete_dismissal"):',
        "if False:",
        (f"{SHOWN}::test_mending_takes_the_permission_of_what_it_changes",),
    ),
    Guard(
        "not what is being cancelled",
        FIXING,
        "filter(pk__in=held, cancel_requested_at=None)",
        "filter(pk__in=held)",
        (f"{FIXED}::test_an_order_that_is_being_cancelled_is_not_routed_again",),
    ),
    Guard(
        "no pair is lost",
        FIXING,
        "[*{**holds.pairs, method:",
        "[*{method:",
        (f"{FIXED}::test_pairs_that_hold_already_stay",),
    ),
    Guard(
        "to managers alone",
        FIXING,
        "role__in=MANAGERS, user__is_active=True",
        "user__is_active=True",
        (f"{FIXED}::test_the_link_to_log_in_is_mailed_to_whoever_manages_the_organization",),
    ),
]
