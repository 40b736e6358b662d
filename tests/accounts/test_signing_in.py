import base64
import hashlib
import hmac
import re
import struct
import time
from datetime import timedelta

import pytest
import time_machine
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core import mail
from django.core.cache import cache
from django.utils import timezone

from apps.accounts import signing_in
from apps.accounts.models import Invitation, User
from apps.audit.models import Entry
from tests.conftest import signed_in
from tests.factories import INVITATION_TOKEN, PASSWORD, make_invitation, make_user

LOGIN, SIGNUP, RESET = "/accounts/login/", "/accounts/signup/", "/accounts/password/reset/"
CHANGE = "/accounts/password/change/"


def sign_in(client, email: str, password: str = PASSWORD, **query: str):
    return client.post(LOGIN, {"login": email, "password": password}, query_params=query)


def errors(answer) -> list[str]:
    return [message for messages in answer.context["form"].errors.values() for message in messages]


# ---- Signing in


@pytest.mark.parametrize(
    "typed", ["owner@example.com", "OWNER@example.com", "Owner@Example.COM", " owner@example.com "]
)
def test_an_email_address_is_recognised_however_it_is_written(client, owner, typed):
    answer = sign_in(client, typed)
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert client.session["_auth_user_id"] == str(owner.pk)


def test_people_of_the_3pl_start_in_the_admin(client, db):
    make_user(email="admin@foo-3pl.example", is_staff=True)
    assert sign_in(client, "admin@foo-3pl.example")["Location"] == "/admin/"


def test_whoever_wanted_a_page_gets_it_after_signing_in(client, owner):
    assert client.get("/team/")["Location"] == f"{LOGIN}?next=/team/"
    assert sign_in(client, owner.email, next="/team/")["Location"] == "/team/"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "data:,x",
    ],
)
def test_signing_in_leads_to_no_other_site(client, owner, target):
    assert sign_in(client, owner.email, next=target)["Location"] == "/"


def test_signing_in_gives_a_session_that_was_not_there_before(client, owner):
    client.get(LOGIN)
    client.session.save()
    before = client.session.session_key
    sign_in(client, owner.email)
    assert client.session.session_key != before


def test_signing_out_ends_the_session(client, owner):
    sign_in(client, owner.email)
    assert client.post("/accounts/logout/")["Location"] == LOGIN
    assert client.get("/team/")["Location"] == f"{LOGIN}?next=/team/"


def test_an_inactive_person_cannot_sign_in(client, owner):
    User.objects.update(is_active=False)
    sign_in(client, owner.email)
    assert "_auth_user_id" not in client.session


# ---- Who has an account is not told


def test_a_wrong_password_and_an_unknown_address_look_the_same(client, owner):
    wrong, unknown = sign_in(client, owner.email, "wrong"), sign_in(client, "nobody@example.com", "wrong")
    assert errors(wrong) == errors(unknown) == ["The email address and/or password you specified are not correct."]
    assert (wrong.status_code, unknown.status_code) == (200, 200)


def test_a_forgotten_password_is_answered_the_same_for_an_unknown_address(client, owner):
    known = client.post(RESET, {"email": owner.email})
    unknown = client.post(RESET, {"email": "nobody@example.com"})
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    assert known["Location"] == f"{RESET}done/"


def test_a_forgotten_password_can_be_set_anew_by_the_link_in_the_mail(client, owner):
    client.post(RESET, {"email": "OWNER@example.com"})
    [sent] = mail.outbox
    assert sent.to == ["owner@example.com"]
    link = re.search(r"http://\S+/accounts/password/reset/key/\S+", sent.body)[0]
    page = client.get(link, follow=True)
    form = page.redirect_chain[-1][0]
    client.post(form, {"password1": "a new horse battery", "password2": "a new horse battery"})
    assert sign_in(client, owner.email, "a new horse battery")["Location"] == "/"
    assert in_the_trail() == [(owner.email, owner.organization.pk, owner.pk, str(owner.pk), "127.0.0.1")]


def in_the_trail() -> list[tuple]:
    """Each password that was changed: by whom, for which organization, whose, and from where."""
    changed = Entry.objects.filter(action="user.password")
    return list(changed.values_list("actor", "organization_id", "user_id", "target_id", "address"))


