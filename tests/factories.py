"""Rows for tests. Every `make_…` fills in what its caller does not care about, and saves.

Whatever a row hangs on is made along with it, in one organization: a connection brings its integration, brand, store
and shop. Any field can be given by keyword.
"""

from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import uuid4

from django.db.models import F
from django.utils import timezone
from oauth2_provider.models import set_token_value

from apps.accounts.models import Brand, Invitation, Membership, Organization, Role, Store, User, digest
from apps.api.grants import CONSENTED
from apps.api.tokens import ACCESS, CONNECTOR_KEY, INTEGRATION_KEY, USER_KEY, new_token
from apps.api.tokens import CLIENT_SECRET as CLIENT_SECRET_PREFIX
from apps.audit.trail import Actor
from apps.catalog.models import (
    Handover,
    HeldReport,
    IgnoredSku,
    KnownPage,
    Listing,
    Location,
    Product,
    Publication,
    SkuMapping,
    SkuPair,
    StockFeed,
    StockLevel,
    StockMovement,
)
from apps.desk.models import Dismissal, Job, View
from apps.integrations.connectors import get_connector
from apps.integrations.models import (
    AccessToken,
    ApiKey,
    Application,
    ApplicationToken,
    Authorization,
    AuthorizationAttempt,
    Credential,
    Integration,
    PartnerConnector,
    Revision,
)
from apps.orders.models import (
    Entry,
    Fulfillment,
    FulfillmentLine,
    Hindrance,
    Nudge,
    Order,
    OrderLine,
    Parcel,
    RoutingRule,
    ShippingMethod,
    ShippingService,
)
from apps.shops.models import Connection, Shop
from apps.syncs.models import Bookmark, CountedPage, Drift, OrderFeed, Repair, SyncFailure, SyncRun
from apps.webhooks.catalogue import EVENTS
from apps.webhooks.models import (
    Attempt,
    Delivery,
    Endpoint,
    Event,
    Hook,
    Inbox,
    InboxSecret,
    Notice,
    Outgoing,
    Receipt,
    SigningSecret,
)
from apps.webhooks.signing import new_key

PASSWORD = "correct horse battery staple"
OWNER_TOKEN = "token-of-the-owner"
APPLICATION_TOKEN = "token-of-our-application"
INVITATION_TOKEN = "token-of-an-invitation"
CLIENT_SECRET = new_token(CLIENT_SECRET_PREFIX)
CALLBACK_URL = "https://partner.example/callback"

number = count(1)


def make_organization(**fields: Any) -> Organization:
    return Organization.objects.create(**{"name": f"Organization {next(number)}"} | fields)


def make_user(*, password: str = PASSWORD, **fields: Any) -> User:
    """Somebody who belongs to no organization."""
    return User.objects.create_user(fields.pop("email", f"person{next(number)}@example.com"), password, **fields)


def make_actor(user: User | None = None) -> Actor:
    """This person at a page."""
    user = user or make_user()
    return Actor(user.email, user_id=user.pk, address="192.0.2.7")


def make_membership(
    *, organization: Organization | None = None, user: User | None = None, role: str = Role.OWNER
) -> Membership:
    return Membership.objects.create(
        organization=organization or make_organization(), user=user or make_user(), role=role
    )


def make_member(*, organization: Organization | None = None, role: str = Role.OWNER, **fields: Any) -> User:
    """Somebody who belongs to an organization, by default the owner of a new one."""
    return make_membership(organization=organization, user=make_user(**fields), role=role).user


def make_invitation(
    *, organization: Organization | None = None, token: str = INVITATION_TOKEN, **fields: Any
) -> Invitation:
    """An open invitation; `token` is what its link ends with."""
    now = timezone.now()
    defaults = {"email": f"guest{next(number)}@example.com", "sent_at": now, "expires_at": now + Invitation.LIFETIME}
    return Invitation.objects.create(
        organization=organization or make_organization(), token_digest=digest(token), **defaults | fields
    )


