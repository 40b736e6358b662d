"""Thousands of products for a channel, written into Vendure's own tables: through its API they would take minutes.

Each is a copy of a product that its sample has, with its one variant, texts, price and stock.
"""

from collections.abc import Mapping
from typing import Any, LiteralString, cast

import psycopg
from psycopg import sql


def fill(database: str, *, channel: int, currency: str, products: int) -> None:
    """That many products, offered in this channel only. Their SKUs are GEN-00001 and so on."""
    with psycopg.connect(database) as connection:
        model = connection.execute('SELECT min(id) FROM product_variant WHERE "deletedAt" IS NULL').fetchone()
        assert model
        variant = model[0]
        [product] = _column(connection, "productId", "product_variant", variant)
        made = _copies(connection, "product", "id", product, numbers=range(1, products + 1), changed={})
        names = {"slug": "'generated-' || n", "name": "'Generated product ' || n", '"baseId"': "ref"}
        _copies(connection, "product_translation", "baseId", product, numbers=made, changed=names)
        own = {"sku": "'GEN-' || lpad(n::text, 5, '0')", '"productId"': "ref"}
        variants = _copies(connection, "product_variant", "id", variant, numbers=made, changed=own)
        texts = {"name": "'Generated variant ' || n", '"baseId"': "ref"}
        _copies(connection, "product_variant_translation", "baseId", variant, numbers=variants, changed=texts)
        price = {"price": "100 + n", '"variantId"': "ref", '"channelId"': str(channel)}
        price['"currencyCode"'] = f"'{currency}'"
        _copies(connection, "product_variant_price", "variantId", variant, numbers=variants, changed=price)
        stock = {'"stockOnHand"': "n %% 100", '"stockAllocated"': "0", '"productVariantId"': "ref"}
        _copies(connection, "stock_level", "productVariantId", variant, numbers=variants, changed=stock)
        for table, column, ids in (("product", "productId", made), ("product_variant", "productVariantId", variants)):
            connection.execute(
                sql.SQL('INSERT INTO {} ({}, "channelId") SELECT unnest(%s::int[]), %s').format(
                    sql.Identifier(f"{table}_channels_channel"), sql.Identifier(column)
                ),
                [list(ids), channel],
            )


def _column(connection: psycopg.Connection[Any], column: str, table: str, row: int) -> list[Any]:
    query = sql.SQL("SELECT {} FROM {} WHERE id = %s").format(sql.Identifier(column), sql.Identifier(table))
    return list(connection.execute(query, [row]).fetchone() or ())


def _copies(
    connection: psycopg.Connection[Any],
    table: str,
    key: str,
    value: int,
    *,
    numbers: Any,
    changed: Mapping[str, str],
) -> list[int]:
    """One copy of the first row whose `key` is `value` for each of the numbers; the new ids, in their order.

    In `changed`, `ref` is the number and `n` its place, from 1.
    """
    columns = connection.execute(
        "SELECT quote_ident(column_name) FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name = %s AND column_name <> 'id'",
        [table],
    ).fetchall()
    names = [name for (name,) in columns]
    parts = [", ".join(names), ", ".join(changed.get(name, f"model.{name}") for name in names)]
    statement = sql.SQL(
        "INSERT INTO {table} ({}) SELECT {} FROM unnest(%s::int[]) WITH ORDINALITY AS copy (ref, n),"
        " (SELECT * FROM {table} WHERE {key} = %s ORDER BY id LIMIT 1) AS model ORDER BY n RETURNING id"
    ).format(
        *(sql.SQL(cast(LiteralString, part)) for part in parts), table=sql.Identifier(table), key=sql.Identifier(key)
    )
    found = connection.execute(statement, [list(numbers), value]).fetchall()
    return [number for (number,) in found]
