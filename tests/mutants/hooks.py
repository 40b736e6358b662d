"""The guards of hooks: who may hear of what, where it may be sent, and what is never shown."""

from .guards import Guard

API, HOOKING = "apps/webhooks/hooks_api.py", "apps/webhooks/hooking.py"
ADDRESSING, ASKING = "apps/webhooks/addressing.py", "apps/webhooks/asking.py"
EGRESS, ENDPOINTS = "apps/egress.py", "apps/webhooks/models/endpoints.py"


def _api(name: str) -> tuple[str, ...]:
    return (f"tests/webhooks/test_hooks_api.py::test_{name}",)


def _hooking(name: str) -> tuple[str, ...]:
    return (f"tests/webhooks/test_hooking.py::test_{name}",)


HOOK_GUARDS = [
    Guard(
        "82",
        ASKING,
        "not of_integration or (self.grants is not None and grant not in self.grants)",
        "not of_integration",
        _api("an_event_needs_its_grant_and_so_does_sending_it_somewhere_else"),
    ),
    Guard(
        "82",
        ASKING,
        "of_integration = self.integration is None or grant in self.integration.grants",
        "of_integration = True",
        _hooking("an_event_needs_its_grant_of_the_integration_and_of_whoever_asks"),
    ),
    Guard(
        "hooks",
        API,
        "lacking := sorted({hook.grant for hook in hooks} - request.user.grants)",
        "lacking := []",
        _api("an_event_needs_its_grant_and_so_does_sending_it_somewhere_else"),
    ),
    Guard(
        "hooks",
        API,
        "if integration and row.integration_id != integration.pk:",
        "if False:",
        _api("a_machine_that_sees_its_organization_changes_its_own_hooks_alone"),
    ),
    Guard(
        "81",
        ENDPOINTS,
        "rows if authorization is None else rows.filter(shop__authorization=authorization)",
        "rows",
        _api("a_shops_token_knows_of_its_shops_hooks_a_key_of_its_integrations_a_person_of_all"),
    ),
    Guard(
        "WO-06",
        EGRESS,
        "if port in NO_WEB_PORTS or (port < 1024 and port not in WEB_PORTS):",
        "if False:",
        _api("wo_06_what_is_not_called_over_https_at_a_port_of_the_web_is_refused"),
    ),
    Guard(
        "WO-07",
        EGRESS,
        'not host or "@" in parts.netloc or "#" in url',
        "not host",
        _api("wo_07_logins_line_ends_and_private_addresses_are_refused"),
    ),
    Guard(
        "WO-07",
        ASKING,
        "if name.lower() in OWN_HEADERS or name.lower().startswith(OWN_PREFIXES):",
        "if False:",
        _hooking("wo_07_headers_that_are_ours_to_say_or_break_the_message_are_refused"),
    ),
    Guard(
        "WO-07",
        ASKING,
        "not isinstance(value, str) or not VALUE.fullmatch(value)",
        "not isinstance(value, str)",
        _hooking("wo_07_headers_that_are_ours_to_say_or_break_the_message_are_refused"),
    ),
    Guard(
        "WO-15",
        HOOKING,
        "secret.not_after = min(secret.not_after or end, end)",
        "secret.not_after = end",
        _hooking("a_later_rotation_lets_no_secret_sign_longer_than_an_earlier_one_said"),
    ),
    Guard(
        "WO-15",
        HOOKING,
        "if overlap and live.count() >= MOST_SECRETS:",
        "if False:",
        _hooking("at_most_three_secrets_sign_and_none_longer_than_a_week"),
    ),
    Guard(
        "WO-17",
        HOOKING,
        "    waiting.update(endpoint=hook.endpoint, **ANEW)\n",
        "",
        _hooking("wo_17_a_hook_that_shares_its_endpoint_moves_with_what_waits_for_it"),
    ),
    Guard(
        "WO-18",
        EGRESS,
        "    _check_not_ourselves(host, port)\n",
        "",
        _api("wo_18_our_own_address_is_refused"),
    ),
    Guard(
        "hooks-trail",
        ADDRESSING,
        'return f"{address}?…" if asked else address',
        "return url",
        _hooking("the_trail_holds_no_secret_and_nothing_of_an_addresss_query"),
    ),
    Guard(
        "hooks-hold",
        HOOKING,
        "if endpoint.is_active:",
        "if False:",
        _hooking("only_what_is_held_can_be_resumed_and_only_by_a_choice"),
    ),
    Guard(
        "81",
        HOOKING,
        "    _drop(_undone(hook.endpoint).filter(hook=hook))\n",
        "",
        _hooking("what_a_deleted_hook_was_still_owed_is_dropped_and_nothing_else"),
    ),
    Guard(
        "hooks-lock",
        HOOKING,
        "    if url not in (None, endpoint.url):\n        check_url(url)\n    endpoint = addressing.locked(endpoint)\n",
        "    endpoint = addressing.locked(endpoint)\n    if url not in (None, endpoint.url):\n        check_url(url)\n",
        _hooking("no_endpoint_is_held_while_the_name_of_its_new_address_is_looked_up"),
    ),
    Guard(
        "hooks-lock",
        HOOKING,
        "if not addressing.is_known(owner, url, format=form):",
        "if True:",
        _hooking("people_add_and_choose_several_events_while_no_endpoint_is_held"),
    ),
    Guard(
        "WO-14",
        "apps/webhooks/noticing.py",
        '{"name": " ".join(name.split())}',
        '{"name": name}',
        ("tests/webhooks/test_noticing.py::test_a_name_of_several_lines_is_one_in_the_subject",),
    ),
]
