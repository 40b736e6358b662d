"""Every state, hindrance and kind of entry has its words."""

import ast
from pathlib import Path

import pytest

from apps.orders import sentences
from apps.orders.models import Hindrance, Order
from tests.factories import make_hindrance, make_order

ROOT = Path(__file__).parent.parent.parent


def recorded() -> set[str]:
    """The kinds that any code of ours writes down, as far as they stand there as texts."""
    kinds = set()
    for path in [*(ROOT / "apps/orders").glob("*.py"), *(ROOT / "apps/syncs").glob("*.py")]:
        for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
            is_entry = ast.unparse(call.func) in {"timeline.record", "record", "_note"} and len(call.args) == 2
            if is_entry and isinstance(call.args[1], ast.Constant):
                kinds.add(call.args[1].value)
    return {kind for kind in kinds if isinstance(kind, str) and "." not in kind}


def test_every_kind_that_is_written_down_has_words():
    found = recorded()
    assert len(found) > 15
    assert found - set(sentences.SENTENCES) == set()


def test_every_state_has_its_look_and_its_sentence():
    assert set(sentences.LOOKS) == set(Order.State)


def test_every_hindrance_has_its_words_and_its_way_out():
    assert set(sentences.TROUBLES) == set(Hindrance.Code)


@pytest.mark.parametrize("kind", sentences.SENTENCES)
def test_a_sentence_without_its_data_still_makes_sense(kind):
    text = sentences.of(kind, {})
    assert (bool(text), "%(" in text) == (True, False)


def test_a_kind_without_words_is_said_as_it_is_called():
    assert sentences.of("sent_by_pigeon", {}) == "Sent by pigeon"


@pytest.mark.django_db
@pytest.mark.parametrize("code", Hindrance.Code.values)
def test_each_trouble_says_what_is_the_matter_what_to_do_and_who(code):
    hindrance = make_hindrance(code=code, ref="city")
    trouble = sentences.trouble(hindrance, hindrance.order)
    assert (bool(trouble.what), bool(trouble.todo), trouble.who) == (True, True, "the store's owner")
    assert "%(" not in trouble.what + trouble.todo + sentences.grouped(code, "city")


@pytest.mark.django_db
def test_troubles_lead_to_where_they_are_mended():
    order = make_order()
    found = {
        code: sentences.trouble(make_hindrance(order=order, code=code), order, warehouse=order.integration_id).link
        for code in ("unknown_sku", "unmapped_shipping_method", "incomplete_address", "out_of_stock")
    }
    assert found == {
        "unknown_sku": f"/unknown-skus/{order.integration_id}/",
        "unmapped_shipping_method": f"/shipping-methods/{order.integration_id}/",
        "incomplete_address": f"/orders/{order.pk}/#address",
        "out_of_stock": "",
    }
