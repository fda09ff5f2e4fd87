"""lmkit.tokenizers.WordTokenizer: by hand, in many scripts, against Keras, round trips."""

import re
import unicodedata

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmkit.tokenizers import PAD_ID, UNKNOWN_ID, WordTokenizer

REVIEWS = ["A warm film. A warm, warm cast!", "It wasn't a dull film", "Dull? NOT dull."]


@pytest.fixture
def words():
    return WordTokenizer.train(REVIEWS)


def test_vocabulary_by_hand(words):
    # a, dull, warm three times each; film twice; the rest once, in alphabetical order.
    expected = ["[PAD]", "[UNK]", "a", "dull", "warm", "film", "cast", "it", "not", "wasn't"]
    assert words.tokens == expected
    assert words.vocab_size == 10


def test_split_by_hand():
    assert WordTokenizer.split("It wasn't dull -- NOT\nat all!") == [
        "it", "wasn't", "dull", "not", "at", "all",
    ]  # fmt: skip
    assert WordTokenizer.split("'quoted' 10/10 a_b Été it’s") == [
        "quoted", "10", "10", "a", "b", "été", "it’s",
    ]  # fmt: skip
    assert WordTokenizer.split("...") == WordTokenizer.split("") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("हिन्दी में लिखा", ["हिन्दी", "में", "लिखा"]),  # vowel signs and viramas are marks
        ("cafe\u0301s CAFÉS", ["cafés", "cafés"]),  # é as two code points and as one
        ("q\u0301 fuer", ["q\u0301", "fuer"]),  # no composed form exists
        ("สวัสดีชาวโลก ครับ", ["สวัสดีชาวโลก", "ครับ"]),  # no blanks: a clause is one word
        ("می\u200cخواهم", ["می\u200cخواهم"]),  # a zero-width non-joiner inside a word
        ("क्\u200dष x\u200d y", ["क्\u200dष", "x", "y"]),  # a joiner behind a word is dropped
        ("שָׁלוֹם עולם", [unicodedata.normalize("NFC", "שָׁלוֹם"), "עולם"]),
        ("大语言模型，很好。", list("大语言模型很好")),
        ("人々〇", ["人", "々", "〇"]),
        ("これはデータ・です", list("これはデータです")),
        ("か\u3099 ｶ", ["が", "ｶ"]),  # voiced by a mark; half width
        ("葛\U000e0100飾", ["葛\U000e0100", "飾"]),  # a variant of a Han character
        ("GPT模型3个", ["gpt", "模", "型", "3", "个"]),
        ("안녕하세요 세계", ["안녕하세요", "세계"]),  # Hangul has blanks between words
        ("Съешь ещё", ["съешь", "ещё"]),
        ("👩‍👩‍👧 ok 🏳️‍🌈", ["ok"]),
        ("\u0301a", ["a"]),  # a mark without a letter
        ("İstanbul", ["i\u0307stanbul"]),  # its lower case has a mark
    ],
)
def test_words_in_any_script(text, expected):
    assert WordTokenizer.split(text) == expected
    assert WordTokenizer.split(" ".join(expected)) == expected


def slow(text):
    """The same definition in other words: letters with their marks first, then words of them."""
    clusters = [("", "other")] * 2
    for character in unicodedata.normalize("NFC", text.lower()):
        if unicodedata.category(character)[0] == "M":
            base, kind = clusters[-1]
            # An apostrophe with an accent is no apostrophe.
            clusters[-1] = base + character, "other" if kind == "joiner" else kind
        elif re.match("CJK UNIFIED|HIRAGANA|KATAKANA LETTER", unicodedata.name(character, "")):
            clusters.append((character, "single"))
        elif character.isalnum():
            clusters.append((character, "letter"))
        else:
            joins = character in "'’\u200c\u200d"
            clusters.append((character, "joiner" if joins else "other"))
    words = []
    for number, (text, kind) in enumerate(clusters):
        (_, kind_2), (before, kind_1) = clusters[number - 2], clusters[number - 1]
        if kind == "letter" and kind_1 == "letter":
            words[-1] += text
        elif kind == "letter" and (kind_2, kind_1) == ("letter", "joiner"):
            words[-1] += before + text
        elif kind in ("letter", "single"):
            words.append(text)
    return words


@given(st.text(st.sampled_from("abÉ5'’\u0301\u093e\u20dd\u200d一か .,_\0")))
def test_words_are_what_a_slow_reader_finds(text):
    assert WordTokenizer.split(text) == slow(text)


def test_encode_and_decode_by_hand(words):
    assert words.encode("A splendid, WARM film") == [2, UNKNOWN_ID, 4, 5]
    assert words.decode([2, UNKNOWN_ID, 4, 5, PAD_ID]) == "a [UNK] warm film"
    assert words.encode("") == []


def test_vocabulary_limit_keeps_the_most_frequent():
    assert WordTokenizer.train(REVIEWS, vocab_size=4).tokens == ["[PAD]", "[UNK]", "a", "dull"]


def test_the_order_of_the_texts_does_not_matter(words):
    assert WordTokenizer.train(reversed(REVIEWS)).tokens == words.tokens


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


@given(st.lists(st.text(), min_size=1))
def test_words_round_trip_on_any_text(texts):
    plain = [" ".join(WordTokenizer.split(text)) for text in texts]
    if not any(plain):
        with pytest.raises(ValueError, match="nothing to build a vocabulary from"):
            WordTokenizer.train(texts)
        return
    tokenizer = WordTokenizer.train(texts)
    assert [tokenizer.decode(tokenizer.encode(text)) for text in texts] == plain


def test_special_names_in_a_text_are_words(words):
    assert WordTokenizer.split("[PAD] [UNK]") == ["pad", "unk"]
    assert words.encode("[PAD]") == [UNKNOWN_ID]
