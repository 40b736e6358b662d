"""The guards: where each stands, what becomes of it, which row it holds, and which tests have to see that."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Guard:
    """`text` stands once in the file; `becomes` takes its place. `row` as in tests/test_rows.py, or a word."""

    row: str
    file: str
    text: str
    becomes: str
    tests: tuple[str, ...]


PRINCIPALS, POLICY, ROUTES = "apps/shops/principals.py", "apps/api/policy.py", "apps/api/routes.py"
LIMITS, IDEMPOTENCY, BODIES = "apps/api/limits.py", "apps/api/idempotency.py", "apps/api/bodies.py"
VALIDATOR, REDEEMING = "apps/integrations/oauth/validator.py", "apps/integrations/oauth/redeeming.py"
ASKING, ISSUING = "apps/integrations/oauth/asking.py", "apps/integrations/oauth/issuing.py"
CONSENTING, ASKED = "apps/integrations/consenting.py", "apps/integrations/oauth/views/authorize.py"
OAUTH_MODELS, TOKENS = "apps/integrations/models/oauth.py", "apps/integrations/oauth/views/tokens.py"
OPENING, SHOPS = "apps/shops/opening.py", "apps/shops/models.py"


def _api(module: str, *names: str) -> tuple[str, ...]:
    return tuple(f"tests/api/test_{module}.py::test_{name}" for name in names)


def _oauth(module: str, *names: str) -> tuple[str, ...]:
    return tuple(f"tests/integrations/oauth/test_{module}.py::test_{name}" for name in names)


def _callers(*names: str) -> tuple[str, ...]:
    return tuple(f"tests/shops/test_principals.py::test_{name}" for name in names)


WRONG = _callers("every_wrong_credential_is_refused_alike")

MANNERS = [
    Guard(
        "14",
        PRINCIPALS,
        "if found is None or found.expires <= timezone.now():",
        "if found is None:",
        WRONG,
    ),
    Guard("14", PRINCIPALS, "if not consent.is_in_force or", "if", WRONG),
    Guard("14", PRINCIPALS, "if key is None or not _is_alive(key):", "if key is None:", WRONG),
    Guard("14", "apps/integrations/oauth/clients.py", "if found and is_right and", "if found and", WRONG),
    Guard("31", "apps/integrations/models/keys.py", ", revoked_at=None)", ")", WRONG),
    Guard("AS-18", PRINCIPALS, "if len(found) > 1 or", "if", _callers("two_credentials_in_one_call_are_refused")),
    Guard(
        "AS-18",
        ROUTES,
        'raise Problem("credential_in_address")',
        "pass",
        _api("routes", "a_credential_in_the_address_is_refused_even_when_right"),
    ),
    Guard(
        "AS-14",
        PRINCIPALS,
        'limits.spend(f"ip:{address_of(request)}", rate=limits.FAILURES)',
        "pass",
        _api("limits", "wrong_credentials_lock_out_wrong_credentials_of_that_address_alone"),
    ),
    Guard(
        "42",
        POLICY,
        "if principal.is_disabled:",
        "if False:",
        _api("policy", "with_a_disabled_integration_nothing_is_called"),
    ),
    Guard(
        "TN-01",
        POLICY,
        "if principal.kind not in rule.kinds:",
        "if False:",
        _api("policy", "a_call_is_for_the_kinds_its_row_names"),
    ),
    Guard(
        "TN-07",
        POLICY,
        "if rule.grant and rule.grant not in principal.grants:",
        "if False:",
        _api("policy", "a_grant_that_is_missing_is_named"),
    ),
    Guard(
        "TN-01",
        POLICY,
        'raise Problem("forbidden", "No rule allows this call.")',
        "return True",
        _api("policy", "a_call_without_a_row_is_refused_to_everybody"),
    ),
    Guard(
        "26",
        ROUTES,
        "if problem.status in (401, 403) and",
        "if False and",
        _api("routes", "a_refused_call_leaves_one_entry"),
    ),
    Guard(
        "audit",
        ROUTES,
        "and not trail.was_anything_recorded():",
        "and False:",
        _api("routes", "a_write_leaves_one_entry_with_who_it_was_and_from_where"),
    ),
    Guard(
        "audit",
        ROUTES,
        "trail.forget_what_was_recorded()",
        "pass",
        _api("routes", "what_one_call_recorded_is_no_excuse_for_the_next"),
    ),
    Guard(
        "description",
        ROUTES,
        '    "integration_disabled", "length_required",',
        "   ",
        _api("description", "an_operation_names_the_errors_that_any_call_may_get"),
    ),
    Guard(
        "description",
        ROUTES,
        "(OF_QUERIES, is_asked)",
        "(OF_QUERIES, False)",
        _api("description", "what_is_taken_in_the_address_or_as_a_body_may_be_wrong"),
    ),
    Guard(
        "description",
        "apps/catalog/inventory_api.py",
        '"stock_is_read_only", "location_not_found",',
        '"stock_is_read_only",',
        ("tests/catalog/test_inventory_api.py::test_a_warehouse_reports_for_its_own_locations_only",),
    ),
    Guard(
        "description",
        "apps/syncs/drift_api.py",
        'checked(DriftQuery, request.query_params.dict()).get("confirmed")',
        'request.query_params.get("confirmed")',
        ("tests/syncs/test_drift_api.py::test_whether_they_are_confirmed_is_true_or_false",),
    ),
    Guard(
        "description",
        "apps/integrations/keys_api.py",
        "answers={200: KeyPage}, query=LINKED_QUERY)",
        "answers={200: KeyPage})",
        _api("queries", "an_operation_describes_just_what_it_looks_for_in_the_address"),
    ),
    Guard(
        "limits",
        LIMITS,
        "ELSE GREATEST(u.last_at, statement_timestamp()) END",
        "ELSE statement_timestamp() END",
        _api("limits", "a_call_that_began_earlier_and_comes_later_refills_nothing_twice"),
    ),
    Guard(
        "limits",
        LIMITS,
        "WHEN u.last_at > statement_timestamp() + interval '1 minute'",
        "WHEN false",
        _api("limits", "a_clock_that_was_set_back_gives_nothing_away_and_locks_nobody_out"),
    ),
    Guard(
        "limits",
        LIMITS,
        'f"FROM bucket{n} WHERE NOT is_over"',
        '""',
        _api("limits", "a_busy_shop_takes_nothing_from_another_of_its_application"),
    ),
    Guard(
        "limits",
        LIMITS,
        "if found[-1].is_over:",
        "if False:",
        _api("limits", "400_at_once_get_exactly_the_burst"),
    ),
    Guard(
        "idempotency",
        IDEMPOTENCY,
        "if not cursor.fetchone()[0]:",
        "if False:",
        _api("idempotency", "while_the_first_is_at_work_the_second_is_told_to_wait"),
    ),
    Guard(
        "idempotency",
        IDEMPOTENCY,
        "if not known.matches(asked):",
        "if False:",
        _api("idempotency", "the_key_with_another_request_is_refused"),
    ),
    Guard(
        "idempotency",
        IDEMPOTENCY,
        ' {principal.authorization.pk}"',
        '"',
        _api("idempotency", "two_shops_of_one_application_are_two_callers"),
    ),
    Guard(
        "connections",
        "config/wsgi.py",
        "any(not body.read(STEP) for",
        "any(True for",
        _api(
            "connections",
            "after_a_refusal_that_read_no_body_the_next_call_is_answered",
            "a_connection_over_which_more_comes_than_is_read_says_that_it_ends",
        ),
    ),
    Guard(
        "connections",
        "config/wsgi.py",
        "        close()\n",
        "        pass\n",
        _api("connections", "a_connection_over_which_more_comes_than_is_read_says_that_it_ends"),
    ),
    Guard(
        "bodies",
        BODIES,
        "if len(found) != len(pairs):",
        "if False:",
        _api("bodies", "what_is_not_quite_json_is_refused"),
    ),
    Guard(
        "bodies",
        BODIES,
        "(unknown := sorted(set(data) - set(self._writable())))",
        "(unknown := [])",
        _api("bodies", "what_is_not_as_it_has_to_be_is_named"),
    ),
    Guard(
        "paging",
        "apps/api/paging.py",
        "*values], ensure_ascii=False)",
        "*values])",
        _api("paging", "the_links_are_short_enough_for_a_web_server_whatever_the_rows_are_called"),
    ),
    Guard(
        "paging",
        "apps/api/paging.py",
        "if not last:\n            raise",
        "if False:\n            raise",
        _api("paging", "what_cannot_be_read_is_no_fault_of_a_cursor_that_nobody_sent"),
    ),
    Guard(
        "bodies",
        BODIES,
        "if not math.isfinite(float(text)):",
        "if False:",
        _api("bodies", "what_is_not_quite_json_is_refused"),
    ),
]

TENANCY = [
    Guard(
        "TN-01",
        "apps/accounts/models.py",
        "return self.filter(organization=organization) if organization and organization.is_active else self.none()",
        "return self.all()",
        ("tests/accounts/test_api.py::test_another_organizations_brand_and_store_are_not_there",),
    ),
    Guard(
        "24",
        "apps/integrations/models/integrations.py",
        "return rows if own is None else rows.filter(integration=own)",
        "return rows",
        (
            "tests/integrations/test_custom_api.py::test_an_integrations_key_sees_its_own_shops_and_an_organizations_wide_one_all",
        ),
    ),
    Guard(
        "48",
        SHOPS,
        "return rows if authorization is None else rows.filter(authorization=authorization)",
        "return rows",
        ("tests/shops/test_opening.py::test_a_token_reads_its_own_shop_and_no_other",),
    ),
    Guard(
        "TN-15",
        OAUTH_MODELS,
        "return user.organization.pk == self.organization_id and user.may_manage",
        "return True",
        WRONG,
    ),
    Guard(
        "TN-15",
        PRINCIPALS,
        "return user.organization.pk == organization_id and user.may_manage",
        "return True",
        WRONG,
    ),
    Guard(
        "TN-03",
        PRINCIPALS,
        "if integration.reaches_all_stores:",
        "if True:",
        _callers("a_limited_consent_names_its_stores"),
    ),
    Guard(
        "46",
        OPENING,
        "if not unbound.update(is_lasting=True):",
        "if unbound.update(is_lasting=True) and False:",
        ("tests/shops/test_opening.py::test_the_same_token_creates_no_second_shop",),
    ),
    Guard(
        "47",
        OPENING,
        "if known and known.has_token:",
        "if False:",
        ("tests/shops/test_opening.py::test_an_id_is_unique_in_the_organization",),
    ),
    Guard(
        "29",
        "apps/integrations/customizing.py",
        "if found.version != version:",
        "if False:",
        ("tests/integrations/test_custom_api.py::test_a_change_is_based_on_a_version",),
    ),
]

AUTHORIZATION_SERVER = [
    Guard(
        "AS-01",
        REDEEMING,
        '_end(seen.authorization, by=by, what=kind._meta.model_name or "")',
        "pass",
        _oauth("redeeming", "a_code_used_again_ends_what_its_first_use_gave"),
    ),
    Guard(
        "AS-02",
        REDEEMING,
        'kind._default_manager.select_for_update(of=("self", "authorization"), no_key=True)',
        "kind._default_manager",
        _oauth("races", "one_of_eight_redemptions_wins"),
    ),
    Guard(
        "AS-03", REDEEMING, "and not grant.is_expired() and", "and", _oauth("redeeming", "a_code_is_good_for_a_minute")
    ),
    Guard(
        "AS-04",
        REDEEMING,
        "return grant if grant.application_id == by.pk and",
        "return grant if",
        _oauth("redeeming", "a_code_in_the_hands_of_another_application_is_burnt"),
    ),
    Guard(
        "AS-04",
        VALIDATOR,
        "if grant is None or grant.redirect_uri != request.redirect_uri:",
        "if grant is None:",
        _oauth("redeeming", "a_code_with_another_redirect_uri_is_burnt"),
    ),
    Guard(
        "AS-05",
        VALIDATOR,
        "return redirect_uri == request.client.redirect_uris",
        "return redirect_uri.lower() == request.client.redirect_uris.lower()",
        _oauth("asking", "another_redirect_uri_shows_a_page_and_redirects_nobody"),
    ),
    Guard(
        "AS-06",
        VALIDATOR,
        "if request.code_verifier is not None and not VERIFIER.fullmatch(request.code_verifier):",
        "if False:",
        _oauth("redeeming", "a_verifier_that_is_none_is_refused_though_it_fits"),
    ),
    Guard(
        "AS-07",
        CONSENTING,
        "if earlier.nonce != ticket or earlier.used_at or earlier.authorization.revoked_at:",
        "if False:",
        _oauth("consent", "a_challenge_that_had_a_code_is_refused_at_the_answer_too"),
    ),
    Guard(
        "AS-09",
        ISSUING,
        "update(revoked=timezone.now(), access_token=None)",
        "update(access_token=None)",
        _oauth("refreshing", "a_refresh_token_used_again_ends_the_whole_family"),
    ),
    Guard(
        "AS-10",
        VALIDATOR,
        "if not set(request.scopes or []) <= set(consented):",
        "if False:",
        _oauth("redeeming", "a_code_gives_no_more_than_was_consented_to"),
    ),
    Guard(
        "AS-11",
        ASKING,
        "if seen != _fingerprint(asked, user=user):",
        "if False:",
        _oauth("consent", "an_answer_to_another_question_grants_nothing"),
    ),
    Guard(
        "AS-12",
        "config/settings.py",
        '    "frame-ancestors": [CSP.NONE],\n    "base-uri"',
        '    "frame-ancestors": [CSP.SELF],\n    "base-uri"',
        _oauth("consent", "no_page_of_ours_can_be_framed_and_the_form_may_lead_to_the_callback"),
    ),
    Guard(
        "AS-13",
        ASKING,
        "urlencode(parameters | {'iss': settings.PUBLIC_URL})",
        "urlencode(parameters)",
        _oauth("asking", "answers_at_the_callback_are_as_they_have_to_be"),
    ),
    Guard(
        "AS-14",
        TOKENS,
        "response = _count_wrong(request) or response",
        "pass",
        _oauth("clients", "after_twenty_wrong_secrets_that_address_is_locked_out_of_that_client_only"),
    ),
    Guard(
        "AS-17",
        OAUTH_MODELS,
        "if self.revoked_at or not self.organization.is_active or",
        "if not self.organization.is_active or",
        _oauth("ending", "a_token_is_dead_at_the_very_next_call"),
    ),
    Guard(
        "forms",
        TOKENS,
        "except RequestDataTooBig:",
        "except ZeroDivisionError:",
        _oauth("clients", "a_form_that_cannot_be_read_is_told_so_in_json"),
    ),
    Guard(
        "forms",
        TOKENS,
        "(BadRequest, SuspiciousOperation, MultiPartParserError, UnreadablePostError)",
        "(BadRequest, SuspiciousOperation, MultiPartParserError)",
        _oauth("clients", "a_form_that_breaks_off_is_told_so_in_json"),
    ),
    Guard(
        "forms",
        TOKENS,
        "(BadRequest, SuspiciousOperation, MultiPartParserError, UnreadablePostError)",
        "(UnreadablePostError,)",
        _oauth("clients", "a_form_that_cannot_be_read_is_told_so_in_json"),
    ),
    Guard(
        "NUL",
        "apps/integrations/oauth/clients.py",
        'or "\\x00" in client_id + secret:',
        'or "\\x00" in decoded:',
        _oauth("clients", "a_nul_in_a_header_is_a_wrong_secret_however_it_is_written"),
    ),
    Guard(
        "AS-20",
        CONSENTING,
        'Authorization.objects.filter(integration=locked).revoke("withdrawn")',
        "pass",
        _oauth("connected", "the_owner_disconnects_an_application_after_being_asked"),
    ),
    Guard(
        "7",
        ASKED,
        "or not organization.is_active or not request.user.may_manage:",
        "or not organization.is_active:",
        _oauth("code_flow", "only_an_owner_or_admin_may_decide"),
    ),
]


def _mapping(module: str, *names: str) -> tuple[str, ...]:
    return tuple(f"tests/catalog/test_{module}.py::test_{name}" for name in names)


SKU_MAPPING = [
    Guard(
        "66",
        "apps/catalog/remapping.py",
        "_check_base(before, based_on)\n    had",
        "had",
        _mapping("remapping", "saving_over_somebody_elses_version_is_refused_and_changes_nothing"),
    ),
    Guard(
        "66",
        "apps/catalog/remapping.py",
        "lock(cursor, integration.organization_id)",
        "pass",
        _mapping("remapping", "of_two_who_save_at_once_one_is_told_to_look_again"),
    ),
    Guard(
        "66",
        "apps/catalog/relinking.py",
        "LEFT JOIN catalog_product product ON product.organization_id = %(organization)s AND",
        "LEFT JOIN catalog_product product ON",
        _mapping("remapping", "no_mapping_leads_to_a_product_of_another_organization"),
    ),
    Guard(
        "66",
        "apps/catalog/worklist.py",
        "Product.objects.filter(organization=integration.organization_id, pk__in=chosen.values())",
        "Product.objects.filter(pk__in=chosen.values())",
        _mapping("worklist", "what_cannot_be_accepted_is_refused_with_everything_that_came_along"),
    ),
    Guard(
        "66",
        "apps/catalog/pairs.py",
        'return f"\'{sku}" if FORMULA.match(sku) else sku',
        "return sku",
        ("tests/onboarding/views/test_worklist.py::test_the_file_that_is_downloaded_can_be_uploaded",),
    ),
]

RECEIVING, OPENING = "apps/webhooks/receiving.py", "apps/syncs/opening.py"

WEBHOOKS_IN = [
    Guard(
        "WI-01",
        "apps/integrations/connectors/pio/mapping.py",
        "hmac.compare_digest(_signature(signed, secret=secret), signature) for",
        "True for",
        (
            "tests/integrations/connectors/pio/test_mapping.py::test_wi_01_the_secret_of_somebody_else_or_none_is_refused",
        ),
    ),
    Guard(
        "WI-01",
        "apps/integrations/connectors/otter/ordering.py",
        "hmac.compare_digest(_signature(body, secret=secret), signature) for",
        "True for",
        (
            "tests/integrations/connectors/otter/test_ordering.py"
            "::test_a_body_altered_in_any_byte_and_a_foreign_secret_are_refused",
        ),
    ),
    Guard(
        "shipped-twice",
        "apps/integrations/connectors/otter/ordering.py",
        'if payload["status"] in GONE:',
        "if False:",
        ("tests/integrations/connectors/otter/test_ordering.py::test_an_order_that_has_left_is_not_shipped_once_more",),
    ),
    Guard(
        "sender-shop",
        RECEIVING,
        "Connection.objects.with_shared_ids(connector.slug).filter",
        "Connection.objects.filter",
        ("tests/webhooks/test_receiving_from.py::test_a_store_that_nobody_has_connected_is_said_to_be_unknown",),
    ),
    Guard(
        "WI-04",
        RECEIVING,
        "remote_id=told.remote_id,",
        'remote_id="",',
        ("tests/webhooks/test_receiving.py::test_wi_04_a_repeated_delivery_is_answered_alike_and_counted",),
    ),
    Guard(
        "inbox-shop",
        OPENING,
        "filter(integration=receipt.integration, ext_shop_id=receipt.shop_ref)",
        "filter(ext_shop_id=receipt.shop_ref)",
        ("tests/syncs/test_opening.py::test_another_organizations_shop_is_unknown_here",),
    ),
    Guard(
        "receipt-fence",
        OPENING,
        "receipt.mine().update(state=state",
        "Receipt.objects.filter(pk=receipt.pk).update(state=state",
        ("tests/syncs/test_opening.py::test_whoever_lost_the_lease_changes_nothing",),
    ),
]

GUARDS = MANNERS + TENANCY + AUTHORIZATION_SERVER + SKU_MAPPING + WEBHOOKS_IN
