"""Mail about endpoints in trouble: who gets it, what it says, and that it goes out once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from smtplib import SMTPRecipientsRefused
from typing import Any

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from apps.webhooks import noticing
from apps.webhooks.models import Endpoint, Notice
from apps.webhooks.noticing import mail_due, text_of
from apps.webhooks.tasks import mail_notices
from tests.concurrency import at_once, in_thread
from tests.factories import make_endpoint, make_member, make_notice

pytestmark = pytest.mark.django_db
OPERATOR = "ops@foo-3pl.example"


@pytest.fixture(autouse=True)
def _operator(settings) -> None:
    settings.OPERATORS_EMAIL = [OPERATOR]
    settings.PUBLIC_URL = "https://portal.example"


def endpoint_of(owner: Any, **fields: Any) -> Endpoint:
    return make_endpoint(organization=owner.organization, url="https://erp.example/in?key=secret", **fields)


def test_wo_14_managers_and_the_3pl_are_told_with_all_they_have_to_know(owner):
    make_member(organization=owner.organization, role="admin", email="admin@example.com")
    make_member(organization=owner.organization, role="member", email="member@example.com")
    make_member(email="stranger@example.com")
    since = timezone.now() - timedelta(hours=1)
    endpoint = endpoint_of(owner, failures=5, failing_since=since)
    make_notice(endpoint=endpoint, stage="streak", failures=5, error="status_503", held=7)
    assert mail_due() == 1
    assert [sent.to for sent in mail.outbox] == [["owner@example.com", "admin@example.com"], [OPERATOR]]
    theirs, ours = mail.outbox
    assert theirs.subject == ours.subject == "Messages do not arrive at https://erp.example/in?…"
    assert theirs.body == "\n".join(
        [
            f"Nothing has arrived at https://erp.example/in?… since {when(since)}: 5 tries failed.",
            "",
            "The last time: Something went wrong there (503 Service Unavailable).",
            "It was about: Order received.",
            "",
            "7 messages are kept for it.",
            "",
            "Ask whoever looks after that system to mend it. We keep trying by ourselves.",
            f"https://portal.example/hooks/{endpoint.pk}/",
            "",
            "It belongs to Great Hats.",
            "",
        ]
    )
    assert f"https://portal.example{reverse('admin:webhooks_endpoint_change', args=[endpoint.pk])}" in ours.body


def when(moment: Any) -> str:
    return noticing.date_format(timezone.localtime(moment), "DATETIME_FORMAT")


@pytest.mark.parametrize(
    ("stage", "fields", "said", "todo"),
    [
        ("half_way", {}, "Five days after that we disable it.", "We keep trying by ourselves."),
        ("disabled", {"state": "disabled", "reason": "failing"}, "so we disabled it.", "go on when it answers."),
        ("disabled", {"state": "disabled", "reason": "gone"}, "wants nothing more", "Then resume it, or remove it."),
        ("resumed", {}, "what was kept for it is on its way.", "You need not do anything."),
    ],
)
def test_each_stage_says_what_happened_and_what_to_do(owner, stage, fields, said, todo):
    notice = make_notice(endpoint=endpoint_of(owner, **fields), stage=stage, error="timeout")
    text = text_of(notice, link="/hooks/")
    assert (said in text, todo in text, "secret" in text) == (True, True, False)
    assert ("It did not answer in time." in text) == (stage != "resumed")


def test_what_was_mailed_is_not_mailed_again(owner):
    make_notice(endpoint=endpoint_of(owner))
    assert (mail_due(), mail_due(), len(mail.outbox)) == (1, 0, 2)
    assert Notice.objects.get().sent_at is not None


def test_a_mail_that_fails_stops_no_other_and_is_tried_again(owner, monkeypatch):
    bad, good = make_notice(endpoint=endpoint_of(owner), stage="streak"), make_notice(endpoint=make_endpoint())
    real = noticing.send_mail

    def send(subject: str, text: str, sender: Any, addresses: list[str]) -> None:
        if "owner@example.com" in addresses:
            raise OSError("no connection")
        real(subject, text, sender, addresses)

    monkeypatch.setattr(noticing, "send_mail", send)
    mail_notices()
    assert [Notice.objects.get(pk=one.pk).sent_at is None for one in (bad, good)] == [True, False]
    monkeypatch.setattr(noticing, "send_mail", real)
    assert (mail_due(), len(mail.outbox)) == (1, 3)


def refusing(monkeypatch, address: str, code: int) -> None:
    """A mail server that takes nothing for this address."""
    real = noticing.send_mail

    def send(subject: str, text: str, sender: Any, addresses: list[str]) -> None:
        if address in addresses:
            raise SMTPRecipientsRefused({address: (code, b"not here")})
        real(subject, text, sender, addresses)

    monkeypatch.setattr(noticing, "send_mail", send)


@pytest.mark.parametrize(("refused", "told"), [("owner@example.com", OPERATOR), (OPERATOR, "owner@example.com")])
@pytest.mark.parametrize(("code", "is_done"), [(550, True), (450, False)])
def test_whoever_is_refused_keeps_nobody_else_from_being_told_once(owner, monkeypatch, refused, told, code, is_done):
    """Who is refused for good is not asked for again (RFC 5321, 4.2.1)."""
    make_notice(endpoint=endpoint_of(owner))
    refusing(monkeypatch, refused, code)
    assert [mail_due() for _ in range(3)] == [int(is_done), 0, 0]
    assert [sent.to for sent in mail.outbox] == [[told]]
    monkeypatch.undo()
    assert (mail_due(), len(mail.outbox)) == ((0, 1) if is_done else (1, 2))


def test_many_that_cannot_be_mailed_now_hold_no_other_back(owner, settings, monkeypatch):
    settings.OPERATORS_EMAIL = []
    endpoint = endpoint_of(owner)
    for _ in range(101):
        make_notice(endpoint=endpoint)
    other = make_member(role="admin", email="admin@example.com").organization
    make_notice(endpoint=make_endpoint(organization=other))
    refusing(monkeypatch, "owner@example.com", 450)
    assert (mail_due(), [sent.to for sent in mail.outbox]) == (1, [["admin@example.com"]])


@pytest.mark.parametrize("name", ["Ours\nBcc: all@example.com", "Ours\r\n Bcc: all@example.com"])
def test_a_name_of_several_lines_is_one_in_the_subject(owner, name):
    make_notice(endpoint=endpoint_of(owner, name=name))
    assert (mail_due(), {sent.subject for sent in mail.outbox}) == (
        1,
        {"Messages do not arrive at Ours Bcc: all@example.com"},
    )


def test_a_mail_that_cannot_be_written_stops_no_other_and_is_left_alone(owner, monkeypatch):
    bad, good = make_notice(endpoint=endpoint_of(owner)), make_notice(endpoint=make_endpoint())
    real = noticing.text_of

    def write(notice: Notice, *, link: str) -> str:
        if notice == bad:
            raise ValueError("no text")
        return real(notice, link=link)

    monkeypatch.setattr(noticing, "text_of", write)
    assert (mail_due(), mail_due(), len(mail.outbox)) == (1, 0, 1)
    assert [Notice.objects.get(pk=one.pk).sent_at is None for one in (bad, good)] == [False, False]


def test_a_crash_while_it_is_mailed_mails_it_again(owner, monkeypatch):
    make_notice(endpoint=endpoint_of(owner))

    def die(*args: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(noticing, "send_mail", die)
        with pytest.raises(KeyboardInterrupt):
            mail_due()
    assert (mail_due(), len(mail.outbox)) == (1, 2)


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_mail_the_same(owner, settings):
    for _ in range(5):
        make_notice(endpoint=make_endpoint(organization=owner.organization))
    assert sum(at_once(4, mail_due)) == 5
    assert len(mail.outbox) == 10


@pytest.mark.django_db(transaction=True)
def test_who_comes_while_another_mails_it_goes_past(owner, monkeypatch):
    make_notice(endpoint=endpoint_of(owner))
    met: list[int] = []
    real = noticing.send_mail

    def send(*args: Any) -> None:
        with ThreadPoolExecutor(1) as pool:
            met.append(in_thread(pool, mail_due).result(10))
        real(*args)

    monkeypatch.setattr(noticing, "send_mail", send)
    assert (mail_due(), met, len(mail.outbox)) == (1, [0, 0], 2)


def test_people_of_a_closed_organization_are_not_mailed_and_the_3pl_is(owner, settings):
    owner.organization.is_active = False
    owner.organization.save()
    make_notice(endpoint=endpoint_of(owner))
    assert (mail_due(), [sent.to for sent in mail.outbox]) == (1, [[OPERATOR]])


def test_where_nobody_is_to_be_told_it_is_done_with(settings):
    settings.OPERATORS_EMAIL = []
    make_notice()
    assert (mail_due(), mail_due(), mail.outbox) == (1, 0, [])
