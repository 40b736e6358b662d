"""Guards of what owners see of their orders, and change."""

from .guards import Guard

HISTORY, VIEWS, WAITING = "apps/orders/history.py", "apps/orders/views.py", "apps/orders/waiting.py"


def _told(name: str) -> tuple[str, ...]:
    return (f"tests/orders/test_history.py::test_{name}",)


SEEING_GUARDS = [
    Guard(
        "seeing",
        HISTORY,
        "moments = [moment for moment in moments if not moment.is_internal]",
        "moments = list(moments)",
        _told("the_3pl_sees_messages_deeds_and_calls_with_links_and_the_owner_none_of_them"),
    ),
    Guard(
        "seeing",
        HISTORY,
        "found[0] if found[0] in team else",
        "found[0] if True else",
        _told("the_owner_reads_addresses_of_their_own_team_only"),
    ),
    Guard(
        "seeing",
        HISTORY,
        '.lower().startswith(("https://", "http://"))',
        "",
        _told("only_a_web_address_of_a_warehouse_becomes_a_link"),
    ),
    Guard(
        "seeing",
        VIEWS,
        'if locked.version != form.cleaned_data["version"]:',
        "if locked.version is None:",
        ("tests/orders/test_views.py::test_what_somebody_else_changed_since_is_not_overwritten_until_it_was_seen",),
    ),
    Guard(
        "seeing",
        WAITING,
        "return current().filter(organization=organization)",
        "return current()",
        ("tests/orders/test_waiting.py::test_what_most_orders_wait_for_comes_first_and_what_nobody_can_mend_last",),
    ),
]