def make_brand(*, organization: Organization | None = None, **fields: Any) -> Brand:
    """A brand that nobody outside told us about, unless a `source` is given."""
    defaults = {"name": f"Brand {next(number)}", "organization": organization or make_organization()}
    return Brand.objects.create(**defaults | fields)


def make_store(*, brand: Brand | None = None, **fields: Any) -> Store:
    brand = brand or make_brand()
    defaults = {"name": f"Store {next(number)}", "address": "1 Main Street, Springfield"}
    return Store.objects.create(**defaults | fields, brand=brand, organization=brand.organization)


def make_integration(
    *, organization: Organization | None = None, secrets: dict[str, Any] | None = None, **fields: Any
) -> Integration:
    """A connected one, at Otter by default, that holds a token without an end; `secrets={}` makes it hold none."""
    defaults = {"connector": "otter", "state": Integration.State.CONNECTED, "account_ref": str(uuid4())}
    defaults |= {"name": "Otter: Great Hats", "account_name": "Great Hats"}
    made = Integration.objects.create(organization=organization or make_organization(), **defaults | fields)
    if secrets is None or secrets:
        make_credential(integration=made, secrets=secrets or {"access_token": OWNER_TOKEN})
    return made


def make_credential(*, integration: Integration, secrets: dict[str, Any], **fields: Any) -> Credential:
    made = Credential(integration=integration, organization=integration.organization, **fields)
    made.secrets = secrets
    made.save()
    return made


def make_application_token(
    *, connector: str = "otter", token: str = APPLICATION_TOKEN, **fields: Any
) -> ApplicationToken:
    """The 3PL's own token at a platform; without an end by default."""
    made = ApplicationToken(connector=connector, **fields)
    made.secrets = {"access_token": token, "asked": " ".join(get_connector(connector).auth.application_scopes)}
    made.save()
    return made


def make_attempt(
    *, user: User | None = None, state: str = "a-state", browser: str = "a-browser", **fields: Any
) -> AuthorizationAttempt:
    """A trip to Otter's login page that has not come back yet."""
    user = user or make_member()
    defaults = {
        "organization": user.organization,
        "connector": "otter",
        "subject": uuid4(),
        "state_digest": digest(state),
        "browser_digest": digest(browser),
        "expires_at": timezone.now() + AuthorizationAttempt.LIFETIME,
    }
    made = AuthorizationAttempt(user=user, **defaults | fields)
    made.secrets = {"verifier": "v" * 43}
    made.save()
    return made


def make_shop(*, integration: Integration | None = None, store: Store | None = None, **fields: Any) -> Shop:
    integration = integration or make_integration()
    store = store or make_store(brand=brand_of(integration))
    defaults = {"name": store.name, "ext_shop_id": f"shop-{next(number)}"}
    return Shop.objects.create(
        organization=integration.organization, integration=integration, store=store, **defaults | fields
    )


def brand_of(integration: Integration, **fields: Any) -> Brand:
    """A new brand, as the integration's platform tells of it."""
    return make_brand(organization=integration.organization, source=integration.source, **fields)


def make_draft(*, organization: Organization | None = None, **fields: Any) -> Connection:
    """A wizard just begun: the platform is chosen and nothing else, unless given."""
    integration = fields.get("integration")
    organization = organization or (integration.organization if integration else make_organization())
    defaults = {"connector": integration.connector if integration else "otter"}
    return Connection.objects.create(organization=organization, **defaults | fields)


def make_connection(
    *, integration: Integration | None = None, organization: Organization | None = None, **fields: Any
) -> Connection:
    """A store connected under its shop's id; active, unless another `state` is given."""
    if fields.get("shop"):
        integration = fields["shop"].integration
    integration = integration or make_integration(organization=organization)
    shop = fields.pop("shop", None) or make_shop(integration=integration, store=fields.pop("store", None))
    defaults = {
        "brand": shop.store.brand,
        "name": shop.name,
        "ext_shop_id": shop.ext_shop_id,
        "state": Connection.State.ACTIVE,
        "connected_at": timezone.now(),
    }
    return Connection.objects.create(
        organization=integration.organization,
        connector=integration.connector,
        integration=integration,
        shop=shop,
        store=shop.store,
        **defaults | fields,
    )


