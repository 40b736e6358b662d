"""Guards of what other systems send: who sent it, once, by whoever may; and what they dropped."""

from .guards import Guard

SIGNATURES, RECEIVING = "apps/integrations/connectors/signatures.py", "apps/webhooks/receiving.py"
INBOXES, MODELS = "apps/webhooks/inboxes.py", "apps/webhooks/models/receipts.py"
API, BODIES = "apps/webhooks/inbox_api.py", "apps/webhooks/inbox_bodies.py"
MESSAGES, CATCHING_UP = "apps/syncs/taking_messages.py", "apps/syncs/catching_up.py"


def _signatures(*names: str) -> tuple[str, ...]:
    return tuple(f"tests/integrations/connectors/test_signatures.py::test_{name}" for name in names)


def _inboxes(*names: str) -> tuple[str, ...]:
    return tuple(f"tests/webhooks/test_inboxes.py::test_{name}" for name in names)


def _messages(*names: str) -> tuple[str, ...]:
    return tuple(f"tests/syncs/test_taking_messages.py::test_{name}" for name in names)


RECEIPT_GUARDS = [
    Guard(
        "length",
        "apps/webhooks/views.py",
        "    if lacks_length(request):",
        "    if False:",
        (
            "tests/webhooks/test_receiving.py"
            "::test_a_body_that_does_not_say_how_long_it_is_is_not_taken_for_an_empty_one",
        ),
    ),
    Guard(
        "length",
        "apps/integrations/oauth/views/tokens.py",
        "    if lacks_length(request):",
        "    if False:",
        ("tests/integrations/oauth/test_clients.py::test_a_form_has_to_say_how_long_it_is",),
    ),
    Guard(
        "length",
        "apps/api/routes.py",
        "    if lacks_length(request):",
        "    if False:",
        ("tests/api/test_bodies.py::test_a_body_must_say_how_long_it_is",),
    ),
    Guard(
        "WI-01",
        SIGNATURES,
        "if not any([hmac.compare_digest(text.encode(), one) for text in texts for one in right]):",
        "if False:",
        _signatures("wi_01_one_altered_bit_is_refused"),
    ),
    Guard(
        "WI-06",
        SIGNATURES,
        " or timestamp != str(int(timestamp))",
        "",
        _signatures("the_end_of_an_id_is_no_beginning_of_a_time"),
    ),
    Guard(
        "WI-01", SIGNATURES, "for key in keys if key]", "for key in keys]", _signatures("an_empty_secret_signs_nothing")
    ),
    Guard(
        "WI-02",
        SIGNATURES,
        "if not 0 < len(text) <= most or not (text.isascii() and text.isprintable()):",
        "if False:",
        _signatures("wi_02_an_id_that_we_could_not_keep_is_refused_however_well_it_is_signed"),
    ),
    Guard(
        "WI-03",
        SIGNATURES,
        "if abs(now.timestamp() - int(timestamp)) > WINDOW.total_seconds():",
        "if False:",
        _signatures("wi_03_the_window_is_five_minutes_on_either_side"),
    ),
    Guard(
        "WI-03",
        SIGNATURES,
        "    if terms.timestamp:\n        _check_time(timestamp, now=now)\n",
        "",
        _inboxes("wi_03_a_time_that_is_signed_by_hand_has_its_window_too"),
    ),
    Guard(
        "WI-03",
        BODIES,
        'if signed.count(TIMESTAMP) != ("timestamp" in terms):',
        "if False:",
        _inboxes("terms_that_could_not_work_are_refused_by_name"),
    ),
    Guard(
        "WI-03",
        MODELS,
        "return refused.filter(late__gte=SKEWED_TIMES)",
        "return refused.filter(late__gte=1)",
        _inboxes("wi_03_several_refused_for_their_time_are_a_clock_that_is_wrong"),
    ),
    Guard(
        "WI-04",
        INBOXES,
        'named or f"sha256:{hashlib.sha256(body).hexdigest()}"',
        'named or ""',
        _inboxes("without_an_id_of_its_sender_a_message_is_known_by_its_words"),
    ),
    Guard(
        "WI-05",
        MESSAGES,
        '{"observed_at": receipt.received_at, "reference"',
        '{"reference"',
        _messages("wi_05_reports_without_a_time_are_of_when_they_came_in_whatever_order_they_are_opened"),
    ),
    Guard(
        "WI-07",
        MESSAGES,
        "if len(found) != 1:",
        "if not found:",
        _messages("of_several_shops_one_has_to_be_named_and_never_anothers"),
    ),
    Guard(
        "WI-08",
        RECEIVING,
        "    _spend(inbox.integration)\n",
        "",
        _inboxes("wi_08_only_what_was_signed_counts_and_too_much_is_told_when_to_come_back"),
    ),
    Guard(
        "WI-10",
        INBOXES,
        "secret.not_after = min(until, secret.not_after or until)",
        "secret.not_after = None",
        _inboxes("wi_10_in_the_overlap_two_secrets_are_accepted_and_then_one"),
    ),
    Guard(
        "TN-07",
        MESSAGES,
        "if grant not in receipt.integration.grants:",
        "if False:",
        _messages("what_its_grants_do_not_reach_is_parked_until_they_do"),
    ),
    Guard(
        "TN-07",
        MESSAGES,
        "if category_of(integration) != Category.LOGISTICS:",
        "if False:",
        _messages("a_shop_reports_no_stock"),
    ),
    Guard(
        "TN-01",
        MESSAGES,
        "Location.objects.filter(integration=integration, pk=",
        "Location.objects.filter(pk=",
        _messages("no_warehouse_reports_what_lies_at_anothers"),
    ),
    Guard(
        "TN-01",
        MESSAGES,
        "integration=receipt.integration, **named)",
        "**named)",
        _messages("of_several_shops_one_has_to_be_named_and_never_anothers"),
    ),
    Guard(
        "TN-07",
        API,
        "    check_holds(request, WORTH & set(integration.grants))\n",
        "",
        _inboxes("nobody_gives_away_what_they_have_not_themselves"),
    ),
    Guard(
        "WI-11",
        CATCHING_UP,
        "(version is None or item.version > version)",
        "True",
        ("tests/syncs/test_comparing_a_warehouse.py::test_a_version_that_we_have_heard_of_is_no_lost_message",),
    ),
]
