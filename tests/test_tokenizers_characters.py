"""lmkit.tokenizers.CharTokenizer and SplitTokenizer: by hand, and nothing is lost."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lmkit.stories import sample_stories, vocabulary
from lmkit.tokenizers import PAD_ID, CharTokenizer, SplitTokenizer

SPECIAL = ["[PAD]", "[UNK]"]


def test_characters_by_hand():
    tokenizer = CharTokenizer.train(["hello"])
    assert tokenizer.tokens == [*SPECIAL, "e", "h", "l", "o"]
    assert tokenizer.encode("hole") == [3, 5, 4, 2]
    assert tokenizer.decode([3, 5, 4, 2, PAD_ID]) == "hole"
    assert CharTokenizer.split("ab c") == ["a", "b", " ", "c"]


@given(st.text(st.characters(codec=None), min_size=1))
def test_characters_round_trip_exactly(text):
    tokenizer = CharTokenizer.train([text])
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert len(tokenizer.encode(text)) == len(text)


@pytest.mark.parametrize(
    "text",
    ["大语言模型。", "e\u0301 is not \u00e9", "a\r\nb\tc\0d", "👩‍👩‍👧", "lone \ud800 surrogate"],
)
def test_characters_survive_saving(text, tmp_path):
    CharTokenizer.train([text]).save(tmp_path / "characters.json")
    tokenizer = CharTokenizer.load(tmp_path / "characters.json")
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_unknown_character_is_named_with_its_place():
    with pytest.raises(ValueError, match="character '!' at position 4 is not among the 4") as error:
        CharTokenizer.train(["hello"]).encode("hole!")
    assert error.value.__suppress_context__  # the KeyError behind it is no news


def test_too_many_characters_are_refused():
    with pytest.raises(ValueError, match=r"5 different .* needs a vocab_size of 7, got 6"):
        CharTokenizer.train(["abcde"], vocab_size=6)
    assert CharTokenizer.train(["abcde"], vocab_size=7).vocab_size == 7


def test_split_tokens_by_hand():
    tokenizer = SplitTokenizer.train(["Mia ran . Ran !"])
    assert tokenizer.tokens == [*SPECIAL, "!", ".", "Mia", "Ran", "ran"]  # capitals matter
    assert tokenizer.encode("Ran Mia !") == [5, 4, 2]
    assert tokenizer.decode([5, 4, 2, PAD_ID]) == "Ran Mia !"
    assert tokenizer.encode("") == []
    assert SplitTokenizer.split(" Mia  ran.\n") == ["Mia", "ran."]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_stories_round_trip_exactly(language):
    stories = sample_stories(50, seed=4, language=language)
    for tokenizer in (
        SplitTokenizer.train(stories),
        SplitTokenizer([*SPECIAL, *vocabulary(language)]),
    ):
        assert [tokenizer.decode(tokenizer.encode(story)) for story in stories] == stories
    trained = SplitTokenizer.train(sample_stories(2_000, seed=5, language=language))
    assert trained.tokens == [*SPECIAL, *vocabulary(language)]


@given(st.text(st.characters(codec="utf-8")))
def test_split_tokens_round_trip_up_to_blanks(text):
    assume(text.split() and not set(SPECIAL) & set(text.split()))
    tokenizer = SplitTokenizer.train([text])
    assert tokenizer.decode(tokenizer.encode(text)) == " ".join(text.split())


def test_unknown_token_is_named_with_its_place():
    tokenizer = SplitTokenizer.train(["Mia ran ."])
    with pytest.raises(ValueError, match="token 'mia' at position 2 is not among the 3 tokens"):
        tokenizer.encode("Mia  ran mia mia")
    with pytest.raises(ValueError, match=r"token '\[PAD\]' at position 0 is not among"):
        tokenizer.encode("[PAD] ran .")


def test_too_many_tokens_are_refused():
    with pytest.raises(ValueError, match=r"3 different tokens; .* a vocab_size of 5, got 4"):
        SplitTokenizer.train(["Mia ran ."], vocab_size=4)


@pytest.mark.parametrize("name", SPECIAL)
def test_reserved_names_are_refused(name):
    with pytest.raises(ValueError, match=f"the texts hold '\\{name[:-1]}\\]', which is reserved"):
        SplitTokenizer.train([f"{name} ran"])
