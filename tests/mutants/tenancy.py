"""Guards of tenancy and of what ends a credential. Those in the database are tried by tests/tenancy/test_references."""

from .guards import Guard

MODELS, DECIDING = "apps/accounts/models.py", "apps/accounts/deciding.py"
PRINCIPALS, POLICY = "apps/shops/principals.py", "apps/api/policy.py"
OAUTH = "apps/integrations/models/oauth.py"
RUNS, QUEUEING = "apps/syncs/models.py", "apps/syncs/queueing.py"


def _tenancy(module: str, *names: str) -> tuple[str, ...]:
    return tuple(f"tests/tenancy/test_{module}.py::test_{name}" for name in names)


def _closing(*names: str) -> tuple[str, ...]:
    return tuple(f"tests/accounts/test_closing.py::test_{name}" for name in names)


EVERYBODY = _tenancy("matrix", "everybody_hears_what_the_policy_table_says")
FOREIGN = _tenancy("matrix", "an_id_of_another_organization_is_an_id_that_nothing_has")
ALONE = _tenancy("mixing", "answers_are_the_same_with_and_without_another_organization")
AT_ONCE = _tenancy("every_process", "what_is_ended_is_refused_by_every_process_at_once")
PAGES = ("tests/onboarding/test_roles.py::test_everybody_opens_what_they_may_and_nothing_else",)
OWN = "return self.filter(organization=organization) if organization and organization.is_active else self.none()"
MAY = "if not request.user.may(permission)"

TENANCY_GUARDS = [
    Guard("TN-01", MODELS, OWN, "return self.all()", FOREIGN),
    Guard("TN-03", MODELS, OWN, "return self.all()", ALONE),
    Guard("TN-01", POLICY, "if principal.kind not in rule.kinds:", "if False:", EVERYBODY),
    Guard("TN-01", POLICY, "if principal.is_disabled:", "if False:", EVERYBODY),
    Guard("TN-01", PRINCIPALS, "if not key.organization.is_active:", "if False:", EVERYBODY),
    Guard(
        "TN-07",
        POLICY,
        "if rule.grant and rule.grant not in principal.grants:",
        "if False:",
        _tenancy("matrix", "a_token_with_one_scope_can_do_what_that_scope_says_and_nothing_else"),
    ),
    Guard(
        "TN-02",
        "apps/integrations/org_api.py",
        "if organization_id != request.user.organization.pk:",
        "if False:",
        FOREIGN,
    ),
    Guard(
        "TN-02",
        "apps/accounts/api.py",
        "return get_object_or_404(stores, brand=brand_id, pk=store_id)",
        "return get_object_or_404(stores, pk=store_id)",
        FOREIGN,
    ),
    Guard(
        "TN-02",
        "apps/syncs/api.py",
        "run = get_object_or_404(SyncRun, integration=integration, pk=run_id)",
        "run = get_object_or_404(SyncRun, pk=run_id)",
        FOREIGN,
    ),
    Guard(
        "TN-06",
        "apps/integrations/connectors/base.py",
        "return not isinstance(self.auth, Keys)",
        "return True",
        ("tests/onboarding/test_drafts.py::test_an_id_in_use_at_another_organizations_own_server_is_free",),
    ),
    Guard(
        "TN-15",
        PRINCIPALS,
        "return key.user is None or _still_manages(key.user, key.organization_id)",
        "return True",
        _tenancy("leaving", "their_key_is_dead_at_once"),
    ),
    Guard(
        "TN-15",
        OAUTH,
        "return self.is_lasting or self._is_backed()",
        "return True",
        _tenancy("leaving", "what_they_let_in_is_out_at_once", "a_code_they_gave_is_worth_nothing_afterwards"),
    ),
    Guard(
        "TN-15",
        OAUTH,
        "return self.is_lasting or self._is_backed()",
        "return self._is_backed()",
        _tenancy("leaving", "a_shops_own_token_lives_on"),
    ),
    Guard("TN-16", DECIDING, MAY, f"{MAY} and not request.htmx", PAGES),
    Guard(
        "closed",
        DECIDING,
        "if not organization.is_active:",
        "if False:",
        _closing("its_people_are_told_whom_to_ask_and_see_nothing_else"),
    ),
    Guard(
        "AS-17",
        PRINCIPALS,
        "    key = rows.first()\n    if key is None or not _is_alive(key):",
        "    key = _of_key.__dict__.setdefault(token, rows.first())\n    if key is None:",  # remembered by each process
        AT_ONCE,
    ),
    Guard("AS-17", OAUTH, "if self.revoked_at or not", "if not", AT_ONCE),
    Guard("closed", RUNS, "organization__is_active=True,", "", _closing("its_runs_wait_and_go_on")),
    Guard(
        "closed",
        QUEUEING,
        "organization__is_active=True, integration__state",
        "integration__state",
        _closing("no_regular_runs_are_queued_for_it"),
    ),
    Guard(
        "closed",
        MODELS,
        ", organization__is_active=True)",
        ")",
        _closing("nobody_joins_it", "nobody_signs_up_for_it"),
    ),
    Guard(
        "closed",
        "apps/shops/models.py",
        "return left.filter(organization__is_active=True)",
        "return left",
        _closing("what_hangs_is_left_alone_until_it_is_opened"),
    ),
]
