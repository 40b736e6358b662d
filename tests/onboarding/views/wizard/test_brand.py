import pytest
import responses

from apps.accounts.models import Brand
from apps.integrations.structure import land_stores
from apps.shops.models import Connection
from tests.conftest import OTTER
from tests.factories import brand_of, make_application_token, make_draft, make_integration

from ...pages import choices, text

State = Connection.State


def again(draft):
    return Connection.objects.get(pk=draft.pk)


def test_the_platforms_that_can_be_connected_are_offered(owner_client, platform):
    assert choices(owner_client.get("/connect/")) == ["Otter"]


def test_without_any_platform_the_owner_is_told_whom_to_ask(owner_client, settings):
    settings.CONNECTOR_ENVIRONMENT = {
        slug: dict.fromkeys(env, "") for slug, env in settings.CONNECTOR_ENVIRONMENT.items()
    }
    assert "No platform can be connected yet" in text(owner_client.get("/connect/"))


def test_choosing_a_platform_begins_a_draft(owner, owner_client, platform):
    answer = owner_client.post("/connect/", {"platform": "otter"})
    draft = Connection.objects.get()
    assert answer.url == f"/connect/{draft.pk}/log-in/"
    assert (draft.organization, draft.created_by, draft.state) == (owner.organization, owner, State.DRAFT)


@pytest.mark.parametrize("platform_chosen", ["", "amazon", "vendure", "OTTER", "otter\x00"])
def test_a_platform_that_is_not_offered_begins_nothing(owner_client, platform, platform_chosen):
    answer = owner_client.post("/connect/", {"platform": platform_chosen})
    assert "Please choose one of these." in text(answer)
    assert not Connection.objects.exists()


def test_the_brands_of_the_account_are_offered(owner_client, permitted):
    answer = owner_client.get(f"/connect/{permitted.pk}/brand/")
    assert choices(answer) == ["Great Hats", "Hat Attic", "Little Brims"]
    assert "These are the brands of “Great Hats” at Otter." in text(answer)


def test_a_single_brand_and_a_single_store_are_chosen_by_themselves(owner, owner_client, platform):
    draft = make_draft(integration=platform.integration(owner.organization, who="gloves"), created_by=owner)
    answer = owner_client.get(f"/connect/{draft.pk}/brand/", follow=True)
    assert [step.split("/")[3] for step, _ in answer.redirect_chain] == ["store", "name"]
    assert (again(draft).brand.name, again(draft).store.name) == ("Great Gloves", "Great Gloves Oslo")


def test_a_store_that_was_chosen_by_itself_can_still_be_looked_at(owner, owner_client, platform):
    draft = make_draft(integration=platform.integration(owner.organization, who="gloves"), created_by=owner)
    owner_client.get(f"/connect/{draft.pk}/brand/", follow=True)
    page = owner_client.get(f"/connect/{draft.pk}/store/?stay")
    assert choices(page) == ["Great Gloves Oslo"]
    assert "Another brand" not in text(page)


def test_an_account_without_brands_is_told_what_may_be_wrong(owner_client, permitted, monkeypatch):
    monkeypatch.setattr("apps.onboarding.views.wizard.land_brands", lambda integration: True)
    answer = owner_client.get(f"/connect/{permitted.pk}/brand/")
    assert "This account has no brands" in text(answer)
    assert "Use another account" in text(answer)


def test_a_brand_that_vanished_is_told(owner_client, permitted, platform):
    brand = brand_of(permitted.integration)
    Connection.objects.update(brand=brand)
    answer = owner_client.get(f"/connect/{permitted.pk}/store/")
    assert "Otter does not know this any more. Please go back and choose again." in text(answer)


def test_a_brand_without_stores_says_so(owner, owner_client, otter):
    draft = make_draft(integration=make_integration(organization=owner.organization), created_by=owner)
    make_application_token()
    Connection.objects.update(brand=brand_of(draft.integration, ext_id="b"))
    otter.add(responses.GET, f"{OTTER}/organization/v1/organization/brands/b/stores", json={"items": []})
    answer = owner_client.get(f"/connect/{draft.pk}/store/")
    assert "This brand has no stores" in text(answer)
    assert "Choose another brand" in text(answer)


def test_brands_are_not_asked_for_again_within_ten_minutes(owner_client, permitted, platform):
    owner_client.get(f"/connect/{permitted.pk}/brand/")
    platform.forget_calls()
    owner_client.get(f"/connect/{permitted.pk}/brand/")
    assert platform.calls() == []


def test_a_list_that_breaks_off_shows_what_is_there_and_tries_again(owner_client, branded, platform):
    land_stores(branded.brand, integration=branded.integration)
    Brand.objects.update(stores_listed_at=None)
    platform.sandbox.fault("server_error")
    answer = owner_client.get(f"/connect/{branded.pk}/store/")
    assert "Otter has a problem of its own. Please try again in a few minutes." in text(answer)
    assert len(choices(answer)) == 3
    assert "Try again" in text(answer)
    again_page = owner_client.get(f"/connect/{branded.pk}/store/?stay")
    assert "Try again" not in text(again_page)


@pytest.mark.parametrize("kind", ["rate_limited", "cut_off_json", "html_page", "server_error"])
def test_a_platform_in_trouble_shows_no_brands_but_a_sentence(owner_client, permitted, platform, kind):
    platform.sandbox.fault(kind)
    answer = owner_client.get(f"/connect/{permitted.pk}/brand/")
    assert (answer.status_code, choices(answer)) == (200, [])
    assert 'role="alert"' in answer.content.decode()
    assert "Try again" in text(answer)
    assert len(choices(owner_client.get(f"/connect/{permitted.pk}/brand/"))) == 3


def test_a_list_that_repeats_itself_ends(owner_client, permitted, platform):
    platform.sandbox.control("POST", "stores", json={"brand": platform.sandbox.brand("Sole Mates")["id"], "count": 120})
    shoes = make_draft(integration=platform.integration(permitted.organization, who="shoes"))
    Connection.objects.filter(pk=shoes.pk).update(brand=platform.store(shoes.integration, "Sole Mates Berlin").brand)
    platform.sandbox.fault("repeated_page")
    answer = owner_client.get(f"/connect/{shoes.pk}/store/")
    assert "Otter sent the same part of the list twice. Please try again." in text(answer)


def test_without_permission_every_step_leads_to_logging_in(owner_client, permitted, platform):
    platform.sandbox.fault("expire_token")
    answer = owner_client.get(f"/connect/{permitted.pk}/brand/")
    assert answer.url == f"/connect/{permitted.pk}/log-in/"
    assert again(permitted).next_step == "authorize"