def test_another_password_of_ones_own_stands_in_the_trail(owner):
    given = {"oldpassword": PASSWORD, "password1": "a new horse battery", "password2": "a new horse battery"}
    wrong = given | {"oldpassword": "no"}
    assert signed_in(owner).post(CHANGE, wrong).status_code == 200
    assert in_the_trail() == []
    assert signed_in(owner).post(CHANGE, given).status_code == 302
    assert in_the_trail() == [(owner.email, owner.organization.pk, owner.pk, str(owner.pk), "127.0.0.1")]


def test_another_password_stands_or_falls_with_its_entry_in_the_trail(owner, monkeypatch):
    def fail(*args, **kwargs):
        raise ConnectionError("gone")

    monkeypatch.setattr(signing_in, "record", fail)
    given = {"oldpassword": PASSWORD, "password1": "a new horse battery", "password2": "a new horse battery"}
    with pytest.raises(ConnectionError):
        signed_in(owner).post(CHANGE, given)
    owner.refresh_from_db()
    assert owner.check_password(PASSWORD)


def test_signing_up_with_an_address_that_has_an_account_looks_like_any_other(client, owner):
    make_invitation(email="guest@example.com")
    client.get(f"/invitations/{INVITATION_TOKEN}/")
    taken = client.post(SIGNUP, {"email": owner.email, "password1": "a new horse battery"})
    free = client.post(SIGNUP, {"email": "somebody@example.com", "password1": "a new horse battery"})
    assert (taken.status_code, taken["Location"]) == (free.status_code, free["Location"])
    assert User.objects.get(email=owner.email).check_password(PASSWORD)
    assert [message.to for message in mail.outbox] == [[owner.email], ["somebody@example.com"]]


# ---- Guessing


def test_after_some_wrong_passwords_even_the_right_one_is_refused_for_a_while(client, owner):
    for _ in range(5):
        sign_in(client, owner.email, "wrong")
    answer = sign_in(client, owner.email)
    assert errors(answer) == ["Too many failed login attempts. Try again later."]
    assert "_auth_user_id" not in client.session


def test_an_attack_on_one_person_keeps_nobody_else_out(client, owner, stranger):
    for _ in range(5):
        sign_in(client, owner.email, "wrong")
    assert sign_in(client, stranger.email)["Location"] == "/"


def test_whoever_tries_too_often_gets_a_page_that_says_so(client, owner):
    answers = [client.post(LOGIN, {"login": f"person{n}@example.com", "password": "x"}) for n in range(31)]
    assert [answer.status_code for answer in answers] == [200] * 30 + [429]
    assert "That was a bit too often" in answers[-1].content.decode()


# ---- Signing up is for invited people


def test_without_an_invitation_there_is_no_signing_up(client, db):
    assert "You need an invitation" in client.get(SIGNUP).content.decode()
    client.post(SIGNUP, {"email": "guest@example.com", "password1": PASSWORD})
    assert not User.objects.exists()


def sign_up(client, email: str = "guest@example.com"):
    client.get(f"/invitations/{INVITATION_TOKEN}/")
    return client.post(f"{SIGNUP}?next=/invitations/{INVITATION_TOKEN}/", {"email": email, "password1": PASSWORD})


@pytest.mark.parametrize("email", ["guest@example.com", "Guest@Example.com"])
def test_an_invited_person_signs_up_without_another_mail_and_goes_on_to_join(client, db, email):
    make_invitation(email="guest@example.com")
    answer = sign_up(client, email)
    assert answer["Location"] == f"/invitations/{INVITATION_TOKEN}/"
    assert mail.outbox == []
    assert EmailAddress.objects.get().verified is True
    assert client.session["_auth_user_id"] == str(User.objects.get().pk)


def test_an_invitation_vouches_for_its_own_address_only(client, db):
    make_invitation(email="guest@example.com")
    sign_up(client, "somebody-else@example.com")
    assert "_auth_user_id" not in client.session
    assert [message.to for message in mail.outbox] == [["somebody-else@example.com"]]
    assert EmailAddress.objects.get().verified is False


@pytest.mark.parametrize("change", [{"expires_at": timedelta()}, {"accepted_at": timedelta()}, None])
def test_an_invitation_that_cannot_be_accepted_opens_no_account(client, db, change):
    invitation = make_invitation(email="guest@example.com")
    client.get(f"/invitations/{INVITATION_TOKEN}/")
    if change is None:
        invitation.delete()
    else:
        Invitation.objects.update(**{name: timezone.now() + since for name, since in change.items()})
    client.post(SIGNUP, {"email": "guest@example.com", "password1": PASSWORD})
    assert not User.objects.filter(email="guest@example.com").exists()