def make_product(*, organization: Organization | None = None, **fields: Any) -> Product:
    sku = f"SKU-{next(number)}"
    defaults = {"sku": sku, "name": f"Product {sku}", "price": Decimal("9.99"), "currency": "USD"}
    return Product.objects.create(organization=organization or make_organization(), **defaults | fields)


def make_listing(*, shop: Shop | None = None, product: Product | None = None, **fields: Any) -> Listing:
    """How a shop names a product, by default in the product's own words."""
    organization = shop.organization if shop else product.organization if product else None
    shop = shop or make_shop(integration=make_integration(organization=organization))
    product = product or make_product(organization=shop.organization)
    same = ("sku", "name", "barcodes", "price", "currency", "image_src")
    defaults = {name: getattr(product, name) for name in same} | {"ext_product_id": str(uuid4()), "quantity": 10}
    return Listing.objects.create(organization=shop.organization, shop=shop, product=product, **defaults | fields)


def make_run(*, connection: Connection | None = None, **fields: Any) -> SyncRun:
    """An import of products that waits for its turn, due at once."""
    connection = connection or make_connection()
    return SyncRun.objects.create(
        organization=connection.organization,
        integration=connection.integration,
        shop=connection.shop,
        **{"kind": SyncRun.Kind.PRODUCTS} | fields,
    )


def make_failure(*, run: SyncRun | None = None, **fields: Any) -> SyncFailure:
    run = run or make_run()
    return SyncFailure.objects.create(
        organization=run.organization, run=run, **{"ref": f"SKU-{next(number)}", "code": "no_name"} | fields
    )


def make_repair(*, run: SyncRun | None = None, **fields: Any) -> Repair:
    run = run or make_run()
    return Repair.objects.create(
        organization=run.organization, run=run, **{"ref": f"SKU-{next(number)}", "detail": "5"} | fields
    )


def make_partner(*, secret: str = CLIENT_SECRET, callback_url: str = CALLBACK_URL, **fields: Any) -> PartnerConnector:
    """A connector that a partner registered, with its OAuth client."""
    defaults = {"kind": PartnerConnector.Kind.REGISTERED, "name": f"Partner {next(number)}"}
    made = PartnerConnector(**defaults | {"email": "dev@partner.example"} | fields)
    made.secrets = {"client_secret": secret}
    made.save()
    Application.objects.create(
        connector=made,
        name=made.name,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
        redirect_uris=callback_url,
        client_secret=secret,
    )
    return made


def make_partner_integration(
    *, organization: Organization | None = None, partner: PartnerConnector | None = None, **fields: Any
) -> Integration:
    """A registered application put to work in an organization, allowed everything unless `grants` are given."""
    partner = partner or make_partner()
    defaults = {"name": partner.name, "grants": list(CONSENTED), "state": Integration.State.CONNECTED}
    organization = partner.organization or organization or make_organization()
    return Integration.objects.create(
        organization=organization, partner=partner, connector=str(partner.pk), **defaults | fields
    )


def make_custom_integration(*, organization: Organization | None = None, **fields: Any) -> Integration:
    """A custom connector with its one integration; `org_wide_access=True` lets it see all of its organization."""
    organization = organization or make_organization()
    partner = PartnerConnector(
        kind=PartnerConnector.Kind.CUSTOM,
        organization=organization,
        name=f"Custom {next(number)}",
        category=fields.pop("category", "logistics"),
        org_wide_access=fields.get("org_wide_access", False),
    )
    partner.secrets = {}
    partner.save()
    return make_partner_integration(partner=partner, **fields)


def make_revision(*, integration: Integration | None = None, **fields: Any) -> Revision:
    """A version of an integration's configuration, the first unless given."""
    integration = integration or make_integration()
    defaults = {"number": 1, "document": {"name": integration.name}, "actor": "anna@foo-3pl.example"}
    return Revision.objects.create(organization=integration.organization, integration=integration, **defaults | fields)


