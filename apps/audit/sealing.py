"""Sealing the trail, so that an entry altered behind our back shows (threat AD-04).

A chain from entry to entry would make every writer wait for the one before; so entries are closed in batches, after
they are committed, and each seal's digest is over its batch and the seal before. Whoever can rewrite the database can
rewrite every later seal as well: the newest digest is in the log each time, and `check_audit --digest` asks for one
that was noted elsewhere.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.conf import settings
from django.core.cache import cache
from django.core.mail import send_mail
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from .models import Entry, Seal, Sealed

log = structlog.get_logger(__name__)

LOCK = 7_004_001  # one seals at a time
MOST = 20_000  # entries of a seal
LATEST = timedelta(hours=1)  # no transaction lasts longer: what turns up after it among sealed entries was slipped in
AT_ONCE = 500  # seals looked through in one statement
ENTRIES_AT_ONCE = 200_000  # of theirs; a statement ends after a minute, done or not
BROKEN = "audit.broken"  # in the cache, what the last check found

# In this order, whatever the table gets later: a digest is compared with what it was made of.
COLUMNS = (
    "id", "at", "organization_id", "integration_id", "user_id", "actor", "action", "outcome", "target_kind",
    "target_id", "target", "before", "after", "reason", "address", "request_id",
)  # fmt: skip
SAID = ", ".join("extract(epoch FROM e.at)" if name == "at" else f'e."{name}"' for name in COLUMNS)
BATCH = f"""
    encode(sha256(string_agg(
        sha256(convert_to(jsonb_build_array({SAID})::text, 'UTF8')), ''::bytea ORDER BY e.id
    )), 'hex')"""


@dataclass(frozen=True)
class Found:
    """What a check found. `broken` says in words where the chain breaks first; empty when it holds."""

    seals: int
    entries: int
    unsealed: int
    digest: str
    broken: str = ""


def seal() -> int:
    """Seal what is committed and not sealed yet. Returns how many entries that were."""
    sealed = 0
    while count := _seal_some():
        sealed += count
    return sealed


@transaction.atomic
def _seal_some() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return 0  # somebody else is at it
    fresh = Entry.objects.filter(pk__gt=_settled(), mark=None).order_by("pk")
    pks = list(fresh.values_list("pk", flat=True)[:MOST])
    if not pks:
        return 0
    before = Seal.objects.first()
    digest = _link(before.digest if before else "", count=len(pks), upto=pks[-1], batch=_batch_of(pks))
    made = Seal.objects.create(count=len(pks), upto=pks[-1], digest=digest)
    Sealed.objects.bulk_create([Sealed(entry_id=pk, seal=made) for pk in pks], batch_size=5000)
    log.info("the audit trail was sealed", seal=made.pk, entries=made.count, digest=made.digest)
    return made.count


def _settled() -> int:
    """No entry with this id, or a lower one, can come in any more."""
    old = Seal.objects.filter(at__lt=timezone.now() - LATEST).order_by("-upto").first()
    return old.upto if old else 0


def _batch_of(pks: list[int]) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {BATCH} FROM audit_entry e WHERE e.id = ANY(%s)", [pks])  # noqa: S608 - constants
        return str(cursor.fetchone()[0])


def _link(before: str, *, count: int, upto: int, batch: str) -> str:
    return hashlib.sha256(f"{before}:{count}:{upto}:{batch}".encode()).hexdigest()


def check(noted: str = "") -> Found:
    """Compare every seal with what its entries say now. `noted` is a digest that has to be among the seals."""
    digest, last, seals, entries, was_noted = "", 0, 0, 0, not noted
    while some := _some_after(last):
        batches = _batches(some)
        for one in some:
            expected = _link(digest, count=one.count, upto=one.upto, batch=batches.get(one.pk, ""))
            if expected != one.digest:
                return Found(seals, entries, _unsealed(), digest, _where(one))
            digest, last, seals, entries = one.digest, one.pk, seals + 1, entries + one.count
            was_noted = was_noted or one.digest == noted
    found = Found(seals, entries, _unsealed(), digest, "" if was_noted else _("The digest you noted is not there."))
    late = Entry.objects.filter(pk__lte=_settled(), mark=None).order_by("pk").first()
    if late and not found.broken:
        return Found(seals, entries, found.unsealed, digest, _("Entry %(id)d was slipped in later.") % {"id": late.pk})
    return found


def _some_after(last: int) -> list[Seal]:
    """The next seals, as many as can be looked through at once; one at least."""
    found: list[Seal] = []
    entries = 0
    for one in Seal.objects.filter(pk__gt=last).order_by("pk")[:AT_ONCE]:
        entries += one.count
        if found and entries > ENTRIES_AT_ONCE:
            break
        found.append(one)
    return found


def _batches(seals: list[Seal]) -> dict[int, str]:
    """The digest of each seal's entries as they are now. Seals without any left are not in it."""
    sql = f"""
        SELECT s.seal_id, {BATCH} FROM audit_sealed s LEFT JOIN audit_entry e ON e.id = s.entry_id
        WHERE s.seal_id BETWEEN %s AND %s GROUP BY s.seal_id"""  # noqa: S608 - constants
    with connection.cursor() as cursor:
        cursor.execute(sql, [seals[0].pk, seals[-1].pk])
        return dict(cursor.fetchall())


def _unsealed() -> int:
    return Entry.objects.filter(pk__gt=_settled(), mark=None).count()


def _where(seal: Seal) -> str:
    first = Sealed.objects.filter(seal=seal).order_by("entry_id").first()
    place = {"seal": seal.pk, "first": first.entry_id if first else "?", "last": seal.upto}
    return _("Seal %(seal)s does not fit: something was changed among the entries %(first)s to %(last)s.") % place


def watch() -> str:
    """Check, keep what was found for `broken`, and mail the operators when it breaks. Returns what is broken."""
    found = check().broken
    if found:
        log.error("the audit trail was tampered with", place=found)
    if found and found != broken():
        cache.set(BROKEN, found, timeout=None)
        _mail(found)
    elif not found:
        cache.delete(BROKEN)
    return found


def broken() -> str:
    """What the last check found broken, in words; empty when the trail holds."""
    return str(cache.get(BROKEN, ""))


def _mail(found: str) -> None:
    text = _(
        "The audit trail of %(portal)s does not fit its seals any more.\n\n%(found)s\n\n"
        "Somebody changed it behind the portal's back. Look at who can reach the database, and compare with a backup."
    )
    subject = _("The audit trail was tampered with")
    try:
        send_mail(subject, text % {"portal": settings.PORTAL_NAME, "found": found}, None, settings.OPERATORS_EMAIL)
    except OSError:  # smtplib's errors are OSErrors
        log.exception("the operators could not be told that the audit trail breaks")
