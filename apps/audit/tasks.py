"""What keeps the trail trustworthy. Celery finds these by their names."""

from celery import shared_task

from . import sealing


@shared_task
def seal_trail() -> int:
    """Each minute: seal what was entered since."""
    return sealing.seal()


@shared_task
def check_trail() -> str:
    """Each night: whether every entry still is what it was."""
    return sealing.watch()