def make_authorization(
    *, integration: Integration | None = None, user: User | None = None, **fields: Any
) -> Authorization:
    """What an owner of the integration's organization consented to: all it may, unless a `scope` is given."""
    integration = integration or make_partner_integration()
    user = user or make_member(organization=integration.organization)
    return Authorization.objects.create(
        organization=integration.organization,
        integration=integration,
        application=integration.partner.application,
        user=user,
        **{"scope": " ".join(integration.grants)} | fields,
    )


def make_access_token(*, authorization: Authorization | None = None, **fields: Any) -> str:
    """The token itself, good for an hour."""
    authorization = authorization or make_authorization()
    token = new_token(ACCESS)
    made = AccessToken(
        authorization=authorization,
        application=authorization.application,
        user=authorization.user,
        **{"scope": authorization.scope, "expires": timezone.now() + timedelta(hours=1)} | fields,
    )
    set_token_value(made, token)
    made.save()
    return token


def make_key(
    *, integration: Integration | None = None, user: User | None = None, grants: list[str] | None = None, **fields: Any
) -> str:
    """The key itself: a user's legacy key when a `user` is given, else an integration's. Allowed everything."""
    if user is None:
        integration = integration or make_custom_integration()
    kind, prefix = (ApiKey.Kind.USER, USER_KEY) if user else (ApiKey.Kind.INTEGRATION, INTEGRATION_KEY)
    token = new_token(prefix)
    ApiKey.objects.create(
        organization=user.organization if user else integration.organization,
        kind=kind,
        integration=integration,
        user=user,
        grants=list(CONSENTED) if grants is None else grants,
        prefix=token[:10],
        token_digest=digest(token),
        **{"name": f"Key {next(number)}"} | fields,
    )
    return token


def make_connector_key(*, integration: Integration, **fields: Any) -> str:
    """The key to the definition of the integration's custom connector."""
    token = new_token(CONNECTOR_KEY)
    ApiKey.objects.create(
        organization=integration.organization,
        kind=ApiKey.Kind.CONNECTOR,
        connector=integration.partner,
        prefix=token[:10],
        token_digest=digest(token),
        **{"name": f"Key {next(number)}"} | fields,
    )
    return token


def make_pair(*, integration: Integration | None = None, **fields: Any) -> SkuPair:
    """A pair of SKUs that holds, of a shop's integration unless another is given."""
    integration = integration or make_integration()
    defaults = {"first": f"FIRST-{next(number)}", "second": f"SECOND-{next(number)}"}
    return SkuPair.objects.create(**defaults | fields, integration=integration, organization=integration.organization)


def make_location(*, organization: Organization | None = None, **fields: Any) -> Location:
    """A shelf of an organization where people store and pick; the 3PL's own with `shared=True`."""
    shared = fields.pop("shared", False)
    integration = fields.get("integration")
    organization = organization or (integration.organization if integration else make_organization())
    defaults = {"name": f"Shelf {next(number)}", "kind": Location.Kind.SHELF}
    return Location.objects.create(organization=None if shared else organization, **defaults | fields)


def make_level(*, product: Product | None = None, location: Location | None = None, **numbers: Any) -> StockLevel:
    """Pieces of a product at a location, 10 on hand unless given, with the line of the ledger that brought them."""
    organization = product.organization if product else location.organization if location else None
    product = product or make_product(organization=organization)
    location = location or make_location(organization=product.organization)
    numbers = {"on_hand": 10, "version": 1} | numbers
    made = StockLevel.objects.create(organization=product.organization, product=product, location=location, **numbers)
    make_movement(level=made)
    return made


def make_movement(*, level: StockLevel, **fields: Any) -> StockMovement:
    """The line that brought all of a level, unless given."""
    pieces = ("on_hand", "reserved", "incoming", "reserved_incoming")
    defaults = {name: getattr(level, name) for name in pieces}
    defaults |= {f"{name}_change": getattr(level, name) for name in pieces}
    defaults |= {"sequence": level.version, "cause": StockMovement.Cause.OPERATOR, "actor": "anna@foo-3pl.example"}
    return StockMovement.objects.create(organization=level.organization, level=level, **defaults | fields)


