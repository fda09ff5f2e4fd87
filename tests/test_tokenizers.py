"""lmkit.tokenizers: by hand, against Keras, round trips, damaged files."""

import json

import keras
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lmkit.stories import sample_stories, vocabulary
from lmkit.tokenizers import (
    PAD,
    PAD_ID,
    UNKNOWN,
    UNKNOWN_ID,
    CharTokenizer,
    SplitTokenizer,
    WordTokenizer,
)

REVIEWS = ["A warm film. A warm, warm cast!", "It wasn't a dull film", "Dull? NOT dull."]


@pytest.fixture
def words():
    return WordTokenizer.train(REVIEWS)


def test_vocabulary_by_hand(words):
    # a, dull, warm three times each; film twice; the rest once, by the alphabet.
    expected = [PAD, UNKNOWN, "a", "dull", "warm", "film", "cast", "it", "not", "wasn't"]
    assert words.tokens == expected
    assert words.vocab_size == 10
    assert (PAD_ID, UNKNOWN_ID) == (0, 1)


def test_split_by_hand():
    assert WordTokenizer.split("It wasn't dull -- NOT\nat all!") == [
        "it", "wasn't", "dull", "not", "at", "all",
    ]  # fmt: skip
    assert WordTokenizer.split("'quoted' 10/10 a_b Été 电影 it’s") == [
        "quoted", "10", "10", "a", "b", "été", "电影", "it’s",
    ]  # fmt: skip
    assert WordTokenizer.split("...") == WordTokenizer.split("") == []


def test_encode_and_decode_by_hand(words):
    assert words.encode("A splendid, WARM film") == [2, UNKNOWN_ID, 4, 5]
    assert words.decode([2, UNKNOWN_ID, 4, 5, PAD_ID]) == f"a {UNKNOWN} warm film"
    assert words.encode("") == []
    assert words.decode([]) == ""


def test_vocabulary_limit_keeps_the_most_frequent():
    assert WordTokenizer.train(REVIEWS, vocab_size=4).tokens == [PAD, UNKNOWN, "a", "dull"]


def test_agrees_with_keras_text_vectorization(words):
    theirs = keras.layers.TextVectorization(split="whitespace", standardize="lower")
    plain = [" ".join(WordTokenizer.split(text)) for text in REVIEWS]
    theirs.adapt(plain)
    ours = words.encode_batch(REVIEWS, length=7)
    decoded = [[theirs.get_vocabulary()[i] for i in row] for row in np.array(theirs(plain))]
    # Ties stand in another order there: compare the words, not the ids.
    assert [[w for w in row if w] for row in decoded] == [
        [words.tokens[i] for i in row if i] for row in ours
    ]


def test_words_round_trip_as_promised(words):
    for text in REVIEWS:
        assert words.decode(words.encode(text)) == " ".join(WordTokenizer.split(text))


@given(st.lists(st.text(), min_size=1))
def test_words_round_trip_on_any_text(texts):
    plain = [" ".join(WordTokenizer.split(text)) for text in texts]
    if not any(plain):
        with pytest.raises(ValueError, match="nothing to build a vocabulary from"):
            WordTokenizer.train(texts)
        return
    tokenizer = WordTokenizer.train(texts)
    assert [tokenizer.decode(tokenizer.encode(text)) for text in texts] == plain


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


def test_characters_by_hand():
    tokenizer = CharTokenizer.train(["hello"])
    assert tokenizer.tokens == [PAD, UNKNOWN, "e", "h", "l", "o"]
    assert tokenizer.encode("hole") == [3, 5, 4, 2]
    assert tokenizer.decode([3, 5, 4, 2, PAD_ID]) == "hole"


def test_unknown_character_is_named_with_its_place():
    with pytest.raises(ValueError, match="character '!' at position 4 is not among the 4"):
        CharTokenizer.train(["hello"]).encode("hole!")


def test_too_many_characters_are_refused():
    with pytest.raises(ValueError, match=r"5 different .* needs a vocab_size of 7, got 6"):
        CharTokenizer.train(["abcde"], vocab_size=6)
    assert CharTokenizer.train(["abcde"], vocab_size=7).vocab_size == 7


def test_split_tokens_by_hand():
    tokenizer = SplitTokenizer.train(["Mia ran . Ran !"])
    assert tokenizer.tokens == [PAD, UNKNOWN, "!", ".", "Mia", "Ran", "ran"]  # capitals matter
    assert tokenizer.encode("Ran Mia !") == [5, 4, 2]
    assert tokenizer.decode([5, 4, 2, PAD_ID]) == "Ran Mia !"
    assert tokenizer.encode("") == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_stories_round_trip_exactly(language):
    stories = sample_stories(50, seed=4, language=language)
    for tokenizer in (
        SplitTokenizer.train(stories),
        SplitTokenizer([PAD, UNKNOWN, *vocabulary(language)]),
    ):
        assert [tokenizer.decode(tokenizer.encode(story)) for story in stories] == stories
    trained = SplitTokenizer.train(sample_stories(2_000, seed=5, language=language))
    assert trained.tokens == [PAD, UNKNOWN, *vocabulary(language)]


