import pytest

from apps.integrations.connectors import get_connector
from apps.onboarding.forms import ChangeIdForm, IdentifyForm, KeysForm, ReplaceForm

REFUSED_IDS = ["", " ", "é", "tab\there", "new\nline", "nul\x00", "\x7f", "x" * 256, "😀", "\u202egnp.exe"]


@pytest.mark.parametrize("ext_shop_id", ["a", "x" * 255, "A store / of ours (1)!", "~"])
def test_an_id_the_platforms_contract_allows_is_taken(ext_shop_id):
    """Behaviour 54: 1 to 255 printable ASCII characters."""
    assert IdentifyForm({"name": "Shop", "ext_shop_id": ext_shop_id}).is_valid()
    assert ChangeIdForm({"ext_shop_id": ext_shop_id}).is_valid()


@pytest.mark.parametrize("ext_shop_id", REFUSED_IDS)
def test_any_other_id_is_refused_at_its_box(ext_shop_id):
    for form in (
        IdentifyForm({"name": "Shop", "ext_shop_id": ext_shop_id}),
        ChangeIdForm({"ext_shop_id": ext_shop_id}),
    ):
        assert list(form.errors) == ["ext_shop_id"]


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "nul\x00"])
def test_a_name_that_is_missing_too_long_or_unstorable_is_refused(name):
    assert list(IdentifyForm({"name": name, "ext_shop_id": "shop"}).errors) == ["name"]


def test_the_consent_to_replace_is_kept_to_the_letter():
    form = ReplaceForm({"replaces": " old id "})
    assert form.is_valid()
    assert form.cleaned_data == {"replaces": " old id "}


def keys(**answers):
    return KeysForm(answers, connector=get_connector("vendure"))


def test_the_questions_are_the_connectors():
    assert list(keys().fields) == ["address", "api_key", "username", "password"]
    assert list(keys().errors) == ["address"]


def test_what_is_secret_is_never_shown_again():
    page = keys(address="", api_key="s3cret-key", password="s3cret-password").as_p()
    assert "s3cret" not in page


def test_spaces_that_may_belong_to_a_password_are_kept():
    form = keys(address=" https://shop.example.com ", password=" open sesame ")
    assert form.is_valid()
    assert (form.cleaned_data["address"], form.cleaned_data["password"]) == (
        "https://shop.example.com",
        " open sesame ",
    )


@pytest.mark.parametrize("field", ["address", "api_key", "username", "password"])
@pytest.mark.parametrize("value", ["x" * 2_001, "nul\x00"])
def test_an_answer_that_is_too_long_or_unstorable_is_refused_at_its_box(field, value):
    form = keys(**{"address": "https://shop.example.com"} | {field: value})
    assert list(form.errors) == [field]


def test_the_operators_address_is_suggested(settings):
    known = {"URL": "https://shop.example.com", "CLIENT_ID": "", "CLIENT_SECRET": ""}
    settings.CONNECTOR_ENVIRONMENT = settings.CONNECTOR_ENVIRONMENT | {"vendure": known}
    assert 'value="https://shop.example.com"' in KeysForm(connector=get_connector("vendure")).as_p()