def make_publication(*, listing: Listing | None = None, **fields: Any) -> Publication:
    """What the shop of a listing was told of it: nothing yet, and it is owed, unless given."""
    listing = listing or make_listing()
    defaults = {"due_at": timezone.now()}
    return Publication.objects.create(
        organization=listing.organization, shop=listing.shop, product=listing.product, listing=listing,
        **defaults | fields,
    )  # fmt: skip


def make_held_report(*, location: Location | None = None, **fields: Any) -> HeldReport:
    """A warehouse's count of a SKU that is nobody's yet."""
    location = location or make_location(integration=make_integration())
    defaults = {"sku": f"UNKNOWN-{next(number)}", "on_hand": 7, "occurred_at": timezone.now()}
    return HeldReport.objects.create(
        organization=location.organization, integration=location.integration, location=location, **defaults | fields
    )


def make_mapping(*, integration: Integration | None = None, **fields: Any) -> SkuMapping:
    """A version of an integration's mapping, the first unless given."""
    integration = integration or make_integration()
    defaults = {"number": 1, "pairs": [["A", "B"]], "origin": SkuMapping.Origin.LINE, "actor": "anna@foo-3pl.example"}
    return SkuMapping.objects.create(
        organization=integration.organization, integration=integration, **defaults | fields
    )


def make_event(*, organization: Organization | None = None, **fields: Any) -> Event:
    defaults = {"type": Event.Type.PRODUCT_CREATED, "entity": "product", "entity_id": str(next(number)), "sequence": 1}
    return Event.objects.create(organization=organization or make_organization(), **defaults | fields)


def make_endpoint(
    *, organization: Organization | None = None, integration: Integration | None = None, **fields: Any
) -> Endpoint:
    """An address that its organization's people added, or an integration when one is given."""
    shop = fields.get("shop")
    owner = integration or shop
    organization = organization or (owner.organization if owner else make_organization())
    headers = fields.pop("headers", {})
    defaults = {"url": f"https://receiver.example/{next(number)}"}
    made = Endpoint(organization=organization, integration=integration, **defaults | fields)
    made.secrets = {"headers": headers}
    made.save()
    return made


def make_signing_secret(*, endpoint: Endpoint | None = None, key: str = "", **fields: Any) -> SigningSecret:
    endpoint = endpoint or make_endpoint()
    made = SigningSecret(endpoint=endpoint, organization=endpoint.organization, **fields)
    made.secrets = {"key": key or new_key()}
    made.save()
    return made


def make_hook(*, endpoint: Endpoint | None = None, event: str = "order.created", **fields: Any) -> Hook:
    """One of its endpoint's owner, for any published event."""
    endpoint = endpoint or make_endpoint()
    owner = {"organization": endpoint.organization, "integration": endpoint.integration, "shop": endpoint.shop}
    published = {"event": event, "source": EVENTS[event].source, "grant": EVENTS[event].grant}
    return Hook.objects.create(endpoint=endpoint, **owner | published | fields)


def make_delivery(*, hook: Hook | None = None, event: Event | None = None, **fields: Any) -> Delivery:
    """What its hook is owed of an event, to be sent unless another `state` is given."""
    hook = hook or make_hook()
    event = event or make_event(
        organization=hook.organization, type=hook.source, entity=EVENTS[hook.event].entity, data={}
    )
    Outgoing.objects.filter(event=event).delete()
    defaults = {"endpoint": hook.endpoint, "lane": f"{event.entity}:{event.entity_id}"}
    return Delivery.objects.create(organization=hook.organization, hook=hook, event=event, **defaults | fields)


def make_try(*, delivery: Delivery | None = None, **fields: Any) -> Attempt:
    """One try of a delivery, to which its receiver answered 500 unless told otherwise."""
    delivery = delivery or make_delivery()
    defaults = {"url": delivery.endpoint.url, "started_at": timezone.now(), "milliseconds": 20, "status": 500}
    return Attempt.objects.create(organization=delivery.organization, delivery=delivery, **defaults | fields)


