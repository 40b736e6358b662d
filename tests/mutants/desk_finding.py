"""Guards of the one box and of saved views: what is shown to whom, and what is never looked for."""

from .guards import Guard

FINDING, SEARCHING, FILTERS = (f"apps/desk/{name}.py" for name in ("finding", "searching", "filters"))
VIEWING, PAGES, MODEL = "apps/desk/viewing.py", "apps/desk/views_admin.py", "apps/desk/models/views.py"
FOUND, SHOWN, KEPT = (f"tests/desk/test_{name}.py" for name in ("finding", "searching", "filters"))
VIEWS = "tests/desk/test_views_admin.py"

DESK_FINDING_GUARDS = [
    Guard(
        "97",
        SEARCHING,
        "if _may_see(request, kind.model) and (group",
        "if (group",
        (f"{SHOWN}::test_only_kinds_that_one_may_look_at_are_found",),
    ),
    Guard(
        "AD-05",
        FINDING,
        "        text = text[:SHOWN]\n",
        "        pass\n",
        (f"{SHOWN}::test_a_whole_key_is_neither_looked_for_nor_shown",),
    ),
    Guard(
        "AD-05",
        FINDING,
        'has_words(without_query("url"))',
        'has_words("url")',
        (f"{FOUND}::test_an_endpoint_is_found_by_its_host_and_not_by_what_its_query_holds",),
    ),
    Guard(
        "96",
        FINDING,
        "key=lambda row: (not self.is_exact(row, text), ",
        "key=lambda row: (",
        (f"{FOUND}::test_what_is_called_just_so_comes_before_what_begins_so_whatever_it_is_shown_as",),
    ),
    Guard(
        "96",
        SEARCHING,
        "sure = [hit for hit in exact if not hit.is_vague] or exact",
        "sure = exact",
        (f"{SHOWN}::test_a_bare_number_is_the_orders_before_it_is_an_events",),
    ),
    Guard(
        "96",
        FILTERS,
        "        return bool(pages.lookup_allowed(name, values[0], request))\n",
        "        return True\n",
        (f"{KEPT}::test_what_the_list_does_not_know_is_left_out_and_named",),
    ),
    Guard(
        "96",
        MODEL,
        "self.filter(Q(user=user) | Q(is_shared=True))",
        "self.filter(Q(user=user) | Q(is_shared=True) | Q(is_shared=False))",
        (f"{VIEWS}::test_ones_own_and_shared_ones_are_above_the_list",),
    ),
    Guard(
        "96",
        PAGES,
        "view is not None and (request.user.is_superuser or view.user_id == request.user.pk)",
        "view is not None",
        (f"{VIEWS}::test_a_colleague_changes_nothing_of_a_shared_one_and_a_superuser_does",),
    ),
    Guard(
        "96",
        VIEWING,
        "== label.lower() and pages.has_view_permission(request):",
        "== label.lower():",
        (f"{VIEWS}::test_a_list_that_one_may_not_look_at_is_not_found",),
    ),
]
