"""Two more addresses to hold our orders against, and no limit on how often they are called.

`bare` is one statement that stores an order and its lines, whoever asks, whatever is sent. `plain` is what most Django
code would be: a ModelSerializer with nested lines, saved by the ORM. Both write the same tables.
"""

import json
from typing import Any
from uuid import uuid4

from django.db import connection, transaction
from django.http import HttpRequest, JsonResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from rest_framework import serializers
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.api import limits
from apps.orders.models import Order, OrderLine
from apps.shops.models import Shop
from config import urls

LIMIT = """
WITH draft AS (
    SELECT * FROM json_to_recordset(%(rows)s::json) AS draft (
        id uuid, ext_order_id text, number text, currency text, total numeric, destination jsonb, lines json
    )
), made AS (
    INSERT INTO orders_order (
        id, organization_id, integration_id, shop_id, ext_order_id, ext_fulfillment_order_id, number, source, state,
        tags, notes, shipping_method, destination, customer, email, currency, total, digest
    )
    SELECT id, %(organization)s, %(integration)s, %(shop)s, ext_order_id, '', number, 'api', 'new', '{}', '', '',
           destination, '{}', '', currency, total, ''
    FROM draft ON CONFLICT DO NOTHING RETURNING id
), lined AS (
    INSERT INTO orders_orderline (
        organization_id, order_id, position, ext_line_id, sku, name, ext_product_id, ext_variant_id, quantity, price
    )
    SELECT %(organization)s, draft.id, row_number() OVER (PARTITION BY draft.id), line.ext_line_id, line.sku, '', '',
           '', line.quantity, line.price
    FROM made JOIN draft USING (id) CROSS JOIN LATERAL json_to_recordset(draft.lines) AS line (
        ext_line_id text, sku text, quantity integer, price numeric
    )
)
SELECT id FROM made
"""


@csrf_exempt
def bare(request: HttpRequest) -> JsonResponse:
    body = json.loads(request.body)
    rows = [one | {"id": str(uuid4())} for one in body.get("orders", [body])]
    with connection.cursor() as cursor:
        cursor.execute(LIMIT, OWNER | {"rows": json.dumps(rows)})
        made = [str(pk) for (pk,) in cursor.fetchall()]
    return JsonResponse({"ids": made})


class LineSerializer(serializers.ModelSerializer):
    class Meta:
        model = OrderLine
        fields = ["sku", "quantity", "ext_line_id", "price"]


class OrderSerializer(serializers.ModelSerializer):
    lines = LineSerializer(many=True)

    class Meta:
        model = Order
        fields = ["id", "ext_order_id", "number", "currency", "total", "destination", "lines"]
        validators: list[Any] = []

    @transaction.atomic
    def create(self, values: dict[str, Any]) -> Order:
        lines = values.pop("lines")
        order = Order.objects.create(**values, **{f"{name}_id": value for name, value in OWNER.items()})
        own = {"organization_id": OWNER["organization"], "order": order}
        OrderLine.objects.bulk_create(OrderLine(**own, position=n, **line) for n, line in enumerate(lines))
        return order


class Plain(APIView):
    authentication_classes: Any = []
    permission_classes: Any = []
    parser_classes = [JSONParser]
    renderer_classes = [JSONRenderer]

    def post(self, request: Request) -> Response:
        form = OrderSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        form.save()
        return Response(form.data)


found = Shop.objects.get()
OWNER = {"organization": found.organization_id, "integration": found.integration_id, "shop": found.pk}
limits.CALLS = limits.CALLS_OF_A_SHOP = limits.Rate(1_000_000, 1_000_000)
urls.urlpatterns.insert(0, path("bench/", include([path("bare", bare), path("plain", Plain.as_view())])))
