"""Tokenizers and stories with any text: it comes back, or is refused with a reason."""

import json
import re
import unicodedata

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from lmkit import stories
from lmkit.tokenizers import CharTokenizer, SplitTokenizer, WordTokenizer

# Text that breaks programs: Chinese, emoji of several code points, combining marks, all kinds
# of line ends, NUL, the tokenizers' own names, directions, a byte order mark.
NASTY = [
    "", " ", "\0", "大语言模型。", "👩‍👩‍👧 🏳️‍🌈", "e\u0301 é", "हिन्दी", "a\r\nb\u2028c\x85d\x1ce",
    "[PAD] [UNK] [END]", "\u202eabc", "\ufeffabc", "İstanbul ſtraße ŉ", "ﬁ Ⅻ ½ ٣", "\U0010ffff",
]  # fmt: skip
ANY_TEXT = st.text(st.characters(codec=None))  # lone surrogates as well
TEXTS = st.lists(st.sampled_from(NASTY) | ANY_TEXT, min_size=1, max_size=5)
SOME = settings(max_examples=60, deadline=None)


# Tokenizers.


@SOME
@given(TEXTS, st.sampled_from([CharTokenizer, SplitTokenizer]))
@example(["[PAD] here"], SplitTokenizer)
@example(["lone \ud800"], CharTokenizer)
def test_text_comes_back_or_is_refused_with_a_reason(texts, kind):
    try:
        tokenizer = kind.train(texts)
    except ValueError as error:
        message = str(error)
        special = any({"[PAD]", "[UNK]"} & set(text.split()) for text in texts)
        nothing = not any(text.split() if kind is SplitTokenizer else text for text in texts)
        assert ("which is reserved" in message and special) or (
            "nothing to build a vocabulary from" in message and nothing
        )
        return
    for text in texts:
        same = text if kind is CharTokenizer else " ".join(text.split())
        assert tokenizer.decode(tokenizer.encode(text)) == same


@SOME
@given(TEXTS, ANY_TEXT)
@example(["a b"], "[PAD] a")
@example(["a b"], "[UNK]")
def test_a_text_never_seen_comes_back_or_names_what_is_unknown(texts, text):
    for kind, pieces in ((CharTokenizer, list), (SplitTokenizer, str.split)):
        tokenizer = kind([*("[PAD]", "[UNK]"), *sorted({"x"}.union(*map(pieces, ["a b"])))])
        try:
            ids = tokenizer.encode(text)
        except ValueError as error:
            unknown = [piece for piece in pieces(text) if piece not in tokenizer.tokens[2:]]
            assert repr(unknown[0]) in str(error) and "is not among the" in str(error)
        else:
            assert tokenizer.decode(ids) == ("" if kind is CharTokenizer else " ").join(
                pieces(text)
            )
            assert 0 not in ids and 1 not in ids


@SOME
@given(TEXTS)
def test_words_are_letters_their_marks_and_digits(texts):
    for text in texts:
        words = WordTokenizer.split(text)
        assert words == WordTokenizer.split(" ".join(words))  # nothing more is lost
        for word in words:
            assert word[0].isalnum() and word == unicodedata.normalize("NFC", word)
            for character in word:
                inside = character in "'’\u200c\u200d" and character not in (word[0], word[-1])
                assert inside or unicodedata.category(character)[0] in "LNM"


@SOME
@given(TEXTS)
def test_no_letter_is_lost(texts):
    for text in texts:
        text = unicodedata.normalize("NFC", text.lower())
        letters = [character for character in text if character.isalnum()]
        assert letters == [c for c in "".join(WordTokenizer.split(text)) if c.isalnum()]


@SOME
@given(TEXTS)
def test_saving_loses_nothing(tmp_path_factory, texts):
    assume(any(texts))
    path = tmp_path_factory.mktemp("saved") / "tokenizer.json"
    tokenizer = CharTokenizer.train(texts)
    tokenizer.save(path)
    assert CharTokenizer.load(path).tokens == tokenizer.tokens


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@SOME
@given(JSON | st.fixed_dictionaries({"tokenizer": st.just("WordTokenizer"), "tokens": JSON}))
@example({"tokenizer": "WordTokenizer", "tokens": ["[PAD]", "[UNK]", "a"]})
def test_any_json_is_a_tokenizer_or_refused(tmp_path_factory, record):
    path = tmp_path_factory.mktemp("any") / "tokenizer.json"
    path.write_text(json.dumps(record), encoding="utf-8")
    try:
        tokenizer = WordTokenizer.load(path)
    except ValueError as error:
        assert re.search("does not hold a WordTokenizer|token", str(error))
    else:
        assert tokenizer.tokens == record["tokens"] and tokenizer.tokens[:2] == ["[PAD]", "[UNK]"]


@SOME
@given(st.binary(max_size=200))
def test_any_bytes_are_refused_as_a_tokenizer(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("any") / "tokenizer.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"holds no tokenizer|does not hold a WordTokenizer"):
        WordTokenizer.load(path)


@SOME
@given(
    st.lists(st.text("ab ", max_size=12), min_size=1, max_size=4),
    st.integers(1, 8),
    st.sampled_from(["pre", "post"]),
    st.sampled_from(["pre", "post"]),
)
def test_a_batch_is_its_rows(texts, length, padding, truncating):
    tokenizer = WordTokenizer.train(["a b ab"])
    batch = tokenizer.encode_batch(texts, length, padding, truncating)
    assert batch.shape == (len(texts), length) and batch.dtype == "int32"
    for row, text in zip(batch.tolist(), texts, strict=True):
        ids = tokenizer.encode(text)
        kept = ids[:length] if truncating == "post" else ids[max(len(ids) - length, 0) :]
        zeros = [0] * (length - len(kept))
        assert row == (kept + zeros if padding == "post" else zeros + kept)


# Stories.


@SOME
@given(st.integers(0, 2**40), st.sampled_from(["en", "zh"]))
def test_every_story_is_scored_and_ends(seed, language):
    (story,) = stories.sample_stories(1, seed, language)
    assert stories.sample_stories(2, seed, language)[0] == story
    scores = stories.log_probabilities(story, language)
    assert len(scores) == len(story.split()) and (scores <= 0).all() and np.isfinite(scores).all()
    assert story.endswith("[END]")
    tokenizer = stories.tokenizer(language)
    assert tokenizer.decode(tokenizer.encode(story)) == story


@SOME
@given(st.data(), st.integers(0, 1000))
def test_a_spoilt_story_names_the_place(data, seed):
    tokens = stories.sample_stories(1, seed)[0].split()
    place = data.draw(st.integers(0, len(tokens) - 1))
    wrong = data.draw(st.sampled_from(["", "\0", "[PAD]", "𝒳", "One one"]) | ANY_TEXT)
    spoilt = " ".join([*tokens[:place], wrong, *tokens[place + 1 :]])
    assume(spoilt.split() != tokens)
    with pytest.raises(ValueError, match=r"outside the story language at position|breaks off|over"):
        stories.log_probabilities(spoilt)
    beginning = " ".join(tokens[:place])
    options = stories.next_token_distribution(beginning)
    # A sum of at most some dozens of quotients of 1: 64 roundings of 1.1e-16.
    assert abs(sum(options.values()) - 1) <= 7.2e-15 and tokens[place] in options
