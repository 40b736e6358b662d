"""What the first page says of addresses at which our messages do not arrive."""

import pytest
from django.urls import reverse

from tests.factories import make_custom_integration, make_endpoint

from ...pages import text

SINCE = "2026-01-01T00:00Z"
TITLE = "Somebody does not hear from us"


def test_wo_14_an_address_that_fails_and_one_that_is_disabled_have_a_sentence_and_a_link(owner, owner_client):
    failing = make_endpoint(organization=owner.organization, url="https://erp.example/in?key=1", failures=5)
    own = make_custom_integration(organization=owner.organization)
    disabled = make_endpoint(integration=own, name="Our ERP", state="disabled", reason="failing")
    page = owner_client.get("/")
    assert TITLE in text(page)
    assert "Messages do not arrive at https://erp.example/in?…." in text(page)
    assert "Our ERP is disabled. What happens meanwhile is kept for it." in text(page)
    for endpoint in (failing, disabled):
        assert f'href="{reverse("hook", args=[endpoint.pk])}"' in page.content.decode()


@pytest.mark.parametrize(
    "fields",
    [{}, {"failures": 4}, {"state": "paused", "reason": "asked", "failures": 9}, {"deleted_at": SINCE}],
)
def test_nothing_is_said_when_all_is_well_or_as_somebody_wanted_it(owner, owner_client, fields):
    make_endpoint(organization=owner.organization, **fields)
    make_endpoint(failures=99)
    assert TITLE not in text(owner_client.get("/"))
