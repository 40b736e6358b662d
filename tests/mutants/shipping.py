"""The guards of shipping methods and of Otter's orders."""

from .guards import Guard

SHIPPING, PULLING = "apps/orders/shipping.py", "apps/syncs/pulling_services.py"


def _shipping(name: str) -> tuple[str, ...]:
    return (f"tests/orders/test_shipping.py::test_{name}",)


SHIPPING_GUARDS = [
    Guard(
        "80",
        SHIPPING,
        "code = methods.pairs.get(name) or",
        "code = methods.pairs.get(name.strip()) or",
        _shipping("names_match_exactly_or_not_at_all"),
    ),
    Guard(
        "80",
        SHIPPING,
        "if times[name] == 1}",
        "}",
        _shipping("a_name_of_two_services_or_of_one_that_is_gone_means_nothing_by_itself"),
    ),
    Guard(
        "80",
        SHIPPING,
        "    check(integration, wanted)\n",
        "",
        _shipping("a_service_that_the_warehouse_does_not_list_is_refused_and_nothing_is_saved"),
    ),
    Guard(
        "80",
        SHIPPING,
        "look_again(integration.organization_id, names=changed)",
        "pass",
        _shipping("orders_that_wait_for_a_changed_name_are_looked_at_again"),
    ),
    Guard(
        "WI-05",
        "apps/orders/following.py",
        "if _is_older(told, order):",
        "if False:",
        ("tests/syncs/test_orders_by_webhook.py::test_a_change_that_overtakes_the_order_stands",),
    ),
    Guard(
        "shipping-lock",
        SHIPPING,
        "    lock(integration)\n    had = methods_of(",
        "    had = methods_of(",
        _shipping("of_several_that_save_at_once_each_is_whole"),
    ),
    Guard(
        "80",
        PULLING,
        ".update(removed_at=Now())",
        ".delete()",
        (
            "tests/syncs/test_pulling_services.py"
            "::test_what_it_no_longer_lists_is_marked_and_kept_and_comes_back_as_it_was",
        ),
    ),
    Guard(
        "who comes second",
        SHIPPING,
        "if based_on is not None and based_on != (last.pk if last else 0):",
        "if False:",
        (
            "tests/orders/test_shipping_admin.py"
            "::test_a_way_back_that_was_shown_before_somebody_saved_is_not_gone_nor_twice",
        ),
    ),
    Guard(
        "who comes second",
        "apps/catalog/mapping_admin.py",
        "roll_back(integration, number, **given, **who)",
        "roll_back(integration, number, based_on=newest.number, **who)",
        ("tests/catalog/test_worklist_admin.py::test_a_way_back_that_was_shown_before_somebody_saved_is_not_gone",),
    ),
    Guard(
        "shipping-lock",
        "apps/orders/shipping_admin.py",
        "        shipping.lock(integration)\n",
        "",
        ("tests/orders/test_shipping_admin.py::test_of_two_who_change_pairs_at_once_neither_loses_what_the_other_did",),
    ),
    Guard(
        "asked first",
        "apps/orders/fulfillment_admin.py",
        "return ask(self, request, do=do, back=address_of(row), **words)",
        "return do({})",
        ("tests/test_operations.py::test_no_button_does_anything_before_it_was_asked",),
    ),
]
