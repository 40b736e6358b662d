import pytest

from apps.htmx import go

HTMX = {"HX-Request": "true"}


def test_a_browser_gets_the_whole_page(owner_client):
    assert owner_client.get("/").content.decode().count("<html") == 1


def test_htmx_gets_only_a_part_of_the_same_page(owner_client):
    part = owner_client.get("/", headers=HTMX).content.decode()
    page = owner_client.get("/").content.decode()
    assert "<html" not in part
    assert [line for line in _lines(part) if line not in _lines(page)] == []
    assert 0 < len(_lines(part)) < len(_lines(page))


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["browser", "htmx"])
def test_a_cache_keeps_both_apart(owner_client, headers):
    assert "HX-Request" in owner_client.get("/", headers=headers)["Vary"].split(", ")


def test_a_browser_is_redirected(rf):
    request = rf.post("/")
    request.htmx = False
    answer = go(request, "accept-invitation", "a-token")
    assert (answer.status_code, answer["Location"]) == (302, "/invitations/a-token/")


def test_htmx_is_told_to_load_the_next_page_as_a_whole(rf):
    request = rf.post("/", headers=HTMX)
    request.htmx = True
    answer = go(request, "accept-invitation", "a-token")
    assert (answer.status_code, answer["HX-Redirect"]) == (200, "/invitations/a-token/")
