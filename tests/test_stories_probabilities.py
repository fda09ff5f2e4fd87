"""lmkit.stories.probabilities: they sum to 1, sampling follows them, the entropy is exact."""

import math

import numpy as np
import pytest
from small_grammars import all_stories, coins, three_friends
from test_stories_words import CHINESE_STORY, STORY

from lmkit.stories import (
    END,
    LANGUAGES,
    entropy,
    log_probabilities,
    next_token_distribution,
    sample_stories,
    token_kinds,
    vocabulary,
)
from lmkit.stories.derivation import Derivation, follow

# Read off STORY by hand: the new choices, and the words that repeat or agree with an earlier
# one, with the number of tokens back to where that was said last.
FREE = "snowy Saturday Zoe blue book lovely Then Lily rode hill hid rice Later"
# fmt: off
BACK = [
    ("Zoe", 6), ("blue", 6), ("book", 6), ("Zoe", 8), ("blue", 9), ("book", 9), ("Zoe", 7),
    ("Lily", 7), ("Zoe", 9), ("her", 2), ("blue", 15), ("book", 15), ("Lily", 13), ("quick", 14),
    ("lizard", 15), ("hill", 18), ("Zoe", 25), ("blue", 26), ("book", 26), ("Lily", 27),
    ("quick", 24), ("lizard", 25), ("Saturday", 72),
]
# fmt: on


@pytest.fixture(scope="module", params=LANGUAGES)
def corpus(request):
    """10,000 stories of a language, and the log-probabilities of their tokens."""
    stories = sample_stories(10_000, seed=7, language=request.param)
    return request.param, stories, [log_probabilities(s, request.param) for s in stories]


def test_product_of_conditionals_is_the_probability_of_the_story():
    grammar = three_friends()
    for story, chance in all_stories(grammar).items():
        assert log_probabilities(story, grammar).sum() == pytest.approx(math.log(chance))


def test_sampling_follows_the_probabilities():
    # Every story of the small grammar, counted: Pearson's chi-square has mean k and
    # variance 2k; 5 of its standard deviations above is one run in some 100,000.
    grammar, count = three_friends(), 20_000
    expected = all_stories(grammar)
    counts = dict.fromkeys(expected, 0)
    for story in sample_stories(count, seed=11, language=grammar):
        counts[story] += 1
    chi = sum((counts[s] - count * p) ** 2 / (count * p) for s, p in expected.items())
    free = len(expected) - 1
    assert chi < free + 5 * math.sqrt(2 * free)


@pytest.mark.parametrize("language", LANGUAGES)
def test_probabilities_sum_to_one_at_every_prefix(language):
    known = set(vocabulary(language))
    for story in sample_stories(10, seed=3, language=language):
        tokens = story.split()
        logs = log_probabilities(story, language)
        for end, token in enumerate(tokens):
            options = next_token_distribution(" ".join(tokens[:end]), language)
            assert sum(options.values()) == pytest.approx(1, abs=1e-12)
            assert min(options.values()) > 0
            assert set(options) <= known
            assert math.log(options[token]) == pytest.approx(logs[end], abs=1e-12)


def test_every_sampled_story_scores_finite(corpus):
    language, stories, logs = corpus
    assert all(np.isfinite(row).all() and (row <= 0).all() for row in logs)
    assert all(len(row) == len(s.split()) for row, s in zip(logs, stories, strict=True))
    assert all(s.split()[-1] == END and s.count(END) == 1 for s in stories)
    assert {token for s in stories for token in s.split()} == set(vocabulary(language))


def test_mean_surprise_is_the_entropy(corpus):
    # The mean of independent stories lies within 4 standard errors of the truth in all
    # but one of 16,000 runs; a seed is fixed, so this one passes always or never.
    language, _, logs = corpus
    exact = entropy(language)
    assert exact.per_token == exact.per_story / exact.tokens_per_story
    for values, truth in (
        (np.array([-row.sum() for row in logs]), exact.per_story),
        (np.array([len(row) for row in logs]), exact.tokens_per_story),
    ):
        assert values.std() > 0
        assert abs(values.mean() - truth) < 4 * values.std() / math.sqrt(len(values))


def test_next_tokens_are_as_frequent_as_the_table_says(corpus):
    # Pooled over all places in the stories: how often each token came, against the sum of
    # the probabilities it had there. The difference is a sum of independent-step errors
    # with variance sum p (1 - p), so each lies within 5 standard deviations.
    language, stories, _ = corpus
    seen, expected, spread = {}, {}, {}
    for story in stories[:1500]:
        derivation = Derivation(LANGUAGES[language])
        for token in follow(story, derivation):
            if len(derivation.options) == 1:
                continue
            seen[token] = seen.get(token, 0) + 1
            for other, p in derivation.options.items():
                expected[other] = expected.get(other, 0) + p
                spread[other] = spread.get(other, 0) + p * (1 - p)
    z = [(seen.get(t, 0) - expected[t]) / math.sqrt(spread[t]) for t in expected]
    assert len(z) > 80
    assert max(map(abs, z)) < 5
    assert 0.7 < np.std(z) < 1.3


def test_tables_are_shared_between_stories(corpus):
    # Thousands of stories are sampled and scored per second because they look up the same
    # few tables. Nothing here depends on the clock: the tables must stay few.
    language, _, _ = corpus
    assert len(LANGUAGES[language]._candidates) < 500
    assert len(LANGUAGES[language]._forms) < 2_000


@pytest.mark.parametrize("language", LANGUAGES)
def test_long_range_dependency_is_real(language):
    # Two beginnings whose last 20 tokens are the same; what was said before decides.
    found, by_end = 0, {}
    for story in sample_stories(1_000, seed=5, language=language):
        kinds, _ = token_kinds(story, language)
        tokens = story.split()
        for at in np.flatnonzero(kinds == "long"):
            end = tuple(tokens[at - 20 : at])
            options = next_token_distribution(" ".join(tokens[:at]), language)
            other = by_end.setdefault(end, options)
            found += set(other) != set(options)
    assert found > 15


