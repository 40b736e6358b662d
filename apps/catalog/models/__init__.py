"""What an organization sells, where it lies and how much of it, and what each side calls it."""

from .locations import Location
from .mapping import SkuMapping, SkuPair
from .products import Listing, Product, Sighting
from .publication import Publication, StockFeed
from .stock import HeldReport, StockLevel, StockMovement

__all__ = [
    "HeldReport",
    "Listing",
    "Location",
    "Product",
    "Publication",
    "Sighting",
    "SkuMapping",
    "SkuPair",
    "StockFeed",
    "StockLevel",
    "StockMovement",
]
