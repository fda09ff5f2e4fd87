"""lmkit.tokenizers.segment: by hand, against all ways to cut, beside jieba."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lmkit
from lmkit.tokenizers import segment


def test_by_hand():
    # Shares of 140: 研究|生命|起源 60 * 40 * 10 = 24,000, 研究生|命|起源 20 * 10 * 10 = 2,000.
    counts = {"研究": 60, "研究生": 20, "生命": 40, "命": 10, "起源": 10}
    assert segment("研究生命起源", counts) == ["研究", "生命", "起源"]
    # 研究|生|命 would be 60 * 1 * 10 / 140 ** 3, more words and a character never counted.
    assert segment("研究生命", {**counts, "生命": 1, "研究生": 500}) == ["研究生", "命"]


def test_a_character_never_counted_counts_once():
    # Of 5: ab 1 / 5 = 5 / 25; a|b 4 * 1 / 25, where b is unknown; 2 * 2 / 25.
    assert segment("ab", {"a": 4, "ab": 1}) == ["ab"]
    assert segment("ab", {"a": 2, "b": 2, "ab": 1}) == ["ab"]
    # Of 7: ab 1 / 7 = 7 / 49; a|b 3 * 3 / 49.
    assert segment("ab", {"a": 3, "b": 3, "ab": 1}) == ["a", "b"]


def test_characters_that_no_word_has_stand_alone():
    assert segment("我爱GPT!", {"我": 3, "爱": 2}) == ["我", "爱", "G", "P", "T", "!"]
    assert segment("", {"a": 1}) == []
    assert segment("一\n二", {"一二": 5}) == ["一", "\n", "二"]
    assert segment("👩‍👩", {"a": 1}) == ["👩", "\u200d", "👩"]
    assert segment("\ud800\0", {"a": 1}) == ["\ud800", "\0"]


def test_of_equal_ways_the_longer_first_word():
    # ab|c and a|bc: 2 * 1 / 49 each.
    counts = {"ab": 2, "bc": 2, "a": 1, "b": 1, "c": 1}
    assert segment("abc", counts) == ["ab", "c"]


def test_a_word_of_all_counts_costs_nothing():
    assert segment("aaa", {"a": 7}) == ["a", "a", "a"]


def score(words, counts):
    total = sum(counts.values())
    return sum(math.log(counts.get(word, 1) / total) for word in words)


@settings(max_examples=200, deadline=None)
@given(
    st.text("abcd", max_size=9),
    st.dictionaries(st.text("abcd", min_size=1, max_size=4), st.integers(1, 50), min_size=1),
)
def test_no_other_way_is_better(text, counts):
    words = segment(text, counts)
    assert "".join(words) == text
    ways = [
        [text[start:end] for start, end in itertools.pairwise([0, *cuts, len(text)])]
        for size in range(max(len(text), 1))
        for cuts in itertools.combinations(range(1, len(text)), size)
    ]
    allowed = [way for way in ways if all(len(word) == 1 or word in counts for word in way)]
    if text:
        assert words in allowed
        best = max(score(way, counts) for way in allowed)
        assert score(words, counts) == pytest.approx(best, abs=1e-9)


def test_jiebas_words_from_jiebas_dictionary():
    jieba = pytest.importorskip("jieba", reason="jieba is not installed")
    jieba.setLogLevel("ERROR")
    jieba.initialize()
    counts = {word: count for word, count in jieba.dt.FREQ.items() if count}
    texts = [pair.chinese for pair in lmkit.datasets.load_libreoffice_help("held_out")]
    # Only Han: jieba keeps runs of Latin letters and digits together by a rule of its own.
    runs = ["".join(c if "\u4e00" <= c <= "\u9fd5" else "\n" for c in text) for text in texts]
    text = "\n".join(runs)
    assert sum("\u4e00" <= c <= "\u9fd5" for c in text) > 10_000
    ours = [word for word in segment(text, counts) if word != "\n"]
    theirs = [
        word for run in text.split("\n") if run for word in jieba.cut(run, cut_all=False, HMM=False)
    ]
    assert ours == theirs


def test_numpys_counts_are_counts():
    assert segment("ab", {"ab": np.int64(3)}) == ["ab"]


@pytest.mark.parametrize(
    ("text", "counts", "error", "message"),
    [
        (3, {"a": 1}, TypeError, "text must be a string, got int"),
        ("a", ["a"], TypeError, "counts must be a dict from words to counts, got list"),
        ("a", {}, ValueError, "counts is empty: give at least one word"),
        ("a", {"a": 0}, ValueError, "the count of 'a' must be a whole number of at least 1, got 0"),
        ("a", {"b": 1, "a": 0.5}, ValueError, "the count of 'a' must be .* got 0.5"),
        ("a", {"a": True}, ValueError, "got True"),
        ("a", {"a": "3"}, ValueError, "got '3'"),
        ("a", {3: 1}, TypeError, "a word of counts must be a string, got int"),
        ("a", {"": 1}, ValueError, "a word of counts is empty"),
    ],
)
def test_what_is_refused(text, counts, error, message):
    with pytest.raises(error, match=message):
        segment(text, counts)
