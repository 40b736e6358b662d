"""What an organization sells, where it lies and how much of it, and what each side calls it."""

from .handovers import Handover
from .locations import Location
from .mapping import IgnoredSku, SkuMapping, SkuPair, WaitingSku
from .products import KnownPage, Listing, Product, Sighting
from .publication import Publication, StockFeed
from .stock import HeldReport, StockLevel, StockMovement

__all__ = [
    "Handover",
    "HeldReport",
    "IgnoredSku",
    "KnownPage",
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
    "WaitingSku",
]
