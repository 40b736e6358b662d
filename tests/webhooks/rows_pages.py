"""Which test shows which behaviour and which row of the threat model: the owner's pages of hooks and messages."""

HOOKS, MESSAGES = (f"tests/webhooks/test_{name}_pages.py" for name in ("hook", "message"))
BROWSER = "tests/browser/test_hooks.py"

ROWS: dict[str, list[str]] = {
    "94": [
        f"{MESSAGES}::test_what_came_in_and_went_out_stands_there_newest_first_and_nobody_elses",
        f"{MESSAGES}::test_the_list_is_narrowed",
    ],
    "95": [
        f"{MESSAGES}::test_a_failed_message_is_sent_once_more_as_the_same_row",
        f"{MESSAGES}::test_what_was_put_aside_or_failed_is_opened_again",
    ],
    "96": [f"{MESSAGES}::test_the_list_offers_each_integration_and_narrows_by_it"],
    "WO-01": [f"{HOOKS}::test_what_cannot_be_is_refused_beside_its_field"],
    "WO-17": [f"{HOOKS}::test_a_changed_address_says_that_what_waits_goes_there"],
    "WO-19": [
        f"{BROWSER}::test_wo_19_a_script_in_an_answer_is_text_on_the_pages_of_messages",
        f"{MESSAGES}::test_an_answer_is_text_whatever_it_holds",
        f"{MESSAGES}::test_a_message_shows_what_is_sent_without_its_secrets",
    ],
}
