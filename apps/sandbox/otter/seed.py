"""The simulated world at its first start: three organizations, six brands, eleven stores, 1,475 products."""

import uuid

from django.conf import settings
from django.db import transaction

from apps.sandbox.otter.catalogue import regenerate
from apps.sandbox.otter.models import Application, Brand, Organization, Store, User

# organization, goods, login, password
ORGANIZATIONS = [
    ("Great Hats", "hats", "hats@great-hats.example", "hats-off-to-you"),
    ("Great Shoes", "shoes", "shoes@great-shoes.example", "best-foot-forward"),
    ("Great Gloves", "gloves", "gloves@great-gloves.example", "fits-like-a-glove"),
]
BRANDS = [
    ("Great Hats", ["Great Hats", "Hat Attic", "Little Brims"]),
    ("Great Shoes", ["Great Shoes", "Sole Mates"]),
    ("Great Gloves", ["Great Gloves"]),
]
# brand's place in BRANDS, store, products, street, postal code, city, state, country, latitude, longitude
STORES = [
    (0, "Great Hats Online", 200, None),
    (
        0,
        "Great Hats Amsterdam",
        150,
        ("Haarlemmerdijk 142", "1013 JJ", "Amsterdam", "NH", "NL", 52.3836, 4.8847),
    ),
    (0, "Great Hats Antwerp", 120, ("Kammenstraat 61", "2000", "Antwerpen", "VAN", "BE", 51.2172, 4.3997)),
    (1, "Hat Attic Outlet", 90, ("Oudegracht 219", "3511 NH", "Utrecht", "UT", "NL", 52.0884, 5.1214)),
    (2, "Little Brims Köln", 80, ("Ehrenstraße 45", "50672", "Köln", "NW", "DE", 50.9385, 6.9420)),
    (
        3,
        "Great Shoes Online",
        220,
        ("Wilhelminakade 909", "3072 AP", "Rotterdam", "ZH", "NL", 51.9065, 4.4886),
    ),
    (
        3,
        "Great Shoes London",
        140,
        ("27 Lamb's Conduit Street", "WC1N 3NG", "London", "ENG", "GB", 51.5226, -0.1184),
    ),
    (3, "Great Shoes Paris", 160, ("18 rue de Charonne", "75011", "Paris", "IDF", "FR", 48.8528, 2.3742)),
    (4, "Sole Mates Berlin", 110, ("Kastanienallee 84", "10435", "Berlin", "BE", "DE", 52.5378, 13.4099)),
    (4, "Sole Mates Zürich", 75, ("Niederdorfstrasse 22", "8001", "Zürich", "ZH", "CH", 47.3735, 8.5439)),
    (5, "Great Gloves Oslo", 130, ("Markveien 58", "0550", "Oslo", "03", "NO", 59.9236, 10.7586)),
]


def fill() -> None:
    """Make the world, with the same ids and products every time. The tables must be empty."""
    with transaction.atomic():
        for number, (name, goods, email, password) in enumerate(ORGANIZATIONS, start=1):
            organization = Organization.objects.create(number=number, id=known_id(name), name=name, goods=goods)
            User.objects.create(email=email, password=password, organization=organization)
        make_brands()
        for number, (brand, name, products, address) in enumerate(STORES, start=1):
            store = Store.objects.create(
                number=number,
                id=known_id(name),
                name=name,
                brand_id=brand + 1,
                address=address and full(*address),
            )
            regenerate(store, products=products)


def make_brands() -> None:
    """Every brand, numbered through."""
    owned = [(owner, name) for owner, names in BRANDS for name in names]
    for number, (owner, name) in enumerate(owned, start=1):
        organization = Organization.objects.get(name=owner)
        Brand.objects.create(number=number, id=known_id(f"{owner}/{name}"), name=name, organization=organization)


def known_id(name: str) -> uuid.UUID:
    """The same id for the same name, at every reset."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"https://otter.example/{name}")


def full(street: str, postal_code: str, city: str, state: str, country: str, latitude: float, longitude: float) -> dict:
    """An address in the API's words (contract: nullable; `linesOfAddress` is the deprecated twin of addressLines)."""
    return {
        "fullAddress": f"{street}, {postal_code} {city}, {country}",
        "postalCode": postal_code,
        "city": city,
        "state": state,
        "countryCode": country,
        "addressLines": [street],
        "linesOfAddress": [street],
        "location": {"latitude": latitude, "longitude": longitude},
    }


def register_own_application() -> None:
    """Register the application that the environment gives; without a client id there is none."""
    own = settings.OWN_APPLICATION
    if own["client_id"]:
        Application.objects.update_or_create(pk=own["client_id"], defaults={**own, "name": "Crossdock"})
