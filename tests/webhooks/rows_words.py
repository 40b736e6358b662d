"""Which test shows which behaviour of the contracts (5.3) and which row of the threat model: what goes out, signed."""

CATALOGUE, SIGNING = "tests/webhooks/test_catalogue.py", "tests/webhooks/test_signing.py"

ROWS: dict[str, list[str]] = {
    "82": [
        f"{CATALOGUE}::test_every_event_can_be_heard_of_under_our_name_and_four_under_pios",
        f"{CATALOGUE}::test_a_client_of_pios_reads_what_we_say_of_stock",
        f"{CATALOGUE}::test_a_client_of_pios_reads_what_we_say_of_a_fulfillment",
    ],
    "83": [
        f"{SIGNING}::test_behaviours_83_and_84_a_message_in_pios_format_has_its_six_headers_and_the_published_signature",
    ],
    "84": [
        f"{SIGNING}::test_behaviours_83_and_84_a_message_in_pios_format_has_its_six_headers_and_the_published_signature",
        f"{SIGNING}::test_behaviour_84_ten_thousand_bodies_are_signed_as_pio_signs_and_none_with_a_bit_turned_passes",
        f"{SIGNING}::test_behaviour_84_every_single_bit_counts",
    ],
    "WO-10": [
        f"{SIGNING}::test_wo_10_the_reference_library_verifies_ten_thousand_bodies_and_none_with_a_bit_turned",
        f"{SIGNING}::test_wo_10_every_single_bit_counts",
    ],
}
