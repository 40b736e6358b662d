"""What beat starts regularly: nothing between a store and its platform is left half done."""

from celery import shared_task

from apps.shops.models import Connection

from . import connecting


@shared_task(expires=30)
def finish_hanging_connections() -> None:
    for connection in Connection.objects.hanging()[:50]:
        connecting.finish_hanging(connection)


@shared_task(expires=30)
def finish_disconnecting() -> None:
    for connection in Connection.objects.to_be_disconnected()[:50]:
        connecting.finish_disconnect(connection)
