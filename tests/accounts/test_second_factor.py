from base64 import b64encode

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core.management import CommandError, call_command

from apps.accounts import second_factor
from apps.encrypted import CannotOpen
from tests.factories import make_user

pytestmark = pytest.mark.django_db

OLD, NEW = (f"{name}:{b64encode(bytes([number]) * 32).decode()}" for name, number in (("old", 1), ("new", 2)))


@pytest.fixture
def secret(settings):
    settings.CREDENTIAL_KEYS = [OLD]
    return generate_totp_secret()


def test_the_secret_of_a_code_app_is_not_stored_in_plain_text(secret):
    TOTP.activate(make_user(), secret)
    stored = Authenticator.objects.get().data["secret"]
    assert stored.startswith("old:")
    assert secret not in stored
    assert second_factor.SecondFactorAdapter().decrypt(stored) == secret


def test_rotating_keys_takes_second_factors_along(secret, settings):
    TOTP.activate(make_user(), secret)
    settings.CREDENTIAL_KEYS = [NEW, OLD]
    call_command("rotate_credential_keys")
    settings.CREDENTIAL_KEYS = [NEW]
    assert second_factor.SecondFactorAdapter().decrypt(Authenticator.objects.get().data["secret"]) == secret


def test_a_second_factor_that_no_key_opens_is_named_and_left_alone(secret, settings):
    TOTP.activate(make_user(), secret)
    before = Authenticator.objects.get()
    settings.CREDENTIAL_KEYS = [NEW]
    with pytest.raises(CommandError, match=f"second factor {before.pk}"):
        call_command("rotate_credential_keys")
    assert Authenticator.objects.get().data == before.data
    with pytest.raises(CannotOpen):
        second_factor.SecondFactorAdapter().decrypt(before.data["secret"])