def test_long_range_dependency_by_hand():
    one, other = (
        f"One warm Friday Anna got a {color} book . Anna called the {color} book old ."
        f" Soon Ben asked Anna for the {color} book . Anna and Ben walked to the lake ."
        f" There Anna lent Ben her {color} book . They saw a noisy frog near the lake ."
        " They shared some corn . In the evening Ben still had the"
        for color in ("blue", "red")
    )
    assert next_token_distribution(one) == {"blue": 1}
    assert next_token_distribution(other) == {"red": 1}
    assert one.split()[-20:] == other.split()[-20:]


@pytest.mark.parametrize("language", LANGUAGES)
def test_same_seed_same_text(language):
    stories = sample_stories(20, seed=1, language=language)
    assert stories == sample_stories(20, seed=1, language=language)
    assert stories[:5] == sample_stories(np.int64(5), seed=np.int64(1), language=language)
    assert not set(stories) & set(sample_stories(20, seed=2, language=language))


def test_kinds_by_hand():
    kinds, distances = token_kinds(STORY)
    tokens = np.array(STORY.split())
    assert tokens[kinds == "free"].tolist() == FREE.split()
    back = distances > 0
    assert list(zip(tokens[back].tolist(), distances[back].tolist(), strict=True)) == BACK
    wanted = ["local" if d < 3 else "middle" if d < 20 else "long" for _, d in BACK]
    assert kinds[back].tolist() == wanted
    assert set(kinds[~back & (kinds != "free")]) == {"local"}


def test_kinds_of_chinese_measure_words():
    kinds, distances = token_kinds(CHINESE_STORY, "zh")
    tokens = CHINESE_STORY.split()
    measure = tokens.index("一") + 1
    # The measure word is new, its noun is narrowed by it three tokens later.
    assert (kinds[measure], distances[measure]) == ("free", 0)
    assert (kinds[measure + 3], distances[measure + 3]) == ("middle", 3)


@pytest.mark.parametrize(
    ("distance", "kind"), [(1, "local"), (2, "local"), (3, "middle"), (19, "middle"), (20, "long")]
)
def test_where_the_kinds_begin(distance, kind):
    sentence = " ".join(["{x}", *["so"] * (distance - 1), "{x} [END]"])
    kinds, distances = token_kinds(sentence.replace("{x}", "a"), coins(sentence, "x"))
    assert (kinds[0], kinds[distance], distances[distance]) == ("free", kind, distance)


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_kinds_and_distances_occur(language):
    kinds, distances = [], []
    for story in sample_stories(300, seed=2, language=language):
        parts = token_kinds(story, language)
        assert len(parts[0]) == len(parts[1]) == len(story.split())
        kinds.append(parts[0])
        distances.append(parts[1])
    kinds, distances = np.concatenate(kinds), np.concatenate(distances)
    assert set(kinds) == {"free", "local", "middle", "long"}
    assert (distances[kinds == "free"] == 0).all()
    assert (distances[kinds == "local"] <= 2).all()
    assert set(distances[kinds == "middle"]) <= set(range(3, 20))
    assert distances[kinds == "long"].min() >= 20
    assert 60 < distances.max() < 90
    assert 0.05 < (kinds == "long").mean() < 0.25


OUTSIDE = [
    ("", "the story is empty; 'One' could come"),
    ("  ", "the story is empty"),
    ("Once upon a time", "position 0: 'Once' does not belong there; 'One' could"),
    ("One warm dragon", "position 2: 'dragon' does not belong there; 'Monday', 'Tuesday'"),
    ("One warm Friday", "breaks off at position 3; 'Mia', 'Anna', 'Lily', 'Emma', 'Zoe', ..."),
    (STORY.removesuffix(" [END]"), r"breaks off at position \d+; '\[END\]' could"),
    (f"{STORY} One", r"position \d+: 'One' .*was over with \[END\]"),
    (CHINESE_STORY, "position 0"),
]


@pytest.mark.parametrize(("text", "message"), OUTSIDE)
def test_text_outside_the_language(text, message):
    for function in (log_probabilities, token_kinds):
        with pytest.raises(ValueError, match=message):
            function(text)


def test_beginnings_outside_the_language():
    with pytest.raises(ValueError, match="position 0"):
        log_probabilities(STORY, "zh")
    with pytest.raises(ValueError, match="nothing comes after"):
        next_token_distribution(STORY)
    with pytest.raises(ValueError, match="position 1: 'wram'"):
        next_token_distribution("One wram")
    for wrong in (None, 3, STORY.split(), STORY.encode()):
        for function in (log_probabilities, token_kinds, next_token_distribution):
            with pytest.raises(TypeError, match="must be a string, got"):
                function(wrong)


def test_empty_prefix_is_allowed():
    assert next_token_distribution("") == {"One": 1}
    assert next_token_distribution("One warm Friday Mia got a", "en").keys() == {
        "red", "blue", "green", "yellow", "white", "black",
    }  # fmt: skip


def test_a_distribution_is_the_callers_own():
    first = next_token_distribution("")
    first["One"] = 7
    assert next_token_distribution("") == {"One": 1}


@pytest.mark.parametrize(
    ("count", "seed"), [(0, 1), (-3, 1), (1, -1), (1.5, 1), (True, 1), (1, None), (1, "7")]
)
def test_counts_and_seeds_that_are_none(count, seed):
    with pytest.raises((ValueError, TypeError), match=r"must be a whole number of at least [01]"):
        sample_stories(count, seed)
