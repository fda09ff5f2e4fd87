"""lmkit.stories.encoding: ids of stories, and the losses to compare a model with."""

import itertools
import math

import numpy as np
import pytest
from small_grammars import coins
from test_stories_words import STORY

from lmkit.stories import (
    END,
    LANGUAGES,
    encode,
    entropy,
    log_probabilities,
    reference_losses,
    sample_stories,
    tokenizer,
    vocabulary,
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_rows_of_ids_are_the_stories(language):
    texts = sample_stories(50, seed=3, language=language)
    rows, known = encode(texts, language), tokenizer(language)
    assert isinstance(rows, list)
    assert known.tokens[2:] == vocabulary(language)  # behind padding and unknown
    for row, text in zip(rows, texts, strict=True):
        assert known.tokens[row[0]] == END
        # All but the first are scored, and log_probabilities scores those.
        assert [known.tokens[number] for number in row[1:]] == text.split()
        assert len(row) == 1 + len(log_probabilities(text, language))


def test_targets_are_what_log_probabilities_scores():
    from lmkit.batches import IGNORE, next_tokens

    texts = sample_stories(20, seed=3)
    inputs, targets = next_tokens(encode(texts))
    tokens = tokenizer().tokens
    assert {tokens[row[0]] for row in inputs} == {END}
    floors = [log_probabilities(text) for text in texts]
    assert (targets != IGNORE).sum(axis=1).tolist() == [len(row) for row in floors]


def test_beginnings_become_rows_too():
    known = tokenizer()
    ids = [known.tokens.index(word) for word in (END, "One", "warm", "Monday")]
    assert encode(["One", "One warm Monday"]) == [ids[:2], ids]
    assert encode([""]) == [ids[:1]]


def test_texts_that_cannot_be_encoded():
    with pytest.raises(TypeError, match="put it in a list"):
        encode("One warm Monday")
    with pytest.raises(ValueError, match="'Bob'"):
        encode(["One warm Monday Bob"])
    with pytest.raises(ValueError, match="the list is empty"):
        encode([])


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_counting_model_beats_the_floor(language):
    train = sample_stories(3_000, seed=1, language=language)
    test = sample_stories(500, seed=2, language=language)
    lines = reference_losses(train, test, language)
    assert list(lines) == ["uniform", "unigram", "bigram", "trigram", "floor"]
    values = list(lines.values())
    assert all(above > below + 0.05 for above, below in itertools.pairwise(values))
    assert lines["uniform"] == pytest.approx(math.log(len(vocabulary(language))))
    floor = [-log_probabilities(s, language) for s in test]
    assert lines["floor"] == pytest.approx(np.concatenate(floor).mean())
    # Stories are independent, their tokens are not: the interval is that of the stories.
    exact = entropy(language)
    error = 4 * np.std([row.sum() - exact.per_token * len(row) for row in floor])
    assert abs(lines["floor"] - exact.per_token) < error / math.sqrt(500) / 70


def test_reference_losses_by_hand():
    # One training story "a b [END]", one test story "a a [END]"; V = 3.
    lines = reference_losses(["a b [END]"], ["a a [END]"], coins("{x} {y} [END]", "x", "y"))
    unigram = [(1 + 1 / 3) / 4] * 3  # each of the three tokens was counted once in three
    # After the empty page: "a" once of once. After "a": "b" once of once, so "a" 0, [END] 0.
    bigram = [(1 + unigram[0]) / 2, unigram[1] / 2, unigram[2] / 2]
    # After ("", "a"): "b" once. After ("a", "a"): never seen, so the bigram's word counts.
    trigram = [(1 + bigram[0]) / 2, bigram[1] / 2, bigram[2]]
    expected = [-np.log(p).mean() for p in ([1 / 3] * 3, unigram, bigram, trigram, [0.5, 0.5, 1])]
    assert list(lines.values()) == pytest.approx(expected)


def test_reference_losses_of_what_is_no_story():
    with pytest.raises(TypeError, match="put it in a list"):
        reference_losses(STORY, [STORY])
    with pytest.raises(ValueError, match="there are no stories"):
        reference_losses([STORY], [])
    with pytest.raises(ValueError, match="'dragon'"):
        reference_losses(["a dragon"], [STORY])
    with pytest.raises(ValueError, match="the story is empty"):
        reference_losses([STORY], [" "])
    with pytest.raises(ValueError, match="at least one id"):
        reference_losses([STORY, " "], [STORY])
    with pytest.raises(TypeError, match="string, got list"):
        reference_losses([STORY.split()], [STORY])
