"""An organization that has one of everything, and the callers and people who may want to see it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import connection, transaction
from django.db.models import Model
from django.utils import timezone

from apps.accounts.models import Organization, User
from apps.catalog.models import Product
from apps.integrations.models import ApiKey, Integration, ReachableStore, SecretSettings
from apps.orders.models import OrderLine
from apps.shops.models import Shop
from tests import factories


@dataclass
class World:
    """`rows` by what they are; every text of theirs holds the organization's name, so that it shows where it leaks."""

    organization: Organization
    owner: User
    rows: dict[str, Any] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["rows"][name]
        except KeyError:
            raise AttributeError(name) from None

    def of(self, model: type[Model], **fields: Any) -> Any:
        """A row of this model."""
        return model._base_manager.filter(organization=self.organization, **fields).first()


def make_world(name: str) -> World:
    """One of everything, in an organization of this name."""
    organization = factories.make_organization(name=name)
    made = World(organization, factories.make_member(organization=organization, email=f"owner@{name}.example"))
    made.rows |= _stores(organization, name)
    made.rows |= _partners(made, name)
    # The newest one, with no hook: nothing but the key over both columns keeps a hook from moving to another world's.
    made.rows["own_endpoint"] = factories.make_endpoint(organization=organization, name=f"own ear of {name}")
    # Lines of two worlds stand at different places, so that nothing but the key over both columns keeps them apart.
    OrderLine.objects.filter(organization=organization).update(position=len(name))
    return made


def _stores(organization: Organization, name: str) -> dict[str, Any]:
    """What hangs on a store connected at a platform by its owner."""
    now = timezone.now()
    integration = factories.make_integration(organization=organization, name=name, account_name=name)
    brand = factories.brand_of(integration, name=f"Brand of {name}", stores_listed_at=now)
    store = factories.make_store(brand=brand, name=f"Store of {name}", address=f"1 {name} Street")
    free = factories.make_store(brand=brand, name=f"Free store of {name}")
    shop = factories.make_shop(integration=integration, store=store, name=f"Shop of {name}", ext_shop_id=f"id-{name}")
    connection = factories.make_connection(shop=shop)
    product = factories.make_product(organization=organization, sku=f"SKU-{name}", name=f"Hat of {name}")
    listing = factories.make_listing(shop=shop, product=product)
    run = factories.make_run(connection=connection)
    return {
        "integration": integration, "brand": brand, "store": store, "free_store": free, "shop": shop,
        "connection": connection, "product": product, "listing": listing, "run": run,
        "failure": factories.make_failure(run=run, ref=f"bad-{name}"),
        "repair": factories.make_repair(run=run, ref=f"untold-{name}"),
        "revision": factories.make_revision(integration=integration, document={"name": f"former {name}"}),
        "mapping": factories.make_mapping(integration=integration, pairs=[[f"A of {name}", f"B of {name}"]]),
        "pair": factories.make_pair(integration=integration, first=f"A of {name}", second=f"B of {name}"),
        "known_page": factories.make_known_page(shop=shop), "counted_page": factories.make_counted_page(run=run),
        "publication": factories.make_publication(listing=listing), "feed": factories.make_feed(shop=shop),
        "drift": factories.make_drift(listing=listing), "handover": factories.make_handover(
            integration=integration, product=product, remote_id=f"told to {name}"
        ),
        "shipping_method": factories.make_shipping_method(integration=integration, name=f"method of {name}"),
        "shipping_service": factories.make_shipping_service(integration=integration, code=f"service of {name}"),
        **_orders(shop, product, name), **_inbox(integration, name),
        "receipt": factories.make_receipt(integration=integration, remote_id=f"delivery to {name}"),
        **_hooks(integration, str(product.pk), name),
        "ignored_sku": factories.make_ignored_sku(integration=integration, sku=f"ignored {name}"),
        "draft": factories.make_draft(integration=integration, brand=brand, store=free),
        "invitation": factories.make_invitation(organization=organization, token=f"invitation to {name}"),
        "attempt": factories.make_attempt(
            user=factories.make_member(organization=organization), state=name, integration=integration
        ),
    }  # fmt: skip


def _inbox(integration: Integration, name: str) -> dict[str, Any]:
    inbox = factories.make_inbox(integration=integration, token=f"inbox of {name}")
    return {"inbox": inbox, "inbox_secret": factories.make_inbox_secret(inbox=inbox)}


def _orders(shop: Shop, product: Product, name: str) -> dict[str, Any]:
    """An order of its shop, what waits for it, what its warehouse does, and what all of them go by."""
    organization, lines = shop.organization, [{"sku": product.sku, "product": product, "quantity": 2}]
    order = factories.make_order(shop=shop, number=f"order of {name}", email=f"ann@{name}.example", lines=lines)
    place = factories.make_location(organization=organization, name=f"shelf of {name}")
    fulfillment = factories.make_fulfillment(order=order, location=place)
    return {
        "order": order, "fulfillment": fulfillment,
        "parcel": factories.make_parcel(fulfillment=fulfillment, tracking_number=f"parcel of {name}"),
        "hindrance": factories.make_hindrance(order=order, ref=f"nobody's at {name}"),
        "entry": factories.make_entry(order=order, actor=f"somebody at {name}"),
        "nudge": factories.make_nudge(organization=organization, ref=f"news of {name}"),
        "routing_rule": factories.make_routing_rule(
            organization=organization, name=f"rule of {name}", kind="route", location=place
        ),
        "order_feed": factories.make_order_feed(integration=shop.integration, detail=f"told to {name}"),
        "bookmark": factories.make_bookmark(shop=shop, cursor=f"page of {name}"),
    }  # fmt: skip


