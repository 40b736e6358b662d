import re
import string

import pytest

from apps.api.tokens import ACCESS, ALPHABET, KEY_PREFIXES, RANDOM, is_wellformed, kind_of, new_token


@pytest.mark.parametrize("prefix", [ACCESS, *KEY_PREFIXES])
def test_a_token_says_what_it_is_and_is_wellformed(prefix):
    token = new_token(prefix)
    assert re.fullmatch(prefix + r"_[0-9A-Za-z]{49}", token)
    assert (kind_of(token), is_wellformed(token)) == (prefix, True)


def test_no_two_are_the_same():
    assert len({new_token(ACCESS) for _ in range(1000)}) == 1000


def test_the_random_part_holds_256_bits():
    assert set(ALPHABET) == set(string.ascii_letters + string.digits)
    assert len(ALPHABET) ** RANDOM >= 2**256


def test_any_change_of_one_letter_is_recognised():
    token = new_token(ACCESS)
    changed = [token[:n] + ("b" if letter != "b" else "c") + token[n + 1 :] for n, letter in enumerate(token)]
    assert [one for one in changed if is_wellformed(one)] == []


@pytest.mark.parametrize(
    "text", ["", "_", "xda", "xda_", "x" * 53, "xda_" + "é" * 49, "xda_" + "\ud800" * 49, "a_" * 50]
)
def test_any_other_text_is_not_ours(text):
    assert not is_wellformed(text)


def test_a_wellformed_token_of_another_kind_is_another_token():
    token = new_token("xdi")
    assert not is_wellformed("xdc" + token[3:])