@pytest.mark.parametrize("password", ["", "short", "12345678901", "password123", "guest@example.com"])
def test_a_password_that_is_easily_guessed_is_refused(client, db, password):
    make_invitation(email="guest@example.com")
    client.get(f"/invitations/{INVITATION_TOKEN}/")
    answer = client.post(SIGNUP, {"email": "guest@example.com", "password1": password})
    assert (answer.status_code, list(answer.context["form"].errors)) == (200, ["password1"])
    assert not User.objects.exists()


# ---- Bad input


@pytest.mark.parametrize("text", ["x" * 300, "a\x00b", "<script>alert(1)</script>", "é" * 300, "' OR 1=1 --"])
def test_bad_input_is_an_error_of_its_form(client, db, text):
    make_invitation(email="guest@example.com")
    client.get(f"/invitations/{INVITATION_TOKEN}/")
    for path, fields in (
        (LOGIN, {"login": text, "password": text}),
        (SIGNUP, {"email": text, "password1": text}),
        (RESET, {"email": text}),
    ):
        answer = client.post(path, fields)
        assert answer.status_code == 200
        assert errors(answer) != []
        assert "<script>alert" not in answer.content.decode()
    assert not User.objects.exists()


# ---- A second factor


@time_machine.travel("2026-11-21 12:00:00Z", tick=False)
def test_with_a_second_factor_the_password_alone_lets_nobody_in(client, owner):
    sign_in(client, owner.email)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    secret = client.get("/accounts/2fa/totp/activate/").context["form"].secret
    assert client.post("/accounts/2fa/totp/activate/", {"code": code(secret)})["Location"].startswith("/accounts/2fa/")
    client.post("/accounts/logout/")
    assert sign_in(client, owner.email)["Location"] == "/accounts/2fa/authenticate/"
    assert client.get("/team/")["Location"].startswith(LOGIN)
    wrong = client.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert (errors(wrong), "_auth_user_id" in client.session) == (["Incorrect code."], False)
    cache.clear()  # a code works once, and this one was used to set the factor up
    assert client.post("/accounts/2fa/authenticate/", {"code": code(secret)})["Location"] == "/"


def code(secret: str) -> str:
    """What an authenticator app shows (RFC 6238), at a moment when it stays good long enough to be typed."""
    if (left := 30 - time.time() % 30) < 3:
        time.sleep(left)
    moment = struct.pack(">Q", int(time.time()) // 30)
    mac = hmac.new(base64.b32decode(secret), moment, hashlib.sha1).digest()
    number = struct.unpack_from(">I", mac, mac[-1] & 15)[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


# ---- Guessing at the desk of the 3PL's own people (AD-01)


def test_the_admins_own_login_page_takes_no_password_and_sends_to_the_one_with_limits(client, staff, settings):
    settings.DEMO = True
    given = {"username": staff.email, "password": PASSWORD}
    assert client.post("/admin/login/", given)["Location"] == f"{LOGIN}?next=%2Fadmin%2Flogin%2F"
    assert client.post("/admin/orders/order/", given)["Location"] == "/admin/login/?next=/admin/orders/order/"
    assert "_auth_user_id" not in client.session


def test_whoever_guesses_through_the_admin_gets_429(client, staff):
    codes = []
    for number in range(31):
        to = client.post("/admin/login/", {"username": staff.email, "password": "x"})["Location"]
        codes.append(client.post(to, {"login": f"person{number}@example.com", "password": "x"}).status_code)
    assert codes == [200] * 30 + [429]


@time_machine.travel("2026-11-21 12:00:00Z", tick=False)
def test_after_a_few_wrong_codes_the_right_one_is_refused_too(client, staff):
    secret = generate_totp_secret()
    TOTP.activate(staff, secret)
    sign_in(client, staff.email)
    for number in range(5):
        client.post("/accounts/2fa/authenticate/", {"code": f"{number:06}"})
    answer = client.post("/accounts/2fa/authenticate/", {"code": code(secret)})
    assert errors(answer) == ["Too many failed login attempts. Try again later."]
    assert "_auth_user_id" not in client.session


@time_machine.travel("2026-11-21 12:00:00Z", tick=False)
def test_codes_guessed_in_a_session_that_is_open_get_429(client, staff):
    TOTP.activate(staff, generate_totp_secret())
    client.force_login(staff)
    codes = [client.post("/accounts/2fa/reauthenticate/", {"code": f"{n:06}"}).status_code for n in range(11)]
    assert codes == [200] * 10 + [429]
