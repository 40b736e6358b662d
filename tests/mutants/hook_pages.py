"""Guards of the owner's pages of hooks and messages."""

from .guards import Guard

HOOKS, FILTERS, MESSAGES, SHOWING, FORMS = (
    f"apps/webhooks/{name}.py" for name in ("hook_views", "filter_views", "message_views", "showing", "forms")
)


def _on(pages: str, name: str) -> tuple[str, ...]:
    return (f"tests/webhooks/test_{pages}_pages.py::test_{name}",)


HOOK_PAGE_GUARDS = [
    Guard(
        "hook pages",
        HOOKS,
        "    if endpoint.integration_id is not None:\n        raise Http404\n",
        "",
        _on("hook", "what_an_application_made_can_be_paused_and_nothing_else"),
    ),
    Guard(
        "hook pages",
        FILTERS,
        "kept().filter(integration=None, endpoint__deleted_at=None)",
        "kept()",
        _on("hook", "a_removed_ones_filter_is_gone_and_so_is_an_applications"),
    ),
    Guard(
        "hook pages",
        FILTERS,
        "if len(counts) != 1 or 0 in counts:",
        "if False:",
        _on("hook", "a_filter_that_makes_no_sense_is_refused_with_a_word"),
    ),
    Guard(
        "hook pages",
        FORMS,
        "if not published.is_pios}",
        "}",
        _on("hook", "what_cannot_be_is_refused_beside_its_field"),
    ),
    Guard(
        "hook filters",
        "apps/webhooks/filtering.py",
        "if not known and not _is_plain(schema):",
        "if not known:",
        ("tests/webhooks/test_filtering.py::test_below_a_text_there_is_nothing_and_what_stands_beside_it_is_named",),
    ),
    Guard(
        "hook filters",
        FILTERS,
        "return number if math.isfinite(number) else text",
        "return text",
        _on("hook", "a_number_is_meant_as_one_and_stays_one_when_it_is_saved_again"),
    ),
    Guard(
        "WO-19",
        SHOWING,
        "ELIDED if _is_secret(name) else str(value)",
        "str(value)",
        _on("message", "a_message_shows_what_is_sent_without_its_secrets"),
    ),
    Guard(
        "WO-19",
        SHOWING,
        "own = [(name, ELIDED) for name in facts.headers]",
        "own = list(facts.headers.items())",
        _on("message", "a_message_shows_what_is_sent_without_its_secrets"),
    ),
    Guard(
        "WO-19",
        "apps/webhooks/envelopes.py",
        "return SIGNATURE.sub(ELIDED, text)",
        "return text",
        ("tests/webhooks/test_dispatching.py::test_what_a_receiver_says_back_of_our_secrets_is_not_kept",),
    ),
    Guard(
        "WO-19",
        "apps/webhooks/admin.py",
        "shown(dict(showing.without_secrets(receipt.headers)))",
        "shown(receipt.headers)",
        ("tests/webhooks/test_admin.py::test_signatures_and_tokens_of_what_came_are_named_and_not_shown",),
    ),
    Guard(
        "WO-19",
        "apps/webhooks/log_admin.py",
        "showing.without_secrets(one.headers)",
        "one.headers.items()",
        ("tests/webhooks/test_log_admin.py::test_a_delivery_shows_each_try_with_what_was_sent_and_what_came_back",),
    ),
    Guard(
        "WO-19",
        "apps/webhooks/log_bodies.py",
        "dict(showing.without_secrets(attempt.headers))",
        "attempt.headers",
        ("tests/webhooks/test_log_api.py::test_a_delivery_shows_each_try_and_no_secret",),
    ),
    Guard(
        "AD-05",
        "apps/webhooks/hooks_admin.py",
        'queryset.alias(address=addressing.without_query("url"))',
        'queryset.alias(address=addressing.F("url"))',
        ("tests/webhooks/test_hooks_admin.py::test_an_address_is_found_by_what_is_shown_of_it",),
    ),
    Guard(
        "AD-05",
        "apps/webhooks/hooks_admin.py",
        'lookup.partition("__")[0] != "url" and ',
        "",
        ("tests/webhooks/test_hooks_admin.py::test_an_address_is_not_asked_for_letter_by_letter",),
    ),
    Guard(
        "AD-05",
        "apps/desk/causes.py",
        "Q(IContains(without_query(url), text))",
        'Q(**{f"{url}__icontains": text})',
        ("tests/desk/test_problems.py::test_problems_are_not_searched_by_what_is_not_shown_of_an_address",),
    ),
    Guard(
        "95",
        MESSAGES,
        'actor=actor_of(request), expected=form.cleaned_data["expected"])',
        "actor=actor_of(request))",
        _on("message", "all_that_failed_at_an_address_is_sent_once_more_after_its_count"),
    ),
]
