"""The guards of the port and of the page that explains a number."""

from .guards import Guard

PORT, BY_HAND, STAFF = "tests/catalog/test_port.py", "tests/catalog/test_by_hand.py", "apps/operations.py"
VIEWS, DEEDS = "apps/catalog/views.py", "apps/catalog/by_hand.py"
ANOTHERS = (f"{PORT}::test_goods_of_another_customer_are_not_found",)

BY_HAND_GUARDS = [
    Guard(
        "93",
        STAFF,
        "if not (request.user.is_staff and request.user.has_perm(permission)):",
        "if not request.user.is_authenticated:",
        (f"{PORT}::test_the_port_is_for_people_of_the_3pl_who_may_change_stock",),
    ),
    Guard(
        "93",
        STAFF,
        "if not admin.site.has_permission(request):",
        "if False:",
        (f"{PORT}::test_outside_the_demo_the_port_takes_a_second_factor_as_the_admin_does",),
    ),
    Guard("63", VIEWS, "Product.objects.filter(organization=customer)", "Product.objects.all()", ANOTHERS),
    Guard("61", VIEWS, "organization=customer, pk=pk)", "pk=pk)", ANOTHERS),
    Guard("64", VIEWS, "organization=organization, pk=pk)", "pk=pk)", ANOTHERS),
    Guard(
        "64",
        "apps/onboarding/views/goods.py",
        "Product.objects.for_principal(request)",
        "Product.objects",
        ("tests/onboarding/test_bad_input.py::test_the_id_of_another_organization_is_not_found",),
    ),
    Guard(
        "61",
        DEEDS,
        "on_hand=pieces, entry=entry)",
        "on_hand=pieces)",
        (
            f"{PORT}::test_the_same_form_stores_once_however_often_it_is_sent",
            f"{BY_HAND}::test_a_form_sent_many_times_at_once_stores_once",
        ),
    ),
    Guard(
        "93",
        DEEDS,
        "        return NOT_BY_HAND\n    by = By(StockMovement.Cause.OPERATOR, actor.text)\n",
        "        pass\n    by = By(StockMovement.Cause.OPERATOR, actor.text)\n",
        (f"{BY_HAND}::test_nothing_is_done_by_hand_where_somebody_else_looks_after_the_goods",),
    ),
    Guard(
        "AD-04",
        DEEDS,
        "    record(actor, action, on=level",
        "    dict(on=level",
        (f"{BY_HAND}::test_each_deed_stands_in_the_audit_trail_with_what_was_there_before",),
    ),
    Guard(
        "61",
        "apps/catalog/forms.py",
        "Location.objects.manual().active()",
        "Location.objects.all()",
        (f"{PORT}::test_nobody_stores_where_people_do_not_store",),
    ),
]
