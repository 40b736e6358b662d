"""Guards of orders over the API: created once, changed and cancelled only as far as they may be."""

from .guards import Guard

MODELS = "apps/orders/models/orders.py"
API, CANCELLING, REVISING = (f"tests/orders/test_{name}.py" for name in ("orders_api", "cancelling", "revising"))

ORDERS_API_GUARDS = [
    Guard(
        "48",
        MODELS,
        "return rows.filter(shop__in=Shop.objects.for_principal(request))",
        "return rows",
        (f"{API}::test_a_token_sees_only_the_orders_of_its_own_shop",),
    ),
    Guard(
        "71",
        "apps/orders/orders_api.py",
        "if not taken.is_new:",
        "if False:",
        (f"{API}::test_a_second_order_under_the_same_ids_is_refused",),
    ),
    Guard(
        "72",
        "apps/orders/orders_api.py",
        "raise all_wrong((name, FIXED) for name in named)",
        "data = {}",
        (f"{API}::test_an_update_that_touches_anything_else_is_refused",),
    ),
    Guard(
        "72",
        "apps/orders/revising.py",
        "raise Problem(OVER[locked.state])",
        "pass",
        (f"{REVISING}::test_one_that_is_over_is_not_changed",),
    ),
    Guard(
        "77",
        "apps/orders/cancelling.py",
        'raise Problem("picking_in_progress")',
        "pass",
        (f"{CANCELLING}::test_what_is_being_picked_is_not_cancelled",),
    ),
    Guard(
        "77",
        "apps/orders/cancelling.py",
        'raise Problem("order_already_fulfilled")',
        "pass",
        (f"{CANCELLING}::test_what_has_left_is_not_cancelled",),
    ),
    Guard(
        "77",
        "apps/orders/cancelling.py",
        "stocking.release(order.organization, held, by=cause)",
        "pass",
        (f"{CANCELLING}::test_what_people_would_have_picked_is_free_again",),
    ),
    Guard(
        "77",
        "apps/orders/cancelling.py",
        "fulfillment.state != State.READY or fulfillment.fence > 0",
        "fulfillment.state != State.READY",
        (f"{CANCELLING}::test_one_that_is_just_being_sent_is_asked_for_when_that_call_is_over",),
    ),
]
