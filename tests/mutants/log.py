"""Guards of the log: nothing is sent that was not counted, nobody sees or sends again what is another's."""

from .guards import Guard

REPLAYING, API = "apps/webhooks/replaying.py", "apps/webhooks/log_api.py"


def _replaying(*names: str) -> tuple[str, ...]:
    return tuple(f"tests/webhooks/test_replaying.py::test_{name}" for name in names)


def _api(*names: str) -> tuple[str, ...]:
    return tuple(f"tests/webhooks/test_log_api.py::test_{name}" for name in names)


LOG_GUARDS = [
    Guard(
        "zones",
        "apps/webhooks/log.py",
        "return found.astimezone(UTC) if found and found.tzinfo else None",
        "return found if found and found.tzinfo else None",
        ("tests/webhooks/test_message_pages.py::test_the_list_goes_on_from_a_moment_of_any_zone",),
    ),
    Guard(
        "sent once more",
        REPLAYING,
        "if expected is not None and sent > expected:",
        "if False:",
        _replaying("more_than_were_counted_are_refused_and_nothing_is_done"),
    ),
    Guard(
        "sent once more",
        REPLAYING,
        "deliveries.exclude(state__in=Delivery.UNDONE).filter(hook__deleted_at=None)",
        "deliveries.filter(hook__deleted_at=None)",
        _replaying("what_has_still_to_arrive_is_left_alone"),
    ),
    Guard(
        "sent once more",
        REPLAYING,
        "deliveries.exclude(state__in=Delivery.UNDONE).filter(hook__deleted_at=None)",
        "deliveries.exclude(state__in=Delivery.UNDONE)",
        _replaying("what_went_to_a_hook_that_was_removed_is_refused"),
    ),
    Guard(
        "sent once more",
        REPLAYING,
        "    endpoints.ring()\n",
        "",
        _replaying("its_endpoint_is_rung_for_and_dispatchers_are_woken"),
    ),
    Guard(
        "seen",
        API,
        "return rows.filter(hook__integration=integration) if integration else rows",
        "return rows",
        _api("a_machine_sends_again_what_went_to_itself_alone"),
    ),
]
