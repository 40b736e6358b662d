"""The guards of what goes out: who hears of what, what is told, and how it is signed."""

from .guards import Guard

GOODS, ORDERS = "apps/catalog/telling.py", "apps/orders/telling.py"
SIGNING, WORDING, PIOS = "apps/webhooks/signing.py", "apps/webhooks/wording.py", "apps/webhooks/pios_words.py"


def _of(path: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{path}::test_{name}" for name in names)


def _goods(name: str) -> tuple[str, ...]:
    return _of("tests/catalog/test_telling.py", name)


def _orders(name: str) -> tuple[str, ...]:
    return _of("tests/orders/test_telling.py", name)


def _signing(*names: str) -> tuple[str, ...]:
    return _of("tests/webhooks/test_signing.py", *names)


WORDS_GUARDS = [
    Guard(
        "audience",
        GOODS,
        "    AND (listing.removed_at IS NULL OR listing.removed_at >= product.archived_at)\n",
        "",
        _goods("of_a_product_hears_whoever_may_see_it"),
    ),
    Guard(
        "audience",
        GOODS,
        " OR listing.removed_at >= product.archived_at",
        "",
        _goods("however_it_was_given_up_its_last_shop_is_told"),
    ),
    Guard(
        "audience",
        GOODS,
        "level.product_id AND listing.removed_at IS NULL",
        "level.product_id",
        _goods("of_stock_hears_who_lists_the_good_and_who_keeps_it"),
    ),
    Guard(
        "audience",
        GOODS,
        "SELECT happened.event_id, NULL, location.integration_id",
        "SELECT happened.event_id, NULL, NULL::uuid",
        _goods("of_stock_hears_who_lists_the_good_and_who_keeps_it"),
    ),
    Guard(
        "audience",
        ORDERS,
        "SELECT happened.event_id, NULL, fulfillment.integration_id",
        "SELECT happened.event_id, NULL, NULL::uuid",
        _orders("of_a_fulfillment_hears_its_orders_shop_and_its_warehouse"),
    ),
    Guard(
        "no-names",
        ORDERS,
        '"currency", "priority", "version",',
        '"currency", "priority", "version", "email",',
        _orders("nobodys_name_or_address_is_in_what_is_told"),
    ),
    Guard(
        "256-kB",
        WORDING,
        "        if most < 0:\n            break\n",
        "",
        _orders("of_very_many_lines_the_first_are_told"),
    ),
    Guard(
        "WO-10",
        SIGNING,
        "for key in keys)",
        "for key in keys[:1])",
        _signing("while_a_secret_takes_over_each_verifies_by_its_own_signature_alone"),
    ),
    Guard(
        "WO-10",
        SIGNING,
        'f"{message_id}.{timestamp}.".encode() + body',
        'f"{message_id}.{timestamp}.".encode() + body.strip()',
        _signing("wo_10_the_reference_library_verifies_ten_thousand_bodies_and_none_with_a_bit_turned"),
    ),
    Guard(
        "84",
        SIGNING,
        "str(timestamp), shop_id, ext_shop_id])",
        "str(timestamp), ext_shop_id, shop_id])",
        _signing("behaviours_83_and_84_a_message_in_pios_format_has_its_six_headers_and_the_published_signature"),
    ),
    Guard(
        "82",
        PIOS,
        '"closed": state not in OPEN,',
        '"closed": False,',
        _of("tests/webhooks/test_catalogue.py", "a_client_of_pios_reads_what_we_say_of_a_fulfillment"),
    ),
    Guard(
        "82",
        PIOS,
        '"partly_fulfilled" if has_begun else',
        "",
        _of("tests/webhooks/test_catalogue.py", "a_client_of_pios_reads_what_we_say_of_a_fulfillment"),
    ),
]
