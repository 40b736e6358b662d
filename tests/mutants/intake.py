"""The guards of new orders: the quick lane, and what makes an order come once."""

from .guards import Guard

QUICK, INTAKE = "apps/orders/quick.py", "apps/orders/intake.py"


def _quick(*names: str) -> tuple[str, ...]:
    return tuple(f"tests/orders/test_quick.py::test_{name}" for name in names)


ENDED = _quick("a_permission_that_ended_ends_at_once")

INTAKE_GUARDS = [
    Guard("14", QUICK, "AND token.expires > now()", "", ENDED),
    Guard("46", QUICK, "AND shop.is_active", "", ENDED),
    Guard("26", QUICK, "AND integration.state <> 'disabled'", "", ENDED),
    Guard("AS-17", QUICK, "AND partner.deactivated_at IS NULL", "", ENDED),
    Guard("AS-17", QUICK, "consent.revoked_at IS NULL AND", "", ENDED),
    Guard("24", QUICK, "AND integration.grants ? 'orders:write'", "", ENDED),
    Guard("24", QUICK, "LIKE '%% orders:write %%'", "LIKE '%%orders:write%%'", ENDED),
    Guard("closed", QUICK, "AND organization.is_active", "", ENDED),
    Guard(
        "quick",
        QUICK,
        "AND integration.order_hold_seconds = %(hold)s",
        "",
        _quick("a_changed_hold_holds_from_the_next_order_on"),
    ),
    Guard(
        "98",
        QUICK,
        "SELECT level FROM bucket1 WHERE NOT is_over",
        "SELECT level FROM bucket0",
        _quick("a_call_too_many_is_refused_and_stores_nothing"),
    ),
    Guard(
        "idempotency",
        QUICK,
        "{'answered' if answered else 'allowed'}",
        "allowed",
        _quick("a_key_gets_its_first_answer_again_and_none_for_another_order"),
    ),
    Guard(
        "71",
        INTAKE,
        "there[key_of(order)], pk in made) for",
        "there[key_of(order)], True) for",
        ("tests/orders/test_intake.py::test_the_same_order_is_taken_once_however_often_it_comes",),
    ),
]
