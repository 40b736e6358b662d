"""Which test shows which row of the threat model: receivers that mean ill, and warnings about those in trouble."""

SENDING, LOOP, NOTICING = (f"tests/webhooks/test_{name}.py" for name in ("sending", "loop", "noticing"))
HOME = "tests/onboarding/views/stores/test_troubles.py"

ROWS: dict[str, list[str]] = {
    "88": [
        f"{SENDING}::test_behaviour_88_a_private_address_is_sent_to_only_where_the_operator_allows_it",
        f"{SENDING}::test_wo_01_a_hostile_literal_is_refused_where_it_is_typed_and_where_it_is_dialled",
    ],
    "WO-01": [
        f"{SENDING}::test_wo_01_a_hostile_literal_is_refused_where_it_is_typed_and_where_it_is_dialled",
        f"{SENDING}::test_wo_01_no_spelling_of_our_own_machine_is_ever_connected_to",
    ],
    "WO-02": [f"{SENDING}::test_wo_02_loopback_is_neither_taken_nor_dialled_however_it_is_spelled"],
    "WO-03": [
        f"{SENDING}::test_wo_03_a_name_that_changes_its_mind_is_dialled_only_where_it_was_vetted",
        f"{SENDING}::test_wo_03_each_connection_is_vetted_anew",
    ],
    "WO-04": [f"{SENDING}::test_wo_04_a_name_with_one_private_address_is_refused_as_a_whole"],
    "WO-05": [f"{SENDING}::test_wo_05_a_redirect_is_not_followed"],
    "WO-06": [f"{SENDING}::test_wo_06_what_is_no_address_for_webhooks_is_neither_taken_nor_dialled"],
    "WO-07": [
        f"{SENDING}::test_wo_07_headers_that_are_ours_to_set_are_not_taken",
        f"{SENDING}::test_wo_07_a_header_that_would_break_the_message_is_neither_taken_nor_sent",
    ],
    "WO-08": [
        f"{SENDING}::test_wo_08_an_answer_without_an_end_is_cut_and_takes_no_memory",
        f"{SENDING}::test_wo_08_one_byte_a_second_is_cut_at_the_time_limit",
        f"{SENDING}::test_wo_08_a_head_of_one_byte_a_second_is_no_answer",
        f"{SENDING}::test_wo_08_who_says_nothing_is_given_up_at_the_time_limit",
        f"{SENDING}::test_wo_08_a_packed_answer_is_not_unpacked",
    ],
    "WO-09": [
        f"{SENDING}::test_wo_09_a_certificate_that_is_expired_or_somebody_elses_is_refused",
        f"{SENDING}::test_wo_09_a_certificate_that_nobody_signed_is_refused",
        f"{SENDING}::test_wo_09_one_that_is_in_order_is_accepted",
    ],
    "WO-14": [
        f"{NOTICING}::test_wo_14_managers_and_the_3pl_are_told_with_all_they_have_to_know",
        f"{HOME}::test_wo_14_an_address_that_fails_and_one_that_is_disabled_have_a_sentence_and_a_link",
    ],
    "WO-18": [
        f"{SENDING}::test_wo_18_our_own_address_is_neither_taken_nor_dialled",
        f"{SENDING}::test_wo_18_on_one_machine_our_own_port_is_ourselves",
        f"{LOOP}::test_wo_18_a_message_of_our_own_is_refused_by_our_inboxes_though_its_signature_holds",
        f"{LOOP}::test_wo_18_what_we_send_says_that_it_is_ours",
    ],
}