def make_notice(*, endpoint: Endpoint | None = None, **fields: Any) -> Notice:
    endpoint = endpoint or make_endpoint()
    defaults = {"stage": Notice.Stage.STREAK, "failures": 5, "error": "timeout", "event_type": "order.created"}
    return Notice.objects.create(organization=endpoint.organization, endpoint=endpoint, **defaults | fields)


def make_outgoing(*, event: Event | None = None) -> Outgoing:
    """An event that has still to be given to the hooks that asked for it."""
    event = event or make_event()
    return Outgoing.objects.get_or_create(event=event, organization=event.organization)[0]


def make_inbox(*, integration: Integration | None = None, **fields: Any) -> Inbox:
    integration = integration or make_integration()
    defaults = {"token": uuid4().hex}
    return Inbox.objects.create(organization=integration.organization, integration=integration, **defaults | fields)


def make_inbox_secret(*, inbox: Inbox | None = None, key: str = "", **fields: Any) -> InboxSecret:
    """What the sender of a custom integration signs with; `key` is the text it was shown."""
    inbox = inbox or make_inbox(integration=make_custom_integration(), scheme=Inbox.Scheme.STANDARD)
    made = InboxSecret(inbox=inbox, organization=inbox.organization, **fields)
    made.secrets = {"key": key or new_key()}
    made.save()
    return made


def make_receipt(*, integration: Integration | None = None, **fields: Any) -> Receipt:
    """A webhook that waits to be opened."""
    integration = integration or make_integration()
    defaults = {"remote_id": str(uuid4()), "event_type": "inventory_levels.update", "body": b"{}"}
    return Receipt.objects.create(organization=integration.organization, integration=integration, **defaults | fields)


def make_warehouse(*, organization: Organization | None = None, **fields: Any) -> Connection:
    """A connected warehouse of Pio's, with its shop there, its inbox, and the one location it fulfils from."""
    organization = organization or make_organization()
    secrets = {"access_token": "token-of-a-shop", "token_type": "bearer"}
    account = {"connector": "pio", "account_ref": "pio", "account_name": "Pio"}
    integration = fields.pop("integration", None) or make_integration(
        organization=organization, secrets=secrets, **account
    )
    own = {"organization": integration.organization, "integration": integration}
    make_inbox(integration=integration)
    make_location(**own, kind=Location.Kind.GRID, name=f"Grid {next(number)}")
    named = {"name": "Great Hats", "ext_shop_id": f"hats-{next(number)}"}
    shop = Shop.objects.create(**own, **named)
    state = {"state": Connection.State.ACTIVE, "connected_at": timezone.now()}
    return Connection.objects.create(**own, connector=integration.connector, shop=shop, **named | state | fields)


def make_drift(*, connection: Connection | None = None, listing: Listing | None = None, **fields: Any) -> Drift:
    """A listing whose platform offered three pieces less than it was told, in two comparisons, unless given."""
    listing = listing or make_listing(shop=(connection or make_connection()).shop)
    defaults = {"product": listing.product, "ours": 5, "theirs": 2, "times": 2}
    return Drift.objects.create(organization=listing.organization, shop=listing.shop, **defaults | fields)


def make_feed(*, shop: Shop | None = None, **fields: Any) -> StockFeed:
    """The telling of a shop's platform, free to be claimed."""
    shop = shop or make_shop()
    return StockFeed.objects.create(organization=shop.organization, shop=shop, **fields)


def make_counted_page(*, run: SyncRun | None = None, **fields: Any) -> CountedPage:
    """The first page of a comparison, on which nothing was, unless given."""
    run = run or make_run(kind=SyncRun.Kind.COMPARE)
    defaults: dict[str, Any] = {"page": 1, "counts": []}
    return CountedPage.objects.create(organization=run.organization, run=run, **defaults | fields)


