"""Behaviour 96: wherever lists are filtered, each integration of the organization can be chosen."""

import pytest
from django.contrib import admin
from django.contrib.admin.utils import get_fields_from_path
from django.db.models import Model

from apps.integrations.models import Integration
from tests.factories import make_integration, make_organization

FURTHEST = 2  # references from a row to its integration, at most


def paths(model: type[Model], *, far: int = FURTHEST) -> list[str]:
    """How an integration is reached from a row, the shortest first."""
    found = []
    for field in model._meta.concrete_fields:
        if field.related_model is Integration:
            found.append(field.name)
        elif field.related_model and far > 1 and field.name != "organization":
            found += [f"{field.name}__{path}" for path in paths(field.related_model, far=far - 1)]
    return sorted(found, key=lambda path: path.count("__"))


def offered(pages: admin.ModelAdmin) -> list[str]:
    """The fields that its list is filtered by."""
    return [one[0] if isinstance(one, tuple) else one for one in pages.list_filter if not isinstance(one, type)]


def reaches_an_integration(model: type[Model], name: str) -> bool:
    try:
        return get_fields_from_path(model, name)[-1].related_model is Integration
    except (AttributeError, LookupError):
        return False


def offers_integrations(label: str) -> bool:
    model, pages = LISTS[label]
    return any(reaches_an_integration(model, name) for name in offered(pages))


LISTS = {model._meta.label: (model, pages) for model, pages in admin.site._registry.items()}
NO_INTEGRATIONS = {
    "integrations.Integration": "it is them",
    "integrations.PartnerConnector": "integrations are made of it, and stand on its page",
    "integrations.ApplicationToken": "the portal's own, for every integration of a platform",
    "audit.Entry": "it refers to no row, and may outlive it: it is asked for the integration's id",
    "audit.Seal": "of the whole trail",
    "webhooks.Event": "it happened in an organization; to whom it went is a list of its own, with the integrations",
    "webhooks.Outgoing": "an event for which nobody has looked yet who hears of it",
    "accounts.Organization": "a customer, who may have several", "accounts.Brand": "a customer's",
    "accounts.Membership": "a person", "accounts.Invitation": "a person", "accounts.User": "a person",
    "account.EmailAddress": "a person", "mfa.Authenticator": "a person", "auth.Group": "people",
    "desk.View": "the 3PL's own people's", "desk.Job": "over rows of any list, with that list's own filter",
    "desk.Dismissal": "of a cause, which may be of many integrations",
}  # fmt: skip
WITH_INTEGRATIONS = sorted(set(LISTS) - set(NO_INTEGRATIONS))


def test_most_lists_are_of_rows_that_belong_to_integrations():
    assert len(WITH_INTEGRATIONS) > 30


@pytest.mark.parametrize("label", WITH_INTEGRATIONS)
def test_every_list_that_filters_offers_the_integrations(label):
    assert offers_integrations(label), f"filter by {paths(LISTS[label][0])}, or say in NO_INTEGRATIONS why not"


@pytest.mark.parametrize("label", sorted(NO_INTEGRATIONS))
def test_each_exception_is_one(label):
    assert not offers_integrations(label)


@pytest.mark.parametrize("label", WITH_INTEGRATIONS)
def test_each_integration_can_be_chosen_and_the_list_holds_its_rows_alone(label, staff_client):
    model, pages = LISTS[label]
    (name, *_rest) = [name for name in offered(pages) if reaches_an_integration(model, name)]
    chosen = make_integration(name="the one", secrets={})
    address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    answer = staff_client.get(address, {f"{name}__id__exact": str(chosen.pk)})
    assert (answer.status_code, list(answer.context["cl"].result_list)) == (200, [])
    found = staff_client.get(
        "/admin/autocomplete/",
        {"app_label": get_fields_from_path(model, name)[-1].model._meta.app_label, "term": "the one",
         "model_name": get_fields_from_path(model, name)[-1].model._meta.model_name,
         "field_name": get_fields_from_path(model, name)[-1].name},
    )  # fmt: skip
    assert [row["id"] for row in found.json()["results"]] == [str(chosen.pk)]


def test_another_organizations_integration_is_no_choice_of_an_owner(owner, owner_client):
    own = make_integration(organization=owner.organization, name="mine")
    make_integration(organization=make_organization(), name="theirs")
    text = owner_client.get("/hooks/messages/").text
    assert (f'value="{own.pk}"' in text, "theirs" in text) == (True, False)
