import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from apps.integrations.admin import stands
from apps.integrations.models import ApplicationToken, Integration

from ..factories import make_application_token, make_attempt, make_connection, make_integration, make_member


def names_in(page) -> list[str]:
    return [str(row) for row in page.context["cl"].result_list]


def shown_as(html: str) -> str:
    return strip_tags(html).strip()


def test_the_page_of_an_integration_shows_its_state_its_key_and_its_stores(staff_client):
    connection = make_connection()
    connection.integration.lose_permission("invalid_grant")
    page = staff_client.get(reverse("admin:integrations_integration_change", args=[connection.integration_id]))
    assert [text in page.text for text in ("Needs reconnect", "invalid_grant", ">test<", connection.name)] == [True] * 4


def test_a_credential_shows_its_key_and_end_and_not_what_is_sealed(staff_client):
    credential = make_integration().credential
    type(credential).objects.update(expires_at=timezone.now())
    page = staff_client.get(reverse("admin:integrations_credential_change", args=[credential.pk]))
    fields = [field.field["name"] for line in page.context["adminform"] for row in line for field in row]
    assert fields == ["integration", "organization", "key_name", "expires_at", "updated_at"]
    assert (credential.sealed in page.text, credential.sealed[5:] in page.text) == (False, False)


def test_integrations_are_listed_by_platform_and_state(staff_client):
    make_integration(name="Otter one")
    make_integration(name="Otter two", state=Integration.State.NEEDS_RECONNECT)
    make_integration(name="Vendure", connector="vendure")
    address = "/admin/integrations/integration/"
    assert names_in(staff_client.get(address, {"platform": "vendure"})) == ["Vendure"]
    assert names_in(staff_client.get(address, {"state__exact": "needs_reconnect"})) == ["Otter two"]


@pytest.mark.parametrize("count", [1, 3])
def test_each_shows_how_it_stands_in_as_many_queries_for_one_as_for_many(
    staff_client, django_assert_max_num_queries, count
):
    connecting = [make_integration(state=Integration.State.NEEDS_RECONNECT) for _ in range(count)]
    for number, integration in enumerate(connecting):
        make_attempt(
            user=make_member(organization=integration.organization), integration=integration, state=f"{number}"
        )
    deleted = make_integration(deleted_at=timezone.now())
    staff_client.get("/admin/integrations/integration/")
    with django_assert_max_num_queries(9):
        page = staff_client.get("/admin/integrations/integration/")
    rows = page.context["cl"].result_list
    assert [(row.pk == deleted.pk, shown_as(stands(row))) for row in rows] == [
        (True, "Deleted"), *[(False, "Connecting")] * count,
    ]  # fmt: skip


def test_our_own_token_can_be_thrown_away(staff_client):
    token = make_application_token()
    page = reverse("admin:integrations_applicationtoken_delete", args=[token.pk])
    assert staff_client.post(page, {"post": "yes"}).status_code == 302
    assert ApplicationToken.objects.count() == 0
