import pytest

PAGE = "/accounts/login/"


def test_an_address_without_a_nul_is_served(client, db):
    assert client.get(f"{PAGE}?next=/team/&q=%20").status_code == 200


@pytest.mark.parametrize(
    "address", [f"{PAGE}?q=a%00b", f"{PAGE}?a%00b=q", f"{PAGE}?q=1&q=%00", "/team/%00/", "/invitations/a%00b/"]
)
def test_an_address_with_a_nul_is_refused(client, db, address):
    assert client.get(address).status_code == 400


def test_a_cookie_with_a_nul_is_refused(client, db):
    client.cookies.load('crossdock_session="\\000\\000\\000\\000\\000\\000\\000\\000"')
    assert client.get(PAGE).status_code == 400


def test_a_nul_in_a_form_is_an_error_of_its_field(client, db):
    answer = client.post(PAGE, {"login": "a\x00b@example.com", "password": "p\x00"})
    assert answer.status_code == 200
    assert set(answer.context["form"].errors) == {"login", "password"}


@pytest.mark.parametrize("id", ["0", "99999999999999999999999", "-1", "1.5", "abc", "%F0%9F%8E%A9"])
def test_an_id_that_no_row_can_have_is_not_found(owner_client, id):
    assert owner_client.post(f"/team/{id}/remove/").status_code == 404


def test_more_parameters_than_anybody_needs_are_refused(client, db):
    assert client.get(PAGE, {f"p{n}": "" for n in range(501)}).status_code == 400


def test_an_address_in_no_known_encoding_is_served(client, db):
    assert client.get(f"{PAGE}?q=%FF%ED%A0%80").status_code == 200
