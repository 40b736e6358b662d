"""What others may wait for. The catalogue knows nobody who does: they listen.

A call would not do, since orders stand above the catalogue and it may not import them. Sent inside the transaction of
the change, so that what a listener writes stands or falls with it.
"""

from collections.abc import Callable

from django.dispatch import Signal

from apps.prepared import Statement

# organization (id), products (ids): of these more may be promised at some place than before.
stock_rose = Signal()

# The same where Python does not come in between: a statement of an %(organization)s about the products of RISEN, and
# what follows its commit.
RISEN = "NULLIF(current_setting('crossdock.risen', true), '')::bigint[]"
when_stock_rose: list[tuple[Statement, Callable[[], None]]] = []

# organization (id), skus: what these mean, in anybody's words, may have changed; None for any SKU of the organization.
skus_known = Signal()
