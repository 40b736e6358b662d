"""Guards of the first page of the 3PL's own people: who sees what, what comes first, and when it is sent."""

from .guards import Guard

HOME, RECKONING, CHARTS = (f"apps/desk/{name}.py" for name in ("home", "reckoning", "charts"))


def _home(name: str) -> tuple[str, ...]:
    return (f"tests/desk/test_home.py::test_{name}",)


DESK_HOME_GUARDS = [
    Guard(
        "home-permission",
        HOME,
        "[one for one in reckoning.concerns() if user.has_perm(one.permission)]",
        "reckoning.concerns()",
        _home("people_see_what_they_may_look_at_and_nothing_else"),
    ),
    Guard(
        "home-permission",
        HOME,
        "for one in charts.SUBJECTS if user.has_perm(one.permission)]",
        "for one in charts.SUBJECTS]",
        _home("people_see_what_they_may_look_at_and_nothing_else"),
    ),
    Guard(
        "home-order",
        RECKONING,
        "key=lambda one: (-one.orders.number, one.since)",
        "key=lambda one: one.since",
        _home("what_holds_up_most_orders_comes_first_then_what_is_oldest"),
    ),
    Guard(
        "home-count",
        RECKONING,
        "is_more=read > MOST",
        "is_more=False",
        _home("nothing_is_counted_further_than_anybody_reads"),
    ),
    Guard(
        "home-count",
        RECKONING,
        "count(DISTINCT one.id), count(*)",
        "count(one.id), count(*)",
        _home("an_order_that_lacks_two_things_of_a_kind_is_counted_and_named_once"),
    ),
    Guard(
        "home-silent",
        HOME,
        'if request.GET.get("seen") == context["digest"]:',
        "if False:",
        _home("while_nothing_is_new_nothing_is_sent"),
    ),
    Guard(
        "home-silent",
        RECKONING,
        "if timezone.now() - since >= timedelta(minutes=1) else",
        "if True else",
        _home("seconds_are_no_news"),
    ),
    Guard(
        "home-standing",
        "apps/integrations/standing.py",
        "        When(is_over, then=Value(Standing.ERROR)),\n",
        "",
        _home("integrations_are_counted_by_the_word_that_their_pages_have"),
    ),
    Guard(
        "home-chart",
        CHARTS,
        "finished_at__gte=begins[0], finished_at__lt=begins[-1]",
        "finished_at__lt=begins[-1]",
        ("tests/desk/test_charts.py::test_what_ended_is_counted_by_hours_and_by_how_it_ended",),
    ),
    Guard(
        "home-failed",
        "apps/syncs/attention.py",
        "~Exists(later), Exists(live)",
        "Exists(live)",
        ("tests/syncs/test_attention.py::test_a_failed_run_needs_somebody_until_a_later_one_gets_through",),
    ),
    Guard(
        "home-failed",
        "apps/syncs/attention.py",
        "~Exists(later), Exists(live)",
        "~Exists(later)",
        ("tests/syncs/test_attention.py::test_a_failed_run_of_a_store_that_is_not_connected_needs_nobody",),
    ),
]
