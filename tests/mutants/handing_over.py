"""Guards of handing orders over: each is sent once, waits for itself alone, and nothing that changed is forgotten."""

from .guards import Guard

HANDING, RECORDING = "apps/syncs/handing_over.py", "apps/syncs/recording.py"
DESCRIBING, NEWS = "apps/syncs/describing.py", "apps/syncs/parking.py"
RECONCILING, PACKING = "apps/syncs/reconciling.py", "apps/orders/packing.py"


def _handing(*names: str) -> tuple[str, ...]:
    return tuple(f"tests/syncs/test_handing_over.py::test_{name}" for name in names)


HANDING_OVER_GUARDS = [
    Guard(
        "sent once",
        DESCRIBING,
        "may_be_there=claimed.fence > 1,",
        "may_be_there=False,",
        _handing("an_order_whose_answer_was_lost_is_looked_up_and_not_sent_again"),
    ),
    Guard(
        "sent once",
        RECORDING,
        "if own.fence != ours.fence:",
        "if False:",
        _handing("a_cancel_that_comes_while_an_order_is_being_sent_follows_it"),
    ),
    Guard(
        "sent once",
        HANDING,
        "if refused.code == TAKEN else None",
        "if False else None",
        _handing("an_order_that_the_warehouse_has_already_is_found"),
    ),
    Guard(
        "sent once",
        RECORDING,
        "elif is_news or own.owes:",
        "else:",
        _handing("a_silence_after_news_of_it_owes_nothing"),
    ),
    Guard(
        "waits alone",
        HANDING,
        "if not answered or _is_of_account(failure)]",
        "]",
        _handing("one_bad_order_among_many_waits_alone"),
    ),
    Guard(
        "waits alone",
        HANDING,
        "OrderFeed.objects.of_account(feed.integration).wait(seconds=seconds)",
        "pass",
        _handing("a_429_slows_down_everybody_at_that_account_and_nobody_else"),
    ),
    Guard(
        "held",
        "apps/syncs/models.py",
        "Exists(live), organization__is_active=True",
        "organization__is_active=True",
        _handing("orders_wait_untouched_until_their_warehouse_may_be_called"),
    ),
    Guard(
        "changed meanwhile",
        RECORDING,
        "is_old = words_of(own.order) != told or (",
        "is_old = (",
        _handing("what_is_changed_while_an_order_is_being_sent_is_owed"),
    ),
    Guard(
        "changed meanwhile",
        RECORDING,
        "or (answer.was_there and edits.exists())",
        "",
        _handing("what_was_changed_between_two_tries_is_owed"),
    ),
    Guard(
        "news once",
        NEWS,
        "if parked.filter(received_at__gt=timezone.now() - OPENED_AGAIN).replay():",
        "if parked.replay():",
        ("tests/syncs/test_taking_news.py::test_only_the_news_of_the_last_minutes_are_opened_again",),
    ),
    Guard(
        "news once",
        RECONCILING,
        "if problem.code != UNKNOWN else []",
        "",
        ("tests/syncs/test_reconciling.py::test_orders_that_are_none_of_ours_are_left_out",),
    ),
    Guard(
        "76",
        PACKING,
        "return own.created_at if _counts(own) else parcel.shipped_at",
        "return parcel.shipped_at",
        (
            "tests/syncs/test_taking_news.py::test_behaviour_76_what_the_warehouse_counted_after_the_pick_is_not_taken_off_again",
        ),
    ),
]
