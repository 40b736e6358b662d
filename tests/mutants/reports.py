"""Guards of the quick lane for reports of stock: who may, and what it believes."""

from .guards import Guard

QUICK, TESTS = "apps/catalog/quick.py", "tests/catalog/test_quick.py"
ENDED = (f"{TESTS}::test_a_permission_that_ended_ends_at_once",)
THOUGHT = (f"{TESTS}::test_what_wants_thought_is_left_to_the_careful_lane",)
OTHERS = (f"{TESTS}::test_any_other_report_is_left_to_the_careful_lane",)
PLACES = (f"{TESTS}::test_somebody_elses_place_is_left_to_the_careful_lane",)
ODD = (f"{TESTS}::test_a_call_out_of_the_ordinary_is_left_to_the_careful_lane",)
SAME = (f"{TESTS}::test_both_lanes_leave_the_same_rows_and_give_the_same_answer",)
RUNG = (f"{TESTS}::test_who_is_owed_the_number_is_rung_for_and_orders_only_when_there_is_more",)

REPORT_GUARDS = [
    Guard("29", QUICK, "AND key.revoked_at IS NULL AND", "AND", ENDED),
    Guard("29", QUICK, "(key.expires_at IS NULL OR key.expires_at > now())", "true", ENDED),
    Guard("24", QUICK, "AND (key.all_grants OR key.grants ? 'inventory:write')", "", ENDED),
    Guard("24", QUICK, "AND integration.grants ? 'inventory:write'", "", ENDED),
    Guard("26", QUICK, "AND integration.state <> 'disabled'", "", ENDED),
    Guard("closed", QUICK, "AND organization.is_active", "", ENDED),
    Guard("AS-17", QUICK, "partner.deactivated_at IS NULL AND", "", ENDED),
    Guard("60", QUICK, "AND partner.category = 'logistics'", "", ENDED),
    Guard(
        "60",
        QUICK,
        "WHERE location.id = %(location)s::uuid AND location.is_active",
        "WHERE location.id = %(location)s::uuid",
        ENDED,
    ),
    Guard(
        "60",
        QUICK,
        "location.integration_id = caller.integration_id\n",
        "location.integration_id IS NOT NULL\n",
        PLACES,
    ),
    Guard("60", QUICK, "AND location.kind = 'external'", "", PLACES),
    Guard(
        "quick",
        QUICK,
        " AND key.name = %(name)s::text",
        "",
        (f"{TESTS}::test_a_renamed_key_is_named_as_it_is_called_now",),
    ),
    Guard(
        "98",
        QUICK,
        "AND EXISTS (SELECT FROM bucket0 WHERE NOT is_over)",
        "",
        (f"{TESTS}::test_a_call_too_many_is_refused_and_counts_nothing",),
    ),
    Guard("62", QUICK, "pieces <> on_hand AND", "", THOUGHT),
    Guard("62", QUICK, "AND missing = 0", "", THOUGHT),
    Guard("62", QUICK, "AND updated_at <= moment.at", "", THOUGHT),
    Guard("62", QUICK, "held.counted_at IS NULL OR", "true OR", THOUGHT),
    Guard("62", QUICK, "place.counted_at IS NULL OR", "true OR", THOUGHT),
    Guard("62", QUICK, "count(*) = cardinality(%(skus)s::text[])", "count(*) > 0", THOUGHT),
    Guard("62", QUICK, 'and not asked.get("complete")', "", OTHERS),
    Guard("62", QUICK, 'asked["style"] == "snapshot" and', "", OTHERS),
    Guard("idempotency", QUICK, 'or "Idempotency-Key" in request.headers', "", ODD),
    Guard("AS-11", QUICK, "len(given) != 1", "not given", ODD),
    Guard("platforms are owed it", QUICK, "ARRAY(SELECT product_id FROM counted)::text", "'{}'", SAME),
    Guard("orders hear of more", QUICK, " WHERE on_hand_change > 0)::text", ")::text", SAME),
    Guard("platforms are owed it", QUICK, "    owing.ring(owed)\n", "", RUNG),
    Guard("orders hear of more", QUICK, "if has_risen else []", "", RUNG),
]
