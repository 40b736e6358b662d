import pytest

from config.local.pages import Form, LostWay, Page

HTML = """
<html><head><meta http-equiv="refresh" content="2"></head><body>
<form method="post" action="/language/"><button name="language" value="nl">Nederlands</button></form>
<a href="/outside/">outside</a>
<main>
  <h1>Which <em>brand</em>?</h1>
  <form action="?q"><input name="q"></form>
  <form method="post" action="/connect/7/brand/">
    <input type="hidden" name="csrf" value="c&amp;c">
    <label><input type="radio" name="brand" value="1">One</label>
    <label><input type="radio" name="brand" value="2">Two</label>
    <button>Continue</button>
  </form>
  <form method="post"><input type="hidden" name="csrf" value="x"><button>Discard</button></form>
  <a href="../store/">a store</a>
</main>
<form method="post" action="/logout/"></form>
</body></html>
"""


@pytest.fixture
def page() -> Page:
    return Page("http://portal.test/connect/7/brand/?stay", HTML)


def test_a_form_is_found_by_what_it_asks_for(page: Page):
    assert page.form("brand") == Form(
        "post", "http://portal.test/connect/7/brand/", {"csrf": "c&c"}, {"brand": ["1", "2"]}
    )


def test_without_a_question_the_form_to_press_is_found(page: Page):
    assert page.form() == Form("post", "http://portal.test/connect/7/brand/?stay", {"csrf": "x"})


def test_only_what_stands_in_main_counts(page: Page):
    assert page.links == ["http://portal.test/connect/7/store/"]
    with pytest.raises(LostWay, match=r"^The page “Which brand\?” at http://.* has no form that asks for language\.$"):
        page.form("language")


def test_a_link_is_found_by_its_path(page: Page):
    assert page.link(r"/connect/\d/store/") == "http://portal.test/connect/7/store/"
    with pytest.raises(LostWay, match="has no link to /outside/"):
        page.link("/outside/")


def test_a_page_that_reloads_says_so(page: Page):
    assert page.reloads is True
    assert Page("http://portal.test/", "<h1>Done</h1>").reloads is False