@given(st.text(st.characters(codec="utf-8")))
def test_split_tokens_round_trip_up_to_blanks(text):
    assume(text.split() and not {PAD, UNKNOWN} & set(text.split()))
    tokenizer = SplitTokenizer.train([text])
    assert tokenizer.decode(tokenizer.encode(text)) == " ".join(text.split())


def test_unknown_token_is_named_with_its_place():
    tokenizer = SplitTokenizer.train(["Mia ran ."])
    with pytest.raises(ValueError, match="token 'mia' at position 2 is not among the 3 tokens"):
        tokenizer.encode("Mia  ran mia mia")


def test_too_many_tokens_are_refused():
    with pytest.raises(ValueError, match=r"3 different tokens; .* a vocab_size of 5, got 4"):
        SplitTokenizer.train(["Mia ran ."], vocab_size=4)


def test_batch_by_hand(words):
    batch = words.encode_batch(["a warm film", "dull", "..."], length=2)
    assert batch.tolist() == [[2, 4], [3, 0], [0, 0]]
    assert batch.dtype == "int32"
    left = words.encode_batch(["a warm film", "dull"], 2, padding="pre", truncating="pre")
    assert left.tolist() == [[4, 5], [0, 3]]


@pytest.mark.parametrize(
    ("texts", "length", "error", "message"),
    [
        ("one text", 5, TypeError, "got one string: put it in a list"),
        ([], 5, ValueError, "texts is empty"),
        (["a"], 0, ValueError, "length must be a whole number of at least 1, got 0"),
        (["a"], 2.5, ValueError, "got 2.5"),
        (["a", None], 5, TypeError, "a text must be a string, got NoneType"),
        ([b"bytes"], 5, TypeError, "got bytes"),
    ],
)
def test_batches_that_are_refused(words, texts, length, error, message):
    with pytest.raises(error, match=message):
        words.encode_batch(texts, length)


@pytest.mark.parametrize("kind", [WordTokenizer, CharTokenizer, SplitTokenizer])
@pytest.mark.parametrize(
    ("texts", "vocab_size", "error", "message"),
    [
        ([], 10, ValueError, "nothing to build a vocabulary from"),
        (["", ""], 10, ValueError, "nothing to build a vocabulary from"),
        ("one text", 10, TypeError, "got one string: put it in a list"),
        (["a", 3], 10, TypeError, "a text must be a string, got int: 3"),
        (["a"], 2, ValueError, "at least 3"),
        (["a"], "many", ValueError, "got 'many'"),
    ],
)
def test_training_that_is_refused(kind, texts, vocab_size, error, message):
    with pytest.raises(error, match=message):
        kind.train(texts, vocab_size)


@pytest.mark.parametrize("kind", [WordTokenizer, CharTokenizer, SplitTokenizer])
@pytest.mark.parametrize(
    ("ids", "error", "message"),
    [
        ([2, 99], ValueError, "id 99 is outside the vocabulary: ids run from 0 to"),
        ([-1], ValueError, "id -1 is outside"),
        ([2.0], TypeError, "whole numbers, got float64"),
        ([[2, 3]], TypeError, r"one row of whole numbers, got int64 of shape \(1, 2\)"),
        (["a"], TypeError, "whole numbers"),
    ],
)
def test_ids_that_are_refused(kind, ids, error, message):
    with pytest.raises(error, match=message):
        kind.train(["ab cd"]).decode(ids)


@pytest.mark.parametrize("kind", [WordTokenizer, CharTokenizer, SplitTokenizer])
def test_saved_and_loaded(kind, tmp_path):
    path = tmp_path / "tokenizer.json"
    tokenizer = kind.train([*REVIEWS, "naïve 电影"])
    tokenizer.save(path)
    assert kind.load(path).tokens == tokenizer.tokens
    assert json.loads(path.read_text()) == {"tokenizer": kind.__name__, "tokens": tokenizer.tokens}
    assert [entry.name for entry in tmp_path.iterdir()] == ["tokenizer.json"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"tokenizer": "WordTokenizer", "tok', "holds no tokenizer: it is not JSON"),
        (b"\xff\xfe\x00", "holds no tokenizer: it is not JSON"),
        (b"cos\nsystem\n(S'true'\ntR.", "not JSON"),  # a pickle that would run a command
        (b"[1, 2]", "does not hold a WordTokenizer, but: 'list'"),
        (b'{"tokenizer": "CharTokenizer", "tokens": []}', "but: 'CharTokenizer'"),
        (b'{"tokenizer": "WordTokenizer"}', "tokens must be a list of strings, got NoneType"),
        (b'{"tokenizer": "WordTokenizer", "tokens": ["a"]}', "first tokens must be"),
        (
            b'{"tokenizer": "WordTokenizer", "tokens": ["[PAD]", "[UNK]", "a", "a"]}',
            "'a' occurs again",
        ),
        (
            b'{"tokenizer": "WordTokenizer", "tokens": ["[PAD]", "[UNK]", 7]}',
            "every token must be a string",
        ),
    ],
)
def test_damaged_files_are_refused(tmp_path, content, message):
    path = tmp_path / "tokenizer.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        WordTokenizer.load(path)


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.json"):
        WordTokenizer.load(tmp_path / "nowhere.json")
