"""Mail about endpoints in trouble, to their owners and to the 3PL: for each notice that was written down with them."""

import time
from smtplib import SMTPRecipientsRefused
from typing import Any

import structlog
from django.conf import settings
from django.core.mail import send_mail
from django.db import DatabaseError, transaction
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.accounts.models import Role

from . import sentences
from .addressing import shown
from .models import Endpoint, Notice

log = structlog.get_logger(__name__)

ROUND_SECONDS = 20.0  # of one round: a mail server that is silent takes ten for each mail
MOST = 1_000  # notices of one round: many of one address that cannot be mailed now hold no other back
MANAGERS = [Role.OWNER, Role.ADMIN]
Stage = Notice.Stage

SUBJECTS = {
    Stage.STREAK: gettext_lazy("Messages do not arrive at %(name)s"),
    Stage.HALF_WAY: gettext_lazy("%(name)s will be disabled soon"),
    Stage.DISABLED: gettext_lazy("%(name)s is disabled"),
    Stage.RESUMED: gettext_lazy("Messages arrive at %(name)s again"),
}
HAPPENED = {
    Stage.STREAK: gettext_lazy("Nothing has arrived at %(address)s since %(since)s: %(failures)d tries failed."),
    Stage.HALF_WAY: gettext_lazy(
        "Nothing has arrived at %(address)s since %(since)s. Five days after that we disable it."
    ),
    Stage.DISABLED: gettext_lazy("Nothing has arrived at %(address)s since %(since)s, so we disabled it."),
    Stage.RESUMED: gettext_lazy("Messages arrive at %(address)s again, and what was kept for it is on its way."),
}
GONE = gettext_lazy("%(address)s answered that it wants nothing more, so we disabled it.")
ASKED = {
    Stage.STREAK: gettext_lazy("Ask whoever looks after that system to mend it. We keep trying by ourselves."),
    Stage.HALF_WAY: gettext_lazy("Ask whoever looks after that system to mend it. We keep trying by ourselves."),
    Stage.DISABLED: gettext_lazy(
        "Ask whoever looks after that system to mend it. We ask now and then, and go on when it answers."
    ),
    Stage.RESUMED: gettext_lazy("You need not do anything."),
}
ASK = gettext_lazy("Ask whoever looks after that system. Then resume it, or remove it.")


def mail_due() -> int:
    """Mail what is to be told, the oldest first. Returns how many were told of.

    What cannot be mailed stops nothing else. Where the mail server is the reason it is tried again in the next round;
    a mail that cannot be written never can be, so nobody is told.
    """
    until = time.monotonic() + ROUND_SECONDS
    told = 0
    for pk in Notice.objects.filter(sent_at=None).order_by("created_at").values_list("pk", flat=True)[:MOST]:
        if time.monotonic() > until:
            break
        try:
            told += _mail(pk)
        except DatabaseError:
            log.exception("a notice could not be noted", notice=str(pk))
        except Exception:
            log.exception("a notice cannot be written", notice=str(pk))
            Notice.objects.filter(pk=pk).update(sent_at=Now())
    return told


@transaction.atomic
def _mail(pk: Any) -> bool:
    """False while one of the two has still to be told, or somebody else is at it, or was. Noted once it is out: a crash
    before tells it again, never not."""
    locked = Notice.objects.select_for_update(skip_locked=True, of=("self",)).filter(pk=pk, sent_at=None)
    notice = locked.select_related("organization", "endpoint").first()
    if notice is None:
        return False
    for told_at, addresses, link in _readers(notice):
        if getattr(notice, told_at) is None and _is_told(notice, addresses, link=link):
            setattr(notice, told_at, timezone.now())
    notice.sent_at = timezone.now() if notice.owners_told_at and notice.operators_told_at else None
    notice.save(update_fields=["owners_told_at", "operators_told_at", "sent_at"])
    return notice.sent_at is not None


def _readers(notice: Notice) -> list[tuple[str, list[str], str]]:
    """Of each party: where it is noted that they were told, their addresses, and the page where they see more."""
    managers = notice.organization.memberships.filter(role__in=MANAGERS, user__is_active=True)
    own = managers.order_by("pk").values_list("user__email", flat=True) if notice.organization.is_active else []
    operators = reverse("admin:webhooks_endpoint_change", args=[notice.endpoint_id])
    return [
        ("owners_told_at", list(own), reverse("hook", args=[notice.endpoint_id])),
        ("operators_told_at", settings.OPERATORS_EMAIL, operators),
    ]


def _is_told(notice: Notice, addresses: list[str], *, link: str) -> bool:
    """Mail one party. Whether it need not be tried again: it is out, or nobody of them will ever take it."""
    try:
        if addresses:
            send_mail(subject_of(notice), text_of(notice, link=link), None, addresses)
    except OSError as error:  # smtplib's errors are OSErrors
        log.exception("a notice could not be mailed", notice=str(notice.pk))
        return _is_for_good(error)
    return True


def _is_for_good(error: OSError) -> bool:
    """RFC 5321, 4.2.1: a mailbox that is refused with 5yz is refused whenever it is asked."""
    return isinstance(error, SMTPRecipientsRefused) and all(code >= 500 for code, _said in error.recipients.values())


def subject_of(notice: Notice) -> str:
    """In one line, whatever the name is."""
    name = notice.endpoint.name or shown(notice.endpoint.url)
    return str(SUBJECTS[Stage(notice.stage)]) % {"name": " ".join(name.split())}


def text_of(notice: Notice, *, link: str) -> str:
    """What happened to which address, since when and why, what is kept for it, and what to do."""
    happened, todo = _of_stage(notice)
    parts = [
        str(happened) % _facts(notice),
        _why(notice),
        _held(notice),
        f"{todo}\n{settings.PUBLIC_URL}{link}",
        _("It belongs to %(organization)s.") % {"organization": notice.organization},
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _of_stage(notice: Notice) -> tuple[Any, Any]:
    stage = Stage(notice.stage)
    if stage == Stage.DISABLED and notice.endpoint.reason == Endpoint.Reason.GONE:
        return GONE, ASK
    return HAPPENED[stage], ASKED[stage]


def _facts(notice: Notice) -> dict[str, Any]:
    """It may be well again by now: then the time of the notice is the best we know."""
    since = timezone.localtime(notice.endpoint.failing_since or notice.created_at)
    return {
        "address": shown(notice.endpoint.url),
        "since": date_format(since, "DATETIME_FORMAT"),
        "failures": notice.failures,
    }


def _why(notice: Notice) -> str:
    if notice.stage == Stage.RESUMED or not notice.error:
        return ""
    text = _("The last time: %(why)s") % {"why": sentences.why(notice.error)}
    what = _("It was about: %(event)s.") % {"event": sentences.heading(notice.event_type)}
    return f"{text}\n{what}" if notice.event_type else text


def _held(notice: Notice) -> str:
    if not notice.held:
        return ""
    text = ngettext("%(n)d message is kept for it.", "%(n)d messages are kept for it.", notice.held)
    return text % {"n": notice.held}
