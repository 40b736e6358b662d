"""Which tests show which rows: AS-… of the threat model (research/reliability.md B1), numbers of the behaviours
(research/contracts.md 5.3)."""

HERE = "tests/integrations/oauth"


def _in(module: str, *names: str) -> list[str]:
    return [f"{HERE}/test_{module}.py::test_{name}" for name in names]


ROWS: dict[str, list[str]] = {
    "AS-01": _in("redeeming", "a_code_used_again_ends_what_its_first_use_gave")
    + _in("redeeming", "a_code_used_again_long_after_it_expired_ends_them_too"),
    "AS-02": _in("races", "one_of_eight_redemptions_wins", "the_winner_of_a_race_keeps_what_it_got"),
    "AS-03": _in("redeeming", "a_code_is_good_for_a_minute"),
    "AS-04": _in("redeeming", "a_code_in_the_hands_of_another_application_is_burnt")
    + _in("redeeming", "a_code_with_another_redirect_uri_is_burnt"),
    "AS-05": _in("asking", "another_redirect_uri_shows_a_page_and_redirects_nobody")
    + _in("asking", "the_matrix_of_redirect_uris_is_as_long_as_it_has_to_be")
    + _in("asking", "an_unknown_asker_is_answered_by_a_page"),
    "AS-06": _in("asking", "a_challenge_that_is_not_s256_is_refused")
    + _in("redeeming", "a_code_without_its_verifier_is_burnt", "a_verifier_that_is_none_is_refused_though_it_fits")
    + _in("redeeming", "the_challenge_is_no_verifier"),
    "AS-07": _in("consent", "a_challenge_that_had_a_code_is_refused_and_written_down")
    + _in("consent", "a_challenge_that_had_a_code_is_refused_at_the_answer_too")
    + _in("consent", "a_double_click_gives_one_consent_and_a_code_that_works"),
    "AS-08": _in("asking", "only_codes_are_given")
    + _in("redeeming", "other_grants_are_not_spoken")
    + _in("metadata", "the_document_names_what_there_is_and_nothing_else"),
    "AS-09": _in("refreshing", "a_refresh_token_used_again_ends_the_whole_family")
    + _in("races", "one_of_eight_refreshes_wins", "the_winner_of_a_race_of_refreshes_keeps_what_it_got"),
    "AS-10": _in("asking", "a_scope_nobody_can_consent_to_is_refused")
    + _in("asking", "a_grant_type_in_the_question_opens_no_other_scopes")
    + _in("redeeming", "a_code_gives_no_more_than_was_consented_to", "a_code_can_give_less")
    + _in("refreshing", "refreshing_gives_no_more_than_was_consented_to")
    + _in("clients", "an_application_alone_reaches_no_organization"),
    "AS-11": _in("consent", "an_answer_to_another_question_grants_nothing")
    + _in("consent", "an_answer_for_another_application_grants_nothing", "a_field_put_into_the_form_grants_nothing")
    + _in("consent", "an_answer_that_our_page_does_not_send_grants_nothing", "a_colleagues_page_cannot_be_answered")
    + _in("consent", "an_answer_without_the_csrf_token_grants_nothing"),
    "AS-12": _in("consent", "no_page_of_ours_can_be_framed_and_the_form_may_lead_to_the_callback"),
    "AS-13": _in("asking", "answers_at_the_callback_are_as_they_have_to_be")
    + _in("redeeming", "token_answers_are_never_cached_and_redirect_nowhere"),
    "AS-14": _in("clients", "a_wrong_secret_and_an_unknown_client_get_the_same_answer")
    + _in("clients", "an_unknown_client_takes_as_long_as_a_wrong_secret")
    + _in("clients", "the_secret_for_an_unknown_client_is_hashed_too")
    + _in("clients", "after_twenty_wrong_secrets_that_address_is_locked_out_of_that_client_only"),
    "AS-17": _in("ending", "a_token_is_dead_at_the_very_next_call", "another_process_knows_at_once")
    + _in("refreshing", "a_shops_token_dies_with_its_organization"),
    "AS-18": _in("clients", "two_credentials_at_once_are_refused", "nothing_is_taken_from_the_address")
    + _in("clients", "only_a_form_that_is_posted_is_read", "a_token_counts_in_its_header_only"),
    "AS-19": _in("code_flow", "whoever_is_not_signed_in_signs_in_first_and_comes_back"),
    "AS-20": _in("connected", "the_owner_sees_what_an_application_may_do_and_whether_it_does")
    + _in("connected", "the_owner_disconnects_an_application_after_being_asked"),
    "7": _in("code_flow", "only_an_owner_or_admin_may_decide"),
    "8": _in("code_flow", "whoever_is_not_signed_in_signs_in_first_and_comes_back")
    + _in("code_flow", "the_page_says_who_asks_and_for_what_in_plain_words"),
    "9": _in("code_flow", "the_owner_agrees_and_the_application_gets_tokens"),
    "10": _in("asking", "another_redirect_uri_shows_a_page_and_redirects_nobody")
    + _in("asking", "an_unknown_asker_is_answered_by_a_page"),
    "11": _in("clients", "an_application_gets_a_token_for_itself", "credentials_may_come_as_http_basic")
    + _in("refreshing", "refreshing_a_shops_token_gives_one_that_never_expires"),
    "12": _in("redeeming", "a_code_used_again_ends_what_its_first_use_gave"),
    "13": _in("redeeming", "a_code_without_its_verifier_is_burnt"),
}
