import re
from pathlib import Path

import pytest

from apps.onboarding import sentences

APPS = Path(__file__).parents[2] / "apps"
KINDS = [sentences.of_consent, sentences.of_keys, sentences.of_listing, sentences.of_connecting, sentences.of_changing]
DICTIONARIES = [sentences.CONSENT, sentences.KEYS, sentences.LIST, sentences.CONNECT, sentences.CHANGE]
MACHINERY = re.compile(r"oauth|scope|token|\bapi\b|http|json|%\(|error|null|exception", re.IGNORECASE)


@pytest.mark.parametrize(("of", "known"), list(zip(KINDS, DICTIONARIES, strict=True)))
def test_every_sentence_names_the_platform_and_no_machinery(of, known):
    told = {code: of(code, platform="Otter") for code in [*known, "a code nobody has heard of"]}
    assert {code: sentence for code, sentence in told.items() if MACHINERY.search(sentence)} == {}
    assert {code for code, sentence in told.items() if not sentence.endswith(".")} == set()


@pytest.mark.parametrize("of", KINDS)
def test_an_unknown_code_still_says_something(of):
    assert "Otter" in of("a code nobody has heard of", platform="Otter")


def test_every_code_that_consent_can_end_with_has_a_sentence():
    source = (APPS / "integrations/consent.py").read_text()
    codes = set(re.findall(r'ConsentProblem\("(\w+)"', source)) - {"used"}  # a used one leads on without a word
    assert codes - set(sentences.CONSENT) == set()


def test_every_code_of_a_failed_call_has_a_sentence_at_each_place():
    source = (
        Path("apps/integrations/connectors/http.py").read_text() + Path("apps/onboarding/connecting.py").read_text()
    )
    codes = set(re.findall(r'code="(\w+)"', source))
    assert codes - set(sentences.CONNECT) - {"address_refused"} == set()
