"""An example of the data of each event: a hat, how many of it there are, and how two of them are sold."""

from typing import Any

type Sample = dict[str, Any]

LEVEL = "2041"
SHOP = "0197c2a4-5d1e-7b52-9f0c-3a6d2e8b4f10"
INTEGRATION_ID = "0197c2a4-3b7f-7c11-8a2d-6e5f4d3c2b1a"
LOCATION = "0197c2a5-0c2b-7d43-b6e1-9d8c7b6a5f4e"
ORDER_ID = "0197c2b0-8e4a-7f65-a3b2-1c0d9e8f7a6b"
FULFILLMENT_ID = "0197c2b1-2d5c-7a76-94c3-0b1a2c3d4e5f"
EXT_SHOP = "hats-nl"

PRODUCT: Sample = {
    "id": 501,
    "sku": "HAT-BLACK-M",
    "name": "Top hat, black, M",
    "barcodes": ["8710000000017"],
    "image_src": "https://pictures.example.com/hat-black.jpg",
    "price": {"currency": "EUR", "value": "79.95"},
    "weight": 420,
    "length": 310,
    "width": 280,
    "height": 165.5,
    "hs_code": "6506.99",
    "country_of_origin": "PT",
    "brand": "Great Hats",
    "type": "Hat",
    "tags": ["felt"],
    "version": 1,
    "created_at": "2026-11-21T12:00:00.250Z",
    "updated_at": "2026-11-21T12:00:00.250Z",
    "archived_at": None,
}
PRODUCT_CHANGED = PRODUCT | {
    "price": {"currency": "EUR", "value": "69.95"},
    "version": 4,
    "created_at": "2026-03-02T08:15:00.000Z",
}
PRODUCT_ARCHIVED = PRODUCT_CHANGED | {"version": 5, "archived_at": "2026-11-21T12:00:00.250Z"}

STOCK: Sample = {
    "product_id": 501,
    "sku": "HAT-BLACK-M",
    "name": "Top hat, black, M",
    "location_id": LOCATION,
    "location_name": "Utrecht",
    "location_kind": "grid",
    "in_stock": 18,
    "reserved": 2,
    "available": 16,
    "incoming": 0,
    "cause": "fulfillment",
    "change": -2,
}

ORDER_LINE: Sample = {
    "id": 90211,
    "ext_line_id": "1001-1",
    "sku": "HAT-BLACK-M",
    "product_id": 501,
    "quantity": 2,
    "shipped": 0,
    "cancelled": 0,
    "price": "69.95",
}
ORDER: Sample = {
    "id": ORDER_ID,
    "shop_id": SHOP,
    "ext_order_id": "1001",
    "ext_fulfillment_order_id": "",
    "number": "#1001",
    "state": "new",
    "before": "",
    "tags": ["gift"],
    "shipping_method": "Express",
    "currency": "EUR",
    "total": "144.85",
    "priority": 0,
    "placed_at": "2026-11-21T11:58:31.000Z",
    "created_at": "2026-11-21T12:00:00.250Z",
    "updated_at": "2026-11-21T12:00:00.250Z",
    "cancel_requested_at": None,
    "cancelled_at": None,
    "version": 1,
    "line_count": 1,
    "lines": [ORDER_LINE],
}
ORDER_CHANGED = ORDER | {
    "state": "fulfilled",
    "before": "picking",
    "created_at": "2026-11-21T09:30:12.000Z",
    "version": 5,
    "lines": [ORDER_LINE | {"shipped": 2}],
}
ORDER_CANCELLED = ORDER | {
    "state": "cancelled",
    "before": "pending_stock",
    "created_at": "2026-11-21T09:30:12.000Z",
    "cancelled_at": "2026-11-21T12:00:00.250Z",
    "version": 3,
}

FULFILLED_LINE: Sample = {
    "line_id": 90211,
    "ext_line_id": "1001-1",
    "sku": "HAT-BLACK-M",
    "product_id": 501,
    "quantity": 2,
    "shipped": 0,
}
FULFILLMENT: Sample = {
    "id": FULFILLMENT_ID,
    "order_id": ORDER_ID,
    "ext_order_id": "1001",
    "ext_fulfillment_order_id": "",
    "number": "#1001",
    "shop_id": SHOP,
    "location_id": LOCATION,
    "location_name": "Utrecht",
    "state": "ready",
    "before": "",
    "reason": "",
    "service": "express",
    "service_name": "Express",
    "version": 1,
    "created_at": "2026-11-21T12:00:00.250Z",
    "updated_at": "2026-11-21T12:00:00.250Z",
    "finished_at": None,
    "line_count": 1,
    "lines": [FULFILLED_LINE],
    "parcel_count": 0,
    "parcels": [],
}
FULFILLMENT_CHANGED = FULFILLMENT | {
    "state": "shipped",
    "before": "picking",
    "version": 4,
    "created_at": "2026-11-21T10:05:44.000Z",
    "finished_at": "2026-11-21T12:00:00.250Z",
    "lines": [FULFILLED_LINE | {"shipped": 2}],
    "parcel_count": 1,
    "parcels": [
        {
            "id": "0197c2b3-7e6d-7b87-85d4-9f0e1d2c3b4a",
            "carrier": "PostNL",
            "tracking_number": "3SABCD1234567",
            "tracking_url": "https://track.example.com/3SABCD1234567",
            "shipped_at": "2026-11-21T11:59:58.000Z",
            "lines": [{"line_id": 90211, "ext_line_id": "1001-1", "sku": "HAT-BLACK-M", "quantity": 2}],
        }
    ],
}

CONNECTION: Sample = {
    "id": "0197c2a4-6f2d-7e98-b1a0-5c4b3a291807",
    "state": "active",
    "before": "connecting",
    "reason": "",
    "name": "Great Hats, Netherlands",
    "connector": "great-hats",
    "integration_id": INTEGRATION_ID,
    "shop_id": SHOP,
    "ext_shop_id": EXT_SHOP,
}
INTEGRATION: Sample = {
    "id": INTEGRATION_ID,
    "state": "needs_reconnect",
    "before": "connected",
    "reason": "Its permission was taken back there.",
    "name": "Great Hats",
    "connector": "great-hats",
    "is_deleted": False,
}
SYNC_RUN: Sample = {
    "id": "0197c2b4-1a9e-7fa9-a6e5-8d7c6b5a4938",
    "sync": "products",
    "state": "partial",
    "before": "running",
    "error": "",
    "done": 1240,
    "total": 1240,
    "created_count": 12,
    "updated_count": 31,
    "removed_count": 0,
    "failed_count": 2,
    "created_at": "2026-11-21T11:59:02.000Z",
    "started_at": "2026-11-21T11:59:03.100Z",
    "finished_at": "2026-11-21T12:00:00.250Z",
    "integration_id": INTEGRATION_ID,
    "connector": "great-hats",
    "shop_id": SHOP,
    "ext_shop_id": EXT_SHOP,
}
