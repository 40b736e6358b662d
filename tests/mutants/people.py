"""Guards of who may what at the 3PL's desk, for how long, and of what is put on record about it."""

from .guards import Guard

POWERS, SESSIONS, PROVING, ADMIN = (f"apps/accounts/{name}.py" for name in ("powers", "sessions", "proving", "admin"))
SEALING, OPERATIONS = "apps/audit/sealing.py", "apps/operations.py"


def _tests(module: str, *names: str) -> tuple[str, ...]:
    return tuple(f"tests/{module}.py::test_{name}" for name in names)


INVITING = "apps/accounts/inviting.py"

PEOPLE_GUARDS = [
    Guard(
        "whose address",
        ADMIN,
        "if EmailAddress.objects.filter(email__iexact=email, verified=True).exists():",
        "if False:",
        _tests("accounts/test_admin", "nobody_is_added_with_an_address_that_somebody_else_has_besides_their_own"),
    ),
    Guard(
        "whose address",
        INVITING,
        "    except IntegrityError:\n        raise CannotAccept",
        "    except KeyError:\n        raise CannotAccept",
        _tests("accounts/test_inviting", "an_address_that_somebody_else_has_besides_their_own_lets_nobody_in"),
    ),
    Guard(
        "on record",
        INVITING,
        'record(_actor(invitation, by, address), "invitation.send", on=invitation, after=facts)',
        "pass",
        _tests("accounts/test_inviting", "each_link_that_is_sent_stands_in_the_trail_with_who_asked_for_it"),
    ),
    Guard(
        "on record",
        INVITING,
        '    record(_actor(invitation, by, address), "invitation.withdraw", on=invitation, before=facts)\n',
        "",
        _tests("accounts/test_inviting", "what_is_withdrawn_stands_in_the_trail_once"),
    ),
    Guard(
        "on record",
        INVITING,
        '    record(_actor(invitation, user, address), "member.join", on=joined, after={"role": joined.role})\n',
        "",
        _tests("accounts/test_inviting", "who_joins_stands_in_the_trail_once"),
    ),
    Guard(
        "on record",
        "apps/accounts/signing_in.py",
        "    @transaction.atomic\n    def set_password",
        "    def set_password",
        _tests("accounts/test_signing_in", "another_password_stands_or_falls_with_its_entry_in_the_trail"),
    ),
    Guard(
        "on record",
        "config/urls.py",
        '    path("admin/password_change/", own_password),\n',
        "",
        _tests("accounts/test_admin", "each_password_that_is_set_in_the_admin_stands_in_the_trail"),
    ),
    Guard(
        "on record",
        "apps/accounts/looking.py",
        '    end(request, reason="Another look began.")\n',
        "",
        _tests("accounts/test_looking", "who_begins_to_look_at_another_ends_the_look_before"),
    ),
    Guard(
        "AD-02",
        ADMIN,
        'return fixed if request.user.is_superuser else [*fixed, "power"]',
        "return fixed",
        _tests("accounts/test_powers", "somebody_with_rights_over_people_but_no_superuser_gives_no_role"),
    ),
    Guard(
        "AD-02",
        POWERS,
        "if user.pk == by.pk:",
        "if False:",
        _tests("accounts/test_powers", "nobody_changes_their_own_role"),
    ),
    Guard(
        "AD-02",
        POWERS,
        "User.objects.select_for_update().filter(SUPERUSERS).",
        "User.objects.filter(SUPERUSERS).",
        _tests("accounts/test_powers", "of_the_last_two_superusers_who_leave_at_once_one_stays"),
    ),
    Guard(
        "AD-02",
        ADMIN,
        "return super().has_change_permission(request, obj) and not _is_ours(obj)",
        "return super().has_change_permission(request, obj)",
        _tests("accounts/test_powers", "the_two_roles_are_not_changed_or_deleted_by_hand"),
    ),
    Guard(
        "AD-02",
        "apps/integrations/keys_admin.py",
        'request.user.has_perms(["integrations.add_apikey", "accounts.change_user"])',
        'request.user.has_perms(["integrations.add_apikey"])',
        _tests("accounts/test_powers", "an_operator_makes_no_key_for_a_person"),
    ),
    Guard(
        "who comes second",
        "apps/meanwhile.py",
        'if now is None or now._digest() != self.cleaned_data.pop("as_shown", ""):',
        'if now is None or not self.cleaned_data.pop("as_shown", ""):',
        (
            *_tests("test_meanwhile", "who_opened_the_page_before_and_who_sends_none_of_it_save_nothing"),
            *_tests("accounts/test_powers", "a_page_opened_before_a_role_was_taken_does_not_give_it_back"),
        ),
    ),
    Guard(
        "AD-04",
        SEALING,
        'digest = _link(before.digest if before else "", count',
        'digest = _link("", count',
        _tests("audit/test_sealing", "a_trail_that_nobody_touched_fits_its_seals"),
    ),
    Guard(
        "AD-04",
        SEALING,
        "    if late and not found.broken:",
        "    if False:",
        _tests("audit/test_sealing", "an_entry_slipped_in_later_shows"),
    ),
    Guard(
        "AD-04",
        SEALING,
        "return old.upto if old else 0",
        'return Seal.objects.order_by("-upto").values_list("upto", flat=True).first() or 0',
        _tests("audit/test_sealing", "an_entry_committed_late_comes_under_a_later_seal_and_accuses_nobody"),
    ),
    Guard(
        "AD-05",
        PROVING,
        'settings.DEMO or one["method"] == "mfa"',
        "True",
        _tests("accounts/test_proving", "outside_the_demo_it_takes_a_code_and_no_password"),
    ),
    Guard(
        "AD-05",
        PROVING,
        'one["at"] > since and',
        "True and",
        _tests("accounts/test_proving", "every_page_that_shows_a_secret_asks_for_a_proof_of_the_last_five_minutes"),
    ),
    Guard(
        "AD-05",
        PROVING,
        'limits.spend(f"secrets:{request.user.pk}", rate=SECRETS)',
        "pass",
        _tests("accounts/test_proving", "nobody_makes_secrets_by_the_dozen"),
    ),
    Guard(
        "AD-07",
        SESSIONS,
        "elif not _is_poll(request) and time",
        "elif time",
        _tests("accounts/test_sessions", "a_page_that_asks_for_news_by_itself_keeps_nobody_signed_in"),
    ),
    Guard(
        "AD-07",
        SESSIONS,
        "if now - began > longest:",
        "if False:",
        _tests("accounts/test_sessions", "whoever_works_on_stays_until_twelve_hours_are_over"),
    ),
    Guard(
        "AD-07",
        SESSIONS,
        "if now - seen > idle:",
        "if False:",
        _tests(
            "accounts/test_sessions",
            "staff_who_were_away_for_half_an_hour_sign_in_again_and_go_on_where_they_were",
        ),
    ),
    Guard(
        "AD-01",
        OPERATIONS,
        "return super().has_permission(request) and (settings.DEMO or used_second_factor(request))",
        "return super().has_permission(request)",
        ("tests/test_operations.py::test_a_session_of_staff_that_gave_no_code_does_not_get_in",),
    ),
    Guard(
        "numbers",
        OPERATIONS,
        "return int(asked) if PAGE.fullmatch(asked) else 1",
        "return int(asked) if asked.isnumeric() else 1",
        ("tests/test_operations.py::test_what_is_no_page_of_related_rows_is_the_first",),
    ),
]
