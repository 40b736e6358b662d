"""Guards of the history of settings: no change without a version, no secret in one, nobody run over."""

from .guards import Guard

REVISING, RESTORING = "apps/integrations/revising.py", "apps/integrations/restoring.py"
FORMS = "apps/integrations/settings_forms.py"
TESTS, PAGES = "tests/integrations/test_revising.py", "tests/integrations/test_settings_deeds.py"
SHIPPING = "apps/orders/shipping.py"

REVISION_GUARDS = [
    Guard(
        "history",
        REVISING,
        '"set" if key in before else "not set"',
        "before.get(key)",
        (f"{TESTS}::test_of_a_secret_it_says_only_that_it_changed",),
    ),
    Guard(
        "history",
        REVISING,
        "            _check_base(last, based_on)\n",
        "",
        (
            f"{TESTS}::test_a_change_made_from_an_older_version_is_refused",
            f"{PAGES}::test_who_comes_second_sees_both_loses_nothing_and_can_save",
        ),
    ),
    Guard(
        "history",
        REVISING,
        "            if origin != Revision.Origin.MADE:\n",
        "            if False:\n",
        (f"{TESTS}::test_what_changed_unseen_is_a_version_of_its_own",),
    ),
    Guard(
        "history",
        REVISING,
        "        _at_work.reset(mark)\n",
        "        pass\n",
        (f"{TESTS}::test_after_a_failure_the_next_change_is_kept",),
    ),
    Guard(
        "history",
        RESTORING,
        "for key in {**has, **had} if",
        "for key in had if",
        (f"{TESTS}::test_going_back_is_a_new_version_and_leaves_secrets_and_rights",),
    ),
    Guard(
        "history",
        FORMS,
        '"secret": UnfoldAdminPasswordWidget}',
        '"secret": UnfoldAdminTextInputWidget}',
        (f"{PAGES}::test_a_secret_is_shown_on_no_page_also_right_after_it_was_typed",),
    ),
    Guard(
        "history",
        SHIPPING,
        "    if last is None or last.after != _shown(methods_of(integration)):\n",
        "    if last is None:\n",
        ("tests/orders/test_shipping_admin.py::test_what_changed_unseen_since_is_not_overwritten",),
    ),
]
