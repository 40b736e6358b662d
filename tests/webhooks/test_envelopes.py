"""A message as it travels."""

from datetime import UTC, datetime

from apps.webhooks import envelopes
from apps.webhooks.serving import Facts


def test_a_secret_that_ends_while_its_endpoint_is_served_signs_no_more():
    facts = Facts("https://a.example/", "standard", ((b"new", None), (b"old", 100.0)), {}, "", datetime.now(UTC))

    def signatures(now: float) -> int:
        headers = envelopes.signed(facts, "msg_1", event="order.created", shop=(None, None), body=b"{}", now=now)
        return len(headers["webhook-signature"].split(" "))

    assert [signatures(now) for now in (99.0, 100.0, 101.0)] == [2, 1, 1]