def make_known_page(*, shop: Shop | None = None, **fields: Any) -> KnownPage:
    """A page of a shop's list that was read before, with nothing on it, unless given."""
    shop = shop or make_shop()
    defaults = {"digest": uuid4().hex, "basis": "", "mark": "", "listings": [], "items": 0}
    return KnownPage.objects.create(organization=shop.organization, shop=shop, **defaults | fields)


def make_unlinked(*, shop: Shop | None = None, **fields: Any) -> Listing:
    """A listing whose SKU is nobody's yet."""
    shop = shop or make_shop()
    sku = f"SKU-{next(number)}"
    defaults = {"sku": sku, "name": f"Product {sku}", "ext_product_id": str(uuid4()), "status": "unlinked"}
    return Listing.objects.create(organization=shop.organization, shop=shop, **defaults | fields)


def make_handover(*, integration: Integration | None = None, product: Product | None = None, **fields: Any) -> Handover:
    """A product that a warehouse knows as it is."""
    integration = integration or make_integration(organization=product.organization if product else None)
    product = product or make_product(organization=integration.organization)
    defaults = {"sku": product.sku, "remote_id": str(next(number)), "version": product.version}
    place = {"organization": integration.organization, "integration": integration, "product": product}
    return Handover.objects.create(**place, **defaults | fields)


def make_ignored_sku(*, integration: Integration | None = None, **fields: Any) -> IgnoredSku:
    """A SKU that was put aside."""
    integration = integration or make_integration()
    defaults = {"sku": f"SKU-{next(number)}", "actor": "anna@foo-3pl.example"}
    return IgnoredSku.objects.create(
        organization=integration.organization, integration=integration, **defaults | fields
    )


def make_order(*, shop: Shop | None = None, lines: Any = None, **fields: Any) -> Order:
    """An order of two pieces of one product of its shop's organization, new, to a complete address, not held.

    `lines` are dicts of OrderLine's fields; one without a product has a SKU that is nobody's.
    """
    shop = shop or make_shop()
    if lines is None:
        product = make_product(organization=shop.organization)
        lines = [{"sku": product.sku, "product": product, "quantity": 2}]
    number_of = f"{1000 + next(number)}"
    defaults = {"ext_order_id": number_of, "number": f"#{number_of}", "destination": dict(TO_ANN)}
    made = Order.objects.create(
        organization=shop.organization, integration=shop.integration, shop=shop, **defaults | fields
    )
    for position, line in enumerate(lines):
        fields = {"ext_line_id": str(position), "quantity": 1, "sku": f"SKU-{next(number)}"} | line
        OrderLine.objects.create(organization=shop.organization, order=made, position=position, **fields)
    made.refresh_from_db()
    return made


TO_ANN = {
    "first_name": "Ann",
    "last_name": "de Vries",
    "address1": "Main Street 1",
    "city": "Delft",
    "zip": "2611 AA",
    "country": "NL",
}


def make_fulfillment(*, order: Order | None = None, location: Location | None = None, **fields: Any) -> Fulfillment:
    """All that is still wanted of an order, at a manual location unless given, with the stock for it reserved."""
    order = order or make_order()
    location = location or make_location(organization=order.organization)
    defaults = {"integration": location.integration}
    made = Fulfillment.objects.create(
        organization=order.organization, order=order, location=location, **defaults | fields
    )
    for line in order.lines.exclude(product=None):
        place = {"organization": order.organization, "product": line.product, "location": location}
        level, _new = StockLevel.objects.get_or_create(**place, defaults={"on_hand": 10, "version": 1})
        StockLevel.objects.filter(pk=level.pk).update(reserved=F("reserved") + line.wanted)
        own = {"organization": order.organization, "fulfillment": made, "product": line.product}
        FulfillmentLine.objects.create(**own, order_line=line, quantity=line.wanted)
    made.refresh_from_db()
    return made


def make_hindrance(*, order: Order | None = None, **fields: Any) -> Hindrance:
    order = order or make_order()
    defaults = {"code": Hindrance.Code.UNKNOWN_SKU, "ref": "NOBODYS", "who": Hindrance.Who.OWNER}
    return Hindrance.objects.create(organization=order.organization, order=order, **defaults | fields)


