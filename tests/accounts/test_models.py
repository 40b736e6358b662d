import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, transaction

from apps.accounts.models import Brand, Role, Store, User
from tests.factories import make_brand, make_member, make_membership, make_organization, make_store, make_user


def test_two_people_cannot_have_one_address_in_two_spellings(db):
    make_user(email="person@example.com")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_user(email="Person@example.com")


def test_behaviour_1_a_person_belongs_to_one_organization(db):
    user = make_member()
    with pytest.raises(IntegrityError), transaction.atomic():
        make_membership(user=user)


def test_behaviour_1_a_person_sees_the_rows_of_their_own_organization_only(db, rf):
    mine, _ = make_brand(), make_brand()
    request = rf.get("/")
    request.user = make_member(organization=mine.organization)
    assert list(Brand.objects.for_principal(request)) == [mine]


@pytest.mark.parametrize("who", [AnonymousUser, make_user, lambda: make_user(is_staff=True, is_superuser=True)])
def test_whoever_has_no_organization_sees_no_rows(db, rf, who):
    make_brand()
    request = rf.get("/")
    request.user = who()
    assert list(Brand.objects.for_principal(request)) == []


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        (Role.OWNER, {"see", "connect", "manage"}),
        (Role.ADMIN, {"see", "connect", "manage"}),
        (Role.MEMBER, {"see", "connect"}),
        (Role.VIEWER, {"see"}),
    ],
)
def test_a_role_allows_some_things(db, role, allowed):
    user = make_member(role=role)
    assert {permission for permission in ("see", "connect", "manage") if user.may(permission)} == allowed
    assert (user.may_connect, user.may_manage) == ("connect" in allowed, "manage" in allowed)


def test_whoever_has_no_organization_may_nothing(db):
    user = make_user()
    assert [user.may(permission) for permission in ("see", "connect", "manage")] == [False] * 3


def test_a_superuser_is_staff(db):
    user = User.objects.create_superuser("admin@example.com", "a password")
    assert (user.is_staff, user.is_superuser, user.check_password("a password")) == (True, True, True)


def test_a_brand_is_unique_to_its_source(db):
    organization = make_organization()
    make_brand(organization=organization, source="otter:1", ext_id="1")
    make_brand(organization=organization, source="otter:2", ext_id="1")
    make_brand(source="otter:1", ext_id="1")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_brand(organization=organization, source="otter:1", ext_id="1")


def test_a_store_is_unique_to_its_brand(db):
    brand = make_brand()
    make_store(brand=brand, ext_id="1")
    make_store(ext_id="1")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_store(brand=brand, ext_id="1")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ["Hats Amsterdam", "Hats Berlin"]),
        ("  ", ["Hats Amsterdam", "Hats Berlin"]),
        ("HATS", ["Hats Amsterdam", "Hats Berlin"]),
        ("berlin", ["Hats Berlin"]),
        ("damrak", ["Hats Amsterdam"]),
        ("hats damrak", ["Hats Amsterdam"]),
        ("hats paris", []),
        ("%", []),
        ("_", []),
        ("'; DROP TABLE --", []),
    ],
)
def test_stores_are_found_by_every_word_of_their_name_or_address(db, text, found):
    brand = make_brand()
    make_store(brand=brand, name="Hats Amsterdam", address="Damrak 1")
    make_store(brand=brand, name="Hats Berlin", address="Kudamm 2")
    assert [store.name for store in Store.objects.matching(text)] == found
