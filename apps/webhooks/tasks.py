"""What beat starts regularly."""

from celery import shared_task

from . import forgetting, noticing


@shared_task(expires=25)
def mail_notices() -> None:
    noticing.mail_due()


@shared_task
def forget_old() -> None:
    forgetting.forget()
