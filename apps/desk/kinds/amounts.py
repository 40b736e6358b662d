"""How many of a thing, in words."""

from django.utils.translation import ngettext


def orders(n: int) -> str:
    return ngettext("%(n)d order", "%(n)d orders", n) % {"n": n}


def messages(n: int) -> str:
    return ngettext("%(n)d message", "%(n)d messages", n) % {"n": n}


def products(n: int) -> str:
    return ngettext("%(n)d product", "%(n)d products", n) % {"n": n}


def stores(n: int) -> str:
    return ngettext("%(n)d store", "%(n)d stores", n) % {"n": n}


def items(n: int) -> str:
    return ngettext("%(n)d thing that waits", "%(n)d things that wait", n) % {"n": n}


def left_out(n: int) -> str:
    return ngettext("%(n)d item left out", "%(n)d items left out", n) % {"n": n}


def parcels(n: int) -> str:
    return ngettext("%(n)d parcel", "%(n)d parcels", n) % {"n": n}


def addresses(n: int) -> str:
    return ngettext("%(n)d address", "%(n)d addresses", n) % {"n": n}


def warehouses(n: int) -> str:
    return ngettext("%(n)d warehouse", "%(n)d warehouses", n) % {"n": n}
