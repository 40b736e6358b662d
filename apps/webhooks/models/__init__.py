"""Events and who hears of them, and what other systems sent us."""

from .deliveries import Attempt, Delivery, Message, Notice
from .endpoints import CANNOT_OPEN, Endpoint, Hook, SigningSecret
from .events import Event, Outgoing
from .receipts import BAD_TIME, LEASE, Inbox, InboxSecret, Receipt, ReceiptQuerySet

__all__ = [
    "BAD_TIME",
    "CANNOT_OPEN",
    "LEASE",
    "Attempt",
    "Delivery",
    "Endpoint",
    "Event",
    "Hook",
    "Inbox",
    "InboxSecret",
    "Message",
    "Notice",
    "Outgoing",
    "Receipt",
    "ReceiptQuerySet",
    "SigningSecret",
]
