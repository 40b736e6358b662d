"""Guards of work over many rows: whose it is, which rows, each once; and of what a file may hold."""

from .guards import Guard

SELECTING, WORKING, EXPORTING = (f"apps/desk/{name}.py" for name in ("selecting", "working", "exporting"))
LISTED = "apps/listed.py"
STARTING, PAGES, JOBS = "apps/desk/starting.py", "apps/desk/jobs_admin.py", "apps/desk/models/jobs.py"


def _of(module: str, *names: str) -> tuple[str, ...]:
    return tuple(f"tests/desk/test_{module}.py::test_{name}" for name in names)


DESK_JOB_GUARDS = [
    Guard(
        "AD-02",
        SELECTING,
        "    if not pages.has_view_permission(request):\n        raise PermissionDenied(label)\n",
        "",
        _of("selecting", "whoever_may_not_see_a_list_gets_none_of_it"),
    ),
    Guard(
        "AD-02",
        "apps/desk/bulk.py",
        "if deed.model is model and user.has_perm(deed.permission)]",
        "if deed.model is model]",
        _of("bulk", "a_permission_is_asked_for_each_deed"),
    ),
    Guard(
        "AD-02",
        WORKING,
        "if not (user.is_active and user.is_staff):",
        "if not user.pk:",
        _of("working", "somebody_who_left_does_no_more"),
    ),
    Guard(
        "AD-02",
        PAGES,
        "bool(is_theirs and pages and pages.has_view_permission(request))",
        "bool(is_theirs and pages)",
        _of("jobs_admin", "who_may_see_the_list_no_more_gets_no_file_of_it"),
    ),
    Guard(
        "AD-02",
        PAGES,
        "bool(is_theirs and pages and pages.has_view_permission(request))",
        "bool(pages and pages.has_view_permission(request))",
        _of("jobs_admin", "a_file_is_its_askers_and_a_superusers"),
    ),
    Guard(
        "AD-02",
        JOBS,
        'return self if user.has_perm("desk.view_job") else self.filter(asked_by=user)',
        "return self.all()",
        _of("jobs_admin", "people_see_their_own_and_those_who_may_see_all"),
    ),
    Guard(
        "rows",
        SELECTING,
        "        raise _unreadable()\n\n\n@dataclass",
        "        pass\n\n\n@dataclass",
        _of("selecting", "a_filter_that_cannot_be_read_is_never_no_filter"),
    ),
    Guard(
        "rows",
        SELECTING,
        "    except UNREADABLE:\n        raise _unreadable() from None\n",
        "",
        _of("selecting", "a_filter_that_only_the_database_cannot_read_is_refused_when_they_are_counted"),
    ),
    Guard(
        "pages",
        LISTED,
        "            raise IncorrectLookupParameters(error) from error",
        "            raise",
        ("tests/test_listed.py::test_a_filter_that_cannot_be_read_leads_to_the_list_without_it_and_says_so",),
    ),
    Guard(
        "counted",
        LISTED,
        "    show_facets = ShowFacets.NEVER",
        "    show_facets = ShowFacets.ALLOW",
        ("tests/test_listed.py::test_no_list_counts_all_its_rows_for_its_filters",),
    ),
    Guard(
        "asked",
        LISTED,
        "REFUSED = SLOW | UNASKABLE",
        "REFUSED = SLOW",
        ("tests/test_listed.py::test_what_no_filter_can_ask_for_is_refused",),
    ),
    Guard(
        "rows",
        LISTED,
        'if request.POST.get("select_across", "") in NOT_ACROSS:',
        "if True:",
        ("tests/test_listed.py::test_no_deed_is_done_to_all_rows_of_a_filter_at_once",),
    ),
    Guard(
        "rows",
        "apps/accounts/asking.py",
        'request.POST if "post" in request.POST else None, initial',
        "request.POST, initial",
        ("tests/accounts/test_closing.py::test_closing_asks_first_and_names_whom_it_is_about",),
    ),
    Guard(
        "rows",
        SELECTING,
        "rows = self.rows.filter(pk__lte=upto)",
        "rows = self.rows",
        _of("selecting", "what_comes_later_stays_out_where_ids_grow"),
    ),
    Guard(
        "rows",
        SELECTING,
        'self.rows.filter(**{f"{born}__lte": asked_at}) if born else self.rows',
        "self.rows",
        _of("selecting", "what_comes_later_stays_out_where_ids_are_random"),
    ),
    Guard(
        "rows",
        PAGES,
        'if seen < self.number or given.get("ticket") != self.initial["ticket"]:',
        'if given.get("ticket") != self.initial["ticket"]:',
        _of("jobs_admin", "when_they_are_more_than_was_shown_it_is_asked_again"),
    ),
    Guard(
        "rows",
        PAGES,
        'if seen < self.number or given.get("ticket") != self.initial["ticket"]:',
        "if seen < self.number:",
        _of("jobs_admin", "a_page_that_was_made_for_something_else_asks_again"),
    ),
    Guard(
        "rows",
        "apps/desk/problem_filter.py",
        "queryset.filter(pk__in=problems.ids(address)) if address else queryset",
        "queryset",
        _of("problems_admin", "the_list_of_a_problem_shows_just_the_rows_that_it_counts"),
    ),
    Guard(
        "orders at risk",
        "apps/desk/risk_filter.py",
        "queryset.filter(pk__in=reckoning.at_risk(concern)) if concern else queryset",
        "queryset",
        _of("home", "each_number_of_orders_at_risk_opens_the_list_of_exactly_these"),
    ),
    Guard(
        "orders at risk",
        "apps/desk/risk_filter.py",
        " or not request.user.has_perm(concern.permission)",
        "",
        _of("home", "orders_at_risk_are_no_way_around_what_somebody_may_look_at"),
    ),
    Guard(
        "rows",
        "apps/webhooks/replaying.py",
        "    for organization, count in counts.items():\n",
        "    for organization, count in [*counts.items()][:1]:\n",
        (
            "tests/webhooks/test_replaying.py::test_what_is_done_to_messages_of_many_organizations_stands_in_the_trail_of_each",
        ),
    ),
    Guard(
        "once",
        STARTING,
        "    if made := Job.objects.filter(pk=ticket.job).first():\n        return made\n",
        "",
        _of("working", "a_ticket_is_good_for_one_job"),
    ),
    Guard(
        "rows",
        PAGES,
        "if self.number > UNTYPED and typed != str(seen):",
        "if self.number > UNTYPED and not typed:",
        _of("jobs_admin", "above_a_hundred_the_number_has_to_be_typed"),
    ),
    Guard(
        "once",
        WORKING,
        "    if not kept:\n        raise LostLease\n",
        "",
        _of("working", "whoever_lost_the_job_keeps_nothing"),
    ),
    Guard(
        "once",
        JOBS,
        "free = Q(lease_until=None) | Q(lease_until__lt=Now())",
        "free = Q()",
        _of("working", "a_job_that_somebody_is_at_is_left_to_them"),
    ),
    Guard(
        "once",
        WORKING,
        "        with transaction.atomic():\n            _keep(job, _next(job))",
        "        _keep(job, _next(job))",
        _of("working", "whoever_lost_the_job_keeps_nothing"),
    ),
    Guard(
        "ends",
        WORKING,
        "if job.tries > MOST_TRIES:",
        "if job.tries > 99:",
        _of("working", "a_job_that_kills_its_workers_ends"),
    ),
    Guard(
        "ends",
        WORKING,
        "        if job.cancel_requested:\n            raise Over(Job.State.CANCELLED)\n",
        "",
        _of("working", "one_at_work_stops_before_its_next_batch"),
    ),
    Guard(
        "IN-07",
        EXPORTING,
        'return harmless(_plain(value).replace("\\x00", ""))',
        'return _plain(value).replace("\\x00", "")',
        _of("exporting", "in_07_a_cell_says_what_there_is_and_calculates_nothing"),
    ),
    Guard(
        "IN-07",
        "apps/onboarding/views/stores.py",
        "harmless(_cell(cell))",
        "_cell(cell)",
        ("tests/onboarding/views/stores/test_products.py::test_in_07_no_cell_of_the_file_is_run_by_a_spreadsheet",),
    ),
    Guard(
        "IN-07",
        "apps/onboarding/spreadsheets.py",
        '([\\s\\"]*)',
        "(\\s*)",
        ("tests/onboarding/test_spreadsheets.py::test_in_07_no_cell_is_a_formula_wherever_it_is_opened",),
    ),
]
