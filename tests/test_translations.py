"""The Dutch texts are complete, hold what their English ones hold, and reach the pages."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import polib
import pytest
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "config/locale/nl/LC_MESSAGES"
PO = polib.pofile(str(FOLDER / "django.po"))
MO = polib.mofile(str(FOLDER / "django.mo"))

CALLS = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy"}
STRING = r"""u?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
TEMPLATE_CALL = re.compile(rf"\b(?:_|n?gettext)\({STRING}(?:, {STRING})?")
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]")
JARGON = re.compile(r"oauth|\bscopes?\b|\btokens?\b", re.IGNORECASE)

type Text = tuple[str, str]  # singular, and plural or ""


def test_the_compiled_file_holds_what_the_source_holds():
    assert translations(MO) == translations(PO)


def test_every_text_is_translated_and_none_is_a_guess():
    assert [entry.msgid for entry in PO if not entry.translated()] == []


def test_a_translation_has_the_placeholders_of_its_text():
    assert [english for english, dutch in pairs() if placeholders(english) != placeholders(dutch)] == []


def test_no_text_uses_the_words_of_programmers():
    assert [dutch for english, dutch in pairs() if JARGON.search(english) or JARGON.search(dutch)] == []


def test_the_texts_of_the_product_are_the_texts_of_the_file():
    """`make messages` brings the file up to date."""
    assert {(entry.msgid, entry.msgid_plural) for entry in PO} == texts_of_code() | texts_of_templates()


def test_a_text_of_python_is_found():
    source = '_("one") + ngettext("%(n)d tree", "%(n)d trees", n) + gettext_lazy("long " "text") + other("no")'
    assert texts_of_python(source) == {("one", ""), ("%(n)d tree", "%(n)d trees"), ("long text", "")}


def test_a_text_of_a_template_is_found():
    source = (
        '{% translate "one" %}{{ word|default:_("two") }}<p>three</p>'
        "{% blocktranslate count n=n %}It's {{ n }} tree{% plural %}{{ n }} trees{% endblocktranslate %}"
    )
    assert texts_of_template(source) == {("one", ""), ("two", ""), ("It's %(n)s tree", "%(n)s trees")}


@pytest.mark.django_db
@pytest.mark.parametrize(("path", "heading"), [("/accounts/login/", "Inloggen"), ("/nowhere/", "Hier is niets")])
def test_somebody_whose_browser_asks_for_dutch_gets_dutch(client, path, heading):
    assert language_and_heading(client.get(path, headers={"accept-language": "nl-BE,nl;q=0.9"})) == ("nl", heading)


def test_the_wizard_speaks_dutch(owner_client):
    page = owner_client.get("/connect/", headers={"accept-language": "nl"})
    assert language_and_heading(page) == ("nl", "Waar verkoop je?")


def test_a_chosen_language_stays_whatever_the_browser_asks_for(owner_client):
    owner_client.post("/language/setlang/", {"language": "nl", "next": "/connect/"})
    page = owner_client.get("/connect/", headers={"accept-language": "en"})
    assert language_and_heading(page) == ("nl", "Waar verkoop je?")


def test_a_chosen_language_can_be_chosen_back(owner_client):
    for language in ("nl", "en"):
        owner_client.post("/language/setlang/", {"language": language})
    page = owner_client.get("/connect/", headers={"accept-language": "nl"})
    assert language_and_heading(page) == ("en", "Where do you sell?")


def translations(texts: polib.POFile | polib.MOFile) -> dict[str, list[str]]:
    return {entry.msgid: dutch_of(entry) for entry in texts}


def dutch_of(entry: polib.POEntry | polib.MOEntry) -> list[str]:
    plurals = entry.msgstr_plural
    return [plurals[form] for form in sorted(plurals)] if plurals else [entry.msgstr]


def pairs() -> Iterator[tuple[str, str]]:
    """Each English text with its Dutch one; singular with singular, plural with plural."""
    for entry in PO:
        english = [entry.msgid, entry.msgid_plural] if entry.msgid_plural else [entry.msgid]
        yield from zip(english, dutch_of(entry), strict=True)


def placeholders(text: str) -> set[str]:
    return set(PLACEHOLDER.findall(text))


def texts_of_code() -> set[Text]:
    paths = [path for folder in ("apps", "config") for path in files(folder, "*.py")]
    return set().union(*(texts_of_python(path.read_text()) for path in paths))


def texts_of_templates() -> set[Text]:
    return set().union(*(texts_of_template(path.read_text()) for path in files("templates", "*.*")))


def files(folder: str, pattern: str) -> list[Path]:
    """The sandbox is a project of its own, in English."""
    return [path for path in (ROOT / folder).rglob(pattern) if "sandbox" not in path.parts]


def texts_of_python(source: str) -> set[Text]:
    """What xgettext would find: calls of the known names whose first argument is a text."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    named = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id in CALLS]
    return {text_of(call) for call in named if isinstance(call.args[0], ast.Constant)}


def text_of(call: ast.Call) -> Text:
    plural = call.args[1] if call.func.id.startswith("ngettext") else ast.Constant("")
    return call.args[0].value, plural.value


def texts_of_template(source: str) -> set[Text]:
    """The calls that Django itself writes for xgettext."""
    found = TEMPLATE_CALL.findall(templatize(source))
    return {(ast.literal_eval(singular), ast.literal_eval(plural or "''")) for singular, plural in found}


def language_and_heading(page) -> tuple[str, str]:
    """What a screen reader is told about the page first."""
    html = page.content.decode()
    language = re.search(r'<html lang="(\w+)"', html)
    heading = re.search(r"<h1>(.*?)</h1>", html)
    assert language
    assert heading
    return language[1], heading[1]
