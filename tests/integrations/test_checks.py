import pytest
from django.core.checks import run_checks

from apps.integrations.connectors import get_connector, missing, offered


def found(prefix: str) -> list[tuple[str, str]]:
    return [(check.id, check.msg) for check in run_checks() if check.id.startswith(f"crossdock.{prefix}")]


@pytest.fixture
def environment(settings):
    """Sets what the operator has given for a platform."""

    def give(slug: str, **values: str) -> None:
        empty = {"URL": "", "CLIENT_ID": "", "CLIENT_SECRET": ""}
        settings.CONNECTOR_ENVIRONMENT = settings.CONNECTOR_ENVIRONMENT | {slug: empty | values}

    for slug in settings.CONNECTOR_ENVIRONMENT:
        give(slug)
    return give


def test_a_platform_without_its_variables_is_not_offered_and_that_is_said(environment):
    environment("otter", URL="https://otter.example.com")
    assert [connector.slug for connector in offered()] == []
    assert found("I") == [
        ("crossdock.I001", "Otter is not offered to store owners: OTTER_CLIENT_ID, OTTER_CLIENT_SECRET not set."),
        ("crossdock.I001", "Vendure is not offered to store owners: VENDURE_URL not set."),
        (
            "crossdock.I001",
            "Pio is not offered to store owners: PIO_URL, PIO_CLIENT_ID, PIO_CLIENT_SECRET not set.",
        ),
    ]


def test_a_platform_with_all_its_variables_is_offered(environment):
    environment("otter", URL="https://otter.example.com", CLIENT_ID="id", CLIENT_SECRET="secret")
    environment("vendure", URL="https://shop.example.com")
    environment("pio", URL="https://pio.example.com", CLIENT_ID="id", CLIENT_SECRET="secret")
    assert [connector.slug for connector in offered()] == ["otter", "vendure", "pio"]
    assert (missing(get_connector("otter")), found("I")) == ([], [])


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ([], "Set CREDENTIAL_KEYS to name:key, the key being 32 random bytes in base64."),
        (["a:b"], "Key 'a' of CREDENTIAL_KEYS is not 32 bytes in base64."),
    ],
)
def test_keys_that_cannot_be_used_are_said(settings, keys, message):
    settings.CREDENTIAL_KEYS = keys
    assert found("E") == [("crossdock.E002", f"CREDENTIAL_KEYS cannot be used: {message}")]


def test_a_short_secret_key_is_said_outside_the_demo(settings):
    settings.SECRET_KEY, settings.DEMO = "x" * 31, False
    assert found("E") == [("crossdock.E003", "SECRET_KEY is shorter than 32 characters.")]
    settings.DEMO = True
    assert found("E") == []
    settings.SECRET_KEY, settings.DEMO = "x" * 32, False
    assert found("E") == []
