"""`python -m hats.saving ADDRESS NUMBER…`: for each number save so many hats, and print the seconds that took until
django-webhook has sent one webhook for each of them to the address, and has its row say so."""

import os
import sys
import time

import django
from django.apps import apps
from django.core.management import call_command

BYTES = 760  # of a note, to make a message of a kilobyte


def seconds(number: int) -> float:
    hats = apps.get_model("hats.Hat").objects
    sent = apps.get_model("django_webhook.WebhookEvent").objects.filter(status="SUCCESS")
    before, began = sent.count(), time.perf_counter()
    for one in range(number):
        hats.create(sku=f"HAT-{one}", note="x" * BYTES)
    while sent.count() < before + number:
        if time.perf_counter() - began > 120:
            raise TimeoutError(f"{sent.count() - before} of {number} were sent")
        time.sleep(0.02)
    return time.perf_counter() - began


def subscribe(address: str) -> None:
    call_command("migrate", run_syncdb=True, verbosity=0)
    topic, _ = apps.get_model("django_webhook.WebhookTopic").objects.get_or_create(name="hats.Hat/create")
    webhook, _ = apps.get_model("django_webhook.Webhook").objects.update_or_create(pk=1, defaults={"url": address})
    webhook.topics.set([topic])
    webhook.secrets.get_or_create(token="a secret of thirty-two letters..")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hats.settings")
    django.setup()
    subscribe(sys.argv[1])
    for asked in sys.argv[2:]:
        print(seconds(int(asked)))
