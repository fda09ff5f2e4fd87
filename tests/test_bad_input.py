"""Every wrong input of tests/bad_input.py gets its message, and the page says which."""

import bad_input
import pytest

ALL = [(title, *case) for title, cases in bad_input.CASES.items() for case in cases]


@pytest.fixture(scope="module")
def found():
    return bad_input.names()


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [case[2:] for case in ALL],
    ids=[f"{title}: {what}" for title, what, *_ in ALL],
)
def test_the_message_says_what_is_wrong(found, tmp_path, call, kind, words):
    raised, text = bad_input.message(call, found, tmp_path)
    assert raised is not None, f"{call} was accepted"
    assert issubclass(raised, kind), f"{raised.__name__}: {text}"
    assert words in text


def test_there_are_enough_cases_and_none_twice():
    calls = [call for _, _, call, _, _ in ALL]
    assert len(calls) == len(set(calls)) >= 40


def test_an_accepted_call_would_be_noticed(found, tmp_path):
    assert bad_input.message("words.encode('film')", found, tmp_path) == (None, "no error")


def test_the_page_is_in_step():
    assert bad_input.PAGE.read_text(encoding="utf-8") == bad_input.page(), (
        "write it again: python tests/bad_input.py"
    )
