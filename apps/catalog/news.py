"""What others may wait for. The catalogue knows nobody who does: they listen.

A call would not do, since orders stand above the catalogue and it may not import them. Sent inside the transaction of
the change, so that what a listener writes stands or falls with it.
"""

from django.dispatch import Signal

# organization (id), products (ids): of these more may be promised at some place than before.
stock_rose = Signal()

# organization (id), skus: what these mean, in anybody's words, may have changed; None for any SKU of the organization.
skus_known = Signal()
