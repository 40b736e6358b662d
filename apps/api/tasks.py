"""What the API forgets by and by. Celery finds these by their names."""

from celery import shared_task

from . import idempotency, limits


@shared_task
def forget_old_usage() -> int:
    """Each hour: addresses that called a day ago or longer."""
    return limits.forget_old_usage()


@shared_task
def forget_old_answers() -> int:
    """Each hour: answers to calls whose `Idempotency-Key` is no longer kept."""
    return idempotency.forget_old_answers()