def _hooks(integration: Integration, product_id: str, name: str) -> dict[str, Any]:
    """Somebody who hears of a product, what became of that, and what has still to be given to them."""
    event = factories.make_event(organization=integration.organization, entity_id=product_id, data={"sku": name})
    endpoint = factories.make_endpoint(
        integration=integration, url=f"https://{name}.example/hear", name=f"ear of {name}"
    )
    hook = factories.make_hook(endpoint=endpoint, event="product.created")
    delivery = factories.make_delivery(hook=hook, event=event)
    return {
        "event": event, "endpoint": endpoint, "hook": hook, "delivery": delivery,
        "signing_secret": factories.make_signing_secret(endpoint=endpoint),
        "delivery_attempt": factories.make_try(delivery=delivery, body=f"answer of {name}"),
        "notice": factories.make_notice(endpoint=endpoint), "outgoing": factories.make_outgoing(event=event),
    }  # fmt: skip


def _partners(made: World, name: str) -> dict[str, Any]:
    """A registered application that was consented to, and a custom integration with its keys."""
    organization = made.organization
    registered = factories.make_partner_integration(
        organization=organization, partner=factories.make_partner(name=f"Partner at {name}"), name=f"App at {name}"
    )
    ReachableStore.objects.create(organization=organization, integration=registered, store=made.store)
    authorization = factories.make_authorization(integration=registered, user=made.owner)
    of_shop = factories.make_authorization(integration=registered, user=made.owner, is_lasting=True)
    custom = factories.make_custom_integration(organization=organization, name=f"Custom of {name}")
    secret = SecretSettings(organization=organization, integration=custom)
    secret.secrets = {"api_key": f"secret of {name}"}
    secret.save()
    return {
        "registered": registered, "authorization": authorization, "custom": custom, "secret_settings": secret,
        "connector": custom.partner,
        "own_inbox": factories.make_inbox(integration=custom, token=f"own inbox of {name}"),
        **_connected(made, registered, as_="registered", ext_shop_id=f"theirs-{name}", authorization=of_shop),
        **_connected(made, custom, as_="custom", ext_shop_id=f"own-{name}"),
        "token": factories.make_access_token(authorization=authorization),
        "shop_token": factories.make_access_token(authorization=of_shop),
        "key": factories.make_key(integration=custom, name=f"Key of {name}"),
        "connector_key": factories.make_connector_key(integration=custom, name=f"Connector key of {name}"),
        "user_key": factories.make_key(user=made.owner, name=f"User key of {name}"),
        "custom_key": ApiKey.objects.get(name=f"Key of {name}"),
    }  # fmt: skip


def _connected(made: World, integration: Integration, *, as_: str, **fields: Any) -> dict[str, Any]:
    """The integration's own shop, connection and run for the world's store; a product, and a place where it lies."""
    shop = factories.make_shop(integration=integration, store=made.store, name=f"{as_} {made.organization}", **fields)
    connection = factories.make_connection(shop=shop)
    run = factories.make_run(connection=connection)
    sku = f"{as_} SKU of {made.organization}"
    product = factories.make_product(organization=made.organization, sku=sku, name=f"{as_} hat of {made.organization}")
    listing = factories.make_listing(shop=shop, product=product, ext_product_id=sku)
    location = factories.make_location(
        integration=integration, ext_location_id=sku, name=f"{as_} hall of {made.organization}"
    )
    order = factories.make_order(
        shop=shop, number=f"{as_} order of {made.organization}", lines=[{"sku": sku, "product": product}]
    )
    level = factories.make_level(product=product, location=location)
    fulfillment = factories.make_fulfillment(order=order, location=location)
    # At an address that nothing is sent to: a test of the hook is refused at once, and takes no time.
    endpoint = factories.make_endpoint(
        integration=integration, shop=shop, url=f"https://127.0.0.1/{as_}/{order.number}"
    )
    hook = factories.make_hook(endpoint=endpoint, event="product.created")
    return {
        f"{as_}_hook": hook, f"{as_}_delivery": factories.make_delivery(hook=hook, state="failed"),
        f"{as_}_order": order, f"{as_}_shop": shop, f"{as_}_connection": connection,
        f"{as_}_run": run, f"{as_}_listing": listing,
        f"{as_}_location": location, f"{as_}_level": level, f"{as_}_fulfillment": fulfillment,
        f"{as_}_held_report": factories.make_held_report(location=location, sku=f"unknown to {made.organization}"),
    }  # fmt: skip


@contextmanager
def undone() -> Iterator[None]:
    """Whatever is changed inside is as it was afterwards."""
    before = transaction.savepoint_create()
    yield
    transaction.savepoint_rollback(before)


def everything_of(organization: Organization) -> list[tuple[str, str]]:
    """Every row of an organization, and of what hangs on one, with its table. One query: there are many tables."""
    rows = "SELECT '{0}', to_jsonb(one)::text FROM {0} one"
    own = [f"{rows} WHERE organization_id = %(pk)s".format(model._meta.db_table) for model in _tenants()]
    hung = f"{rows} JOIN integrations_authorization held ON held.id = authorization_id WHERE organization_id = %(pk)s"
    hanging = [hung.format(apps.get_model("integrations", name)._meta.db_table) for name in HANGING]
    itself = f"{rows} WHERE id = %(pk)s".format(Organization._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join([*own, *hanging, itself]) + " ORDER BY 1, 2", {"pk": organization.pk})
        return cursor.fetchall()


HANGING = ("AccessToken", "Grant", "RefreshToken")


def _tenants() -> list[type[Model]]:
    return [model for model in apps.get_models() if is_tenants(model)]


def is_tenants(model: type[Model]) -> bool:
    """Whether each row is some organization's."""
    try:
        return model._meta.get_field("organization").related_model is Organization
    except FieldDoesNotExist:
        return False
