"""Second factors at rest. allauth keeps their secrets, in plain text unless told otherwise; we seal them."""

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.db import transaction

from apps.encrypted import CannotOpen, newest_key, seal, unseal

BOUND_TO = "mfa"  # allauth does not say for whom; what is sealed here opens nowhere else
SECRETS = ("secret", "seed")  # of a code app, and of recovery codes


class SecondFactorAdapter(DefaultMFAAdapter):
    def encrypt(self, text: str) -> str:
        return seal({"text": text}, bound_to=BOUND_TO)

    def decrypt(self, encrypted_text: str) -> str:
        return unseal(encrypted_text, bound_to=BOUND_TO)["text"]


def reseal() -> tuple[int, list[str]]:
    """Seal every second factor with the newest key. Returns how many, and those that no key opens."""
    done, lost = 0, []
    for pk in Authenticator.objects.values_list("pk", flat=True):
        try:
            done += _reseal(pk)
        except CannotOpen:
            lost.append(f"second factor {pk}")
    return done, lost


@transaction.atomic
def _reseal(pk: int) -> int:
    factor = Authenticator.objects.select_for_update().filter(pk=pk).first()
    data = factor.data if factor else {}
    old = [key for key in SECRETS if key in data and not data[key].startswith(f"{newest_key()}:")]
    if not (factor and old):
        return 0
    for key in old:
        data[key] = seal(unseal(data[key], bound_to=BOUND_TO), bound_to=BOUND_TO)
    factor.save(update_fields=["data"])
    return 1
