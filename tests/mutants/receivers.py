"""Guards of what is sent: only to where it may go, no longer and no more than it is worth; and of who is told."""

from .guards import Guard

SENDING, WIRES, RECEIVING = (f"apps/webhooks/{name}.py" for name in ("sending", "wires", "receiving"))
EGRESS = "apps/egress.py"
NOTICING, FORGETTING = "apps/webhooks/noticing.py", "apps/webhooks/forgetting.py"
TESTS, LOOP, MAIL = (f"tests/webhooks/test_{name}.py" for name in ("sending", "loop", "noticing"))
FORGOTTEN = "tests/webhooks/test_forgetting.py"

RECEIVER_GUARDS = [
    Guard(
        "WO-01",
        WIRES,
        "(self.threads, egress.vet, host, port)",
        "(self.threads, lambda: [host])",
        (f"{TESTS}::test_wo_01_a_hostile_literal_is_refused_where_it_is_typed_and_where_it_is_dialled",),
    ),
    Guard(
        "WO-03",
        SENDING,
        "loop.create_connection(Wire, address, place.port",
        "loop.create_connection(Wire, place.host, place.port",
        (f"{TESTS}::test_wo_03_a_name_that_changes_its_mind_is_dialled_only_where_it_was_vetted",),
    ),
    Guard(
        "WO-03",
        WIRES,
        "        del self.asked[place]\n",
        "",
        (f"{TESTS}::test_wo_03_each_connection_is_vetted_anew",),
    ),
    Guard(
        "WO-06",
        SENDING,
        "host, port = egress.receiver_of(url)\n",
        'host, port = urlsplit(url).hostname or "", 443\n',
        (f"{TESTS}::test_wo_06_what_is_no_address_for_webhooks_is_neither_taken_nor_dialled",),
    ),
    Guard(
        "WO-07",
        WIRES,
        'if lines.count("\\n") != len(headers) or lines.count("\\r") != len(headers) or "\\0" in lines:',
        "if False:",
        (f"{TESTS}::test_wo_07_a_header_that_would_break_the_message_is_neither_taken_nor_sent",),
    ),
    Guard(
        "WO-08",
        WIRES,
        "if self.heard > MOST_READ:",
        "if False:",
        (f"{TESTS}::test_wo_08_an_answer_without_an_end_is_cut_and_takes_no_memory",),
    ),
    Guard(
        "once more where a kept connection was left",
        SENDING,
        "if not wire.was_left:",
        "if True:",
        (f"{TESTS}::test_a_connection_they_left_as_we_wrote_is_replaced_once",),
    ),
    Guard(
        "not where they began to answer",
        WIRES,
        "return self.has_answered and not self.heard",
        "return self.has_answered",
        (f"{TESTS}::test_a_connection_they_left_as_we_wrote_is_replaced_once",),
    ),
    Guard(
        "WO-08",
        SENDING,
        "wire.ask(sent, within=until - time.perf_counter())",
        "wire.ask(sent, within=60)",
        (f"{TESTS}::test_wo_08_who_says_nothing_is_given_up_at_the_time_limit",),
    ),
    Guard(
        "WO-08",
        SENDING,
        '.replace("\\x00", "\\ufffd")',
        "",
        (f"{TESTS}::test_what_comes_back_can_be_stored_whatever_it_was",),
    ),
    Guard(
        "WO-18",
        EGRESS,
        "    _check_not_ourselves(host, port)\n",
        "",
        (f"{TESTS}::test_wo_18_our_own_address_is_neither_taken_nor_dialled",),
    ),
    Guard(
        "WO-18",
        RECEIVING,
        "    _check_not_ours(headers)\n    if inbox.scheme",
        "    if inbox.scheme",
        (f"{LOOP}::test_wo_18_a_message_of_our_own_is_refused_by_our_inboxes_though_its_signature_holds",),
    ),
    Guard(
        "WO-14",
        NOTICING,
        'select_for_update(skip_locked=True, of=("self",)).',
        "",
        (f"{MAIL}::test_who_comes_while_another_mails_it_goes_past",),
    ),
    Guard(
        "WO-14",
        NOTICING,
        "role__in=MANAGERS, ",
        "",
        (f"{MAIL}::test_wo_14_managers_and_the_3pl_are_told_with_all_they_have_to_know",),
    ),
    Guard(
        "95",
        FORGETTING,
        "    WHERE delivery.id = slice.id AND delivery.state IN ('delivered', 'failed', 'dropped')\n",
        "    WHERE delivery.id = slice.id\n",
        (f"{FORGOTTEN}::test_what_is_still_to_be_sent_stays_with_its_event_however_old_it_is",),
    ),
    Guard(
        "ours",
        SENDING,
        "    if isinstance(error, OSError) and error.errno in SHORT:\n",
        "    if False:\n",
        (f"{TESTS}::test_what_we_are_short_of_is_no_fault_of_theirs",),
    ),
    Guard(
        "WO-14",
        NOTICING,
        "getattr(notice, told_at) is None and ",
        "",
        (f"{MAIL}::test_whoever_is_refused_keeps_nobody_else_from_being_told_once",),
    ),
    Guard(
        "WO-14",
        NOTICING,
        "        return _is_for_good(error)\n",
        "        return False\n",
        (f"{MAIL}::test_whoever_is_refused_keeps_nobody_else_from_being_told_once",),
    ),
]
