"""A few hundred of the calls of `make fuzz`."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from apps.api import limits

from .calling import fuzz


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Limits and logs of the other tests are not those of this one."""
    for name in ("CALLS", "CALLS_OF_A_SHOP", "FAILURES", "REGISTRATIONS"):
        monkeypatch.setattr(limits, name, getattr(limits, name))
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("kind", "only"),
    [
        ("shop", "^(shops|shop)_"),
        ("shop", "^(products|product)_"),
        ("shop", "^(orders|order)_"),
        ("key", "^(locations|location)_"),
        ("org_wide_key", "^integration_products?_"),
        ("user_key", "^(key|keys)_"),
        ("anonymous", "^reg"),
    ],
)
def test_no_call_breaks_the_description(kind: str, only: str, settings: Any):
    settings.OPEN_REGISTRATION = True
    found = fuzz(kind, examples=1, only=only)
    assert found.failures == {}
    assert found.cases > 50
    assert not [status for status in found.statuses if status >= 500]