def make_entry(*, order: Order | None = None, **fields: Any) -> Entry:
    order = order or make_order()
    defaults = {"kind": "released", "actor": "Crossdock"}
    return Entry.objects.create(organization=order.organization, order=order, **defaults | fields)


def make_nudge(*, organization: Organization | None = None, **fields: Any) -> Nudge:
    defaults = {"code": Hindrance.Code.UNKNOWN_SKU, "ref": f"SKU-{next(number)}"}
    return Nudge.objects.create(organization=organization or make_organization(), **defaults | fields)


def make_parcel(*, fulfillment: Fulfillment | None = None, **fields: Any) -> Parcel:
    """A parcel with everything of a fulfilment, of which its platform knows unless `due_at` is given."""
    fulfillment = fulfillment or make_fulfillment()
    lines = [[line.order_line_id, line.quantity] for line in fulfillment.lines.all()]
    own = {"organization": fulfillment.organization, "order": fulfillment.order, "shop": fulfillment.order.shop}
    return Parcel.objects.create(fulfillment=fulfillment, **own, **{"lines": lines} | fields)


def make_routing_rule(*, organization: Organization | None = None, **fields: Any) -> RoutingRule:
    """A rule that gives every order a priority of 10, unless given."""
    organization = organization or make_organization()
    defaults = {"kind": RoutingRule.Kind.PRIORITY, "name": f"Rule {next(number)}", "priority": 10}
    return RoutingRule.objects.create(organization=organization, **defaults | fields)


def make_shipping_service(*, integration: Integration | None = None, **fields: Any) -> ShippingService:
    integration = integration or make_integration()
    code = f"service-{next(number)}"
    own = {"organization": integration.organization, "integration": integration}
    return ShippingService.objects.create(**own, **{"code": code, "name": code.title()} | fields)


def make_shipping_method(*, integration: Integration | None = None, **fields: Any) -> ShippingMethod:
    """What the method Standard means at a warehouse, unless given; the fallback with name=""."""
    integration = integration or make_integration()
    own = {"organization": integration.organization, "integration": integration}
    return ShippingMethod.objects.create(**own, **{"name": "Standard", "code": "standard"} | fields)


def make_bookmark(*, shop: Shop | None = None, **fields: Any) -> Bookmark:
    shop = shop or make_shop()
    defaults = {"kind": SyncRun.Kind.ORDERS, "cursor": "2026-11-01T00:00:00Z"}
    return Bookmark.objects.create(organization=shop.organization, shop=shop, **defaults | fields)


def make_order_feed(*, integration: Integration | None = None, **fields: Any) -> OrderFeed:
    integration = integration or make_integration()
    return OrderFeed.objects.create(organization=integration.organization, integration=integration, **fields)


def make_view(*, user: User | None = None, **fields: Any) -> View:
    """The orders that need attention, as one of the 3PL's own people keeps them."""
    user = user or make_user(is_staff=True, is_superuser=True)
    defaults = {"model": "orders.order", "name": f"View {next(number)}", "query": "state__exact=waiting"}
    return View.objects.create(user=user, **defaults | fields)


def make_job(*, asked_by: User | None = None, **fields: Any) -> Job:
    """An export of all orders, asked for by one of the 3PL's own people, that waits for its turn."""
    asked_by = asked_by or make_user(is_staff=True, is_superuser=True)
    job = Job.objects.create(asked_by=asked_by, **{"model": "orders.Order", "action": "export"} | fields)
    job.refresh_from_db()
    return job


def make_dismissal(*, by: User | None = None, **fields: Any) -> Dismissal:
    """Of a problem whose cause is gone since."""
    defaults = {"key": f'["no-location","{next(number)}"]', "title": "No place", "reason": "They close down"}
    by = by or make_user(is_staff=True, is_superuser=True)
    return Dismissal.objects.create(by=by, **defaults | {"seen_at": timezone.now()} | fields)
