"""Bodies as pydantic models say what is wrong as the serializers of the other routes do."""

from typing import Annotated, Any

import pytest
from pydantic import Field
from rest_framework import serializers

from apps.api.bodies import Strict, Text, checked
from apps.api.errors import Problem, problem_of
from apps.api.parsing import StrictModel, parsed, texts


class LineModel(StrictModel):
    sku: Annotated[str, texts(5, least=1)]
    quantity: Annotated[int, Field(ge=1, le=9)]


class OrderModel(StrictModel):
    lines: Annotated[list[LineModel], Field(min_length=1, max_length=2)]
    note: Annotated[str, texts(5)] = ""


class LineSerializer(Strict):
    sku = Text(max_length=5)
    quantity = serializers.IntegerField(min_value=1, max_value=9)


class OrderSerializer(Strict):
    lines = LineSerializer(many=True)
    note = Text(max_length=5, required=False)


HAT = {"sku": "HAT", "quantity": 1}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"lines": [{}]},
        {"lines": [HAT, HAT | {"sku": ""}]},
        {"lines": [HAT | {"sku": "A HAT"}, HAT | {"sku": "TWO HATS"}]},
        {"lines": [HAT | {"sku": 7}]},
        {"lines": [HAT | {"quantity": 0}]},
        {"lines": [HAT | {"quantity": 10}]},
        {"lines": [HAT | {"quantity": "many"}]},
        {"lines": [HAT], "note": ["x"]},
    ],
    ids=str,
)
def test_what_is_wrong_is_said_in_the_words_of_the_other_routes(body: Any):
    with pytest.raises(Problem) as found:
        parsed(OrderModel, body)
    with pytest.raises(serializers.ValidationError) as other:
        checked(OrderSerializer, body)
    assert found.value.body() == problem_of(other.value).body()


def test_what_is_right_is_the_model():
    assert parsed(OrderModel, {"lines": [HAT]}) == OrderModel(lines=[LineModel(sku="HAT", quantity=1)])


def test_nothing_is_made_into_something_else():
    for quantity in ("1", True, 1.0, None):
        with pytest.raises(Problem, match="A valid integer is required"):
            parsed(LineModel, HAT | {"quantity": quantity})
