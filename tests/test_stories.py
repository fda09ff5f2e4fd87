"""lmkit.stories: probabilities that sum to 1, exact entropy, the same text everywhere."""

import itertools
import json
import math
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from lmkit.stories import (
    END,
    Grammar,
    _follow,
    _Telling,
    encode,
    entropy,
    log_probabilities,
    next_token_distribution,
    reference_losses,
    sample_stories,
    token_kinds,
    tokenizer,
    vocabulary,
)
from lmkit.stories import LANGUAGES as LANGUAGES_BUILT

LANGUAGES = ["en", "zh"]
ROOT = pathlib.Path(__file__).parents[1]
STORY = (
    "One snowy Saturday Zoe got a blue book . Zoe called the blue book lovely . Then Zoe "
    "showed Lily the blue book . Zoe and Lily rode to the hill . There Zoe hid her blue "
    "book from Lily . They saw a quick lizard near the hill . They shared some rice . In "
    "the evening Zoe still had the blue book . Later Lily drew the quick lizard . What a "
    "Saturday ! [END]"
)
CHINESE_STORY = (
    "下雪 的 星期六 ， 婷婷 得到 了 一 个 黄色 的 皮球 。 婷婷 说 这 个 黄色 "
    "的 皮球 很 少见 。 不久 小明 向 婷婷 要 黄色 的 皮球 。 婷婷 和 小明 "
    "蹦跳着 去 花园 。 然后 婷婷 把 黄色 的 皮球 藏起来 不 给 小明 。 他们 在 "
    "花园 看见 一 只 害羞 的 刺猬 。 他们 分享 了 玉米 。 傍晚 婷婷 还 拿 着 "
    "黄色 的 皮球 。 回家 后 小明 画 了 害羞 的 刺猬 。 多么 难忘 的 星期六 "
    "！ [END]"
)
# Read off STORY by hand: the new choices, and the words that repeat or agree with an earlier
# one, with the number of tokens back to where that stands last.
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
    """20,000 stories of a language, and the log-probabilities of their tokens."""
    stories = sample_stories(20_000, seed=7, language=request.param)
    return request.param, stories, [log_probabilities(s, request.param) for s in stories]


def small_grammar():
    """Names that must differ, a place that limits the sight, a form that tells in part."""
    tables = {
        "name": {"Mia": {"She": "She"}, "Zoe": {"She": "She"}, "Tom": {"She": "He"}},
        "place": {"lake": {}, "farm": {}},
        "sight": {
            "duck": {"of": "lake", "like": "tiny"},
            "frog": {"of": "lake", "like": "tiny"},
            "swan": {"of": "lake", "like": "proud"},
            "cow": {"of": "farm", "like": "proud"},
        },
    }
    slots = {
        "hero": {"table": "name"},
        "friend": {"table": "name", "differs": "hero"},
        "place": {"table": "place"},
        "sight": {"table": "sight", "of": "place"},
    }
    rules = {
        "story": [(1, "<who> went to the {place} . <what> {giver} slept . [END]")],
        "who": [(3, "{hero}"), (1, "Nobody else than {hero}")],
        "what": [
            (1, "{hero.She} saw a {sight.like} {sight} . giver=hero"),
            (2, "{friend} giver=friend came , and {friend.She} saw {hero} ."),
        ],
    }
    return Grammar(rules, slots, tables)


def all_stories(grammar):
    """Every story of a small grammar with its probability, by the next-token table alone."""
    unfinished, finished = [([], 1.0)], {}
    while unfinished:
        tokens, chance = unfinished.pop()
        for token, p in next_token_distribution(" ".join(tokens), grammar).items():
            if token == END:
                finished[" ".join([*tokens, token])] = chance * p
            else:
                unfinished.append(([*tokens, token], chance * p))
    return finished


def by_hand_small_entropy():
    """Entropy and length of the small grammar, by algebra."""
    who, what = math.log(4) - 3 / 4 * math.log(3), math.log(3) - 2 / 3 * math.log(2)
    names, place = math.log(3), math.log(2)
    sight, friend = 1 / 2 * math.log(3), math.log(2)  # 3 sights at the lake, 1 on the farm
    nats = who + names + place + what + 1 / 3 * sight + 2 / 3 * friend
    # "Mia went to the lake ." "She saw a tiny duck ." "Tom came , and he saw Mia ."
    # "Mia slept . [END]"; "Nobody else than" is three tokens more.
    tokens = 6 + 3 / 4 * 0 + 1 / 4 * 3 + 1 / 3 * 6 + 2 / 3 * 8 + 4
    return nats, tokens


def test_enumeration_equals_the_formula():
    grammar = small_grammar()
    stories = all_stories(grammar)
    chances = np.array(list(stories.values()))
    assert chances.sum() == pytest.approx(1, abs=1e-12)
    nats = -(chances * np.log(chances)).sum()
    tokens = sum(p * len(story.split()) for story, p in stories.items())
    exact = entropy(grammar)
    assert exact.per_story == pytest.approx(nats, abs=1e-12)
    assert exact.tokens_per_story == pytest.approx(tokens, abs=1e-12)
    assert exact.per_token == pytest.approx(nats / tokens, abs=1e-12)
    assert (nats, tokens) == pytest.approx(by_hand_small_entropy(), abs=1e-12)


def test_enumeration_where_the_very_word_matters():
    # Pets belong to the friend, whose name depends on the hero's: 1, 2 and 3 of them.
    tables = {
        "name": {"Mia": {}, "Zoe": {}, "Tom": {}},
        "pet": {
            pet: {"of": name, "like": like}
            for pet, name, like in (
                ("cat", "Mia", "tiny"),
                ("dog", "Zoe", "tiny"),
                ("hen", "Zoe", "shy"),
                ("cow", "Tom", "shy"),
                ("owl", "Tom", "shy"),
                ("fox", "Tom", "tiny"),
            )
        },
    }
    slots = {
        "hero": {"table": "name"},
        "friend": {"table": "name", "differs": "hero"},
        "pet": {"table": "pet", "of": "friend"},
    }
    sentence = "{hero} met {friend} and a {pet.like} {pet} . [END]"
    grammar = Grammar({"story": [(1, sentence)]}, slots, tables)
    chances = np.array(list(all_stories(grammar).values()))
    by_hand = math.log(3) + math.log(2) + (math.log(2) + math.log(3)) / 3
    assert -(chances * np.log(chances)).sum() == pytest.approx(by_hand, abs=1e-12)
    assert entropy(grammar).per_story == pytest.approx(by_hand, abs=1e-12)


def test_product_of_conditionals_is_the_probability_of_the_story():
    grammar = small_grammar()
    for story, chance in all_stories(grammar).items():
        assert log_probabilities(story, grammar).sum() == pytest.approx(math.log(chance))


def test_sampling_follows_the_probabilities():
    # Every story of the small grammar, counted: Pearson's chi-square has mean k and
    # variance 2k; 5 of its standard deviations above is one run in some 100,000.
    grammar, count = small_grammar(), 20_000
    expected = all_stories(grammar)
    told = sample_stories(count, seed=11, language=grammar)
    counts = {story: 0 for story in expected}
    for story in told:
        counts[story] += 1
    chi = sum((counts[s] - count * p) ** 2 / (count * p) for s, p in expected.items())
    free = len(expected) - 1
    assert chi < free + 5 * math.sqrt(2 * free)


@pytest.mark.parametrize("language", LANGUAGES)
def test_probabilities_sum_to_one_at_every_prefix(language):
    known = set(vocabulary(language))
    for story in sample_stories(30, seed=3, language=language):
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
        tokens = story.split()
        for end, options in enumerate(steps(tokens, language)):
            if len(options) == 1:
                continue
            seen[tokens[end]] = seen.get(tokens[end], 0) + 1
            for token, p in options.items():
                expected[token] = expected.get(token, 0) + p
                spread[token] = spread.get(token, 0) + p * (1 - p)
    z = [(seen.get(t, 0) - expected[t]) / math.sqrt(spread[t]) for t in expected]
    assert len(z) > 80
    assert max(map(abs, z)) < 5
    assert 0.7 < np.std(z) < 1.3


def steps(tokens, language):
    """The true distribution before each token, by walking once through the story."""
    for _, telling in _follow(" ".join(tokens), _Telling(LANGUAGES_BUILT[language])):
        yield telling.options


def test_tables_are_shared_between_stories(corpus):
    # 20,000 stories are sampled and scored in about 3 s of one core because they look up the
    # same few tables. Nothing here depends on the clock: the tables must stay few.
    language, _, _ = corpus
    assert len(LANGUAGES_BUILT[language]._candidates) < 500
    assert len(LANGUAGES_BUILT[language]._forms) < 2_000


@pytest.mark.parametrize("language", LANGUAGES)
def test_long_range_dependency_is_real(language):
    # Two beginnings whose last 20 tokens are the same; what was said before decides.
    found, by_end = 0, {}
    for story in sample_stories(2_000, seed=5, language=language):
        kinds, _ = token_kinds(story, language)
        tokens = story.split()
        for at in np.flatnonzero(kinds == "long"):
            end = tuple(tokens[at - 20 : at])
            options = next_token_distribution(" ".join(tokens[:at]), language)
            other = by_end.setdefault(end, options)
            found += set(other) != set(options)
    assert found > 50


def test_long_range_dependency_by_hand():
    one, other = (
        f"One warm Friday Anna got a {colour} book . Anna called the {colour} book old ."
        f" Soon Ben asked Anna for the {colour} book . Anna and Ben walked to the lake ."
        f" There Anna lent Ben her {colour} book . They saw a noisy frog near the lake ."
        " They shared some corn . In the evening Ben still had the"
        for colour in ("blue", "red")
    )
    assert next_token_distribution(one) == {"blue": 1}
    assert next_token_distribution(other) == {"red": 1}
    assert one.split()[-20:] == other.split()[-20:]


@pytest.mark.parametrize("language", LANGUAGES)
def test_same_seed_same_text(language):
    stories = sample_stories(20, seed=1, language=language)
    assert stories == sample_stories(20, seed=1, language=language)
    assert stories[:5] == sample_stories(5, seed=np.int64(1), language=language)
    assert not set(stories) & set(sample_stories(20, seed=2, language=language))


def test_same_text_everywhere():
    assert sample_stories(1, seed=0) == [STORY]
    assert sample_stories(1, seed=0, language="zh") == [CHINESE_STORY]


def test_text_does_not_depend_on_the_process_and_needs_no_keras():
    program = (
        "import sys, json\nfrom lmkit.stories import sample_stories\n"
        "stories = [sample_stories(3, 9, language) for language in ('en', 'zh')]\n"
        "print(json.dumps([stories, 'keras' in sys.modules, 'tensorflow' in sys.modules]))"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    stories = [sample_stories(3, 9, language) for language in LANGUAGES]
    assert [json.loads(text) for text in told] == [[stories, False, False]] * 2


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
    grammar = Grammar({"story": [(1, sentence)]}, {"x": {"table": "t"}}, {"t": {"a": {}, "b": {}}})
    kinds, distances = token_kinds(sentence.replace("{x}", "a"), grammar)
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


@pytest.mark.parametrize("language", LANGUAGES)
def test_vocabulary_is_fixed_and_of_some_hundred_words(language):
    words = vocabulary(language)
    assert words == sorted(set(words)) and END in words
    assert 150 <= len(words) <= 350
    assert not any(token != token.strip() or " " in token or not token for token in words)


def test_both_languages_have_the_same_entropy_per_story():
    english, chinese = entropy("en"), entropy("zh")
    assert english.per_story == pytest.approx(chinese.per_story, abs=1e-9)
    assert 40 <= english.tokens_per_story <= 90
    assert 40 <= chinese.tokens_per_story <= 90


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_counting_model_beats_the_floor(language):
    train = sample_stories(6_000, seed=1, language=language)
    test = sample_stories(1_000, seed=2, language=language)
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
    assert abs(lines["floor"] - exact.per_token) < error / math.sqrt(1_000) / 70


def test_reference_losses_by_hand():
    # One training story "a b [END]", one test story "a a [END]"; V = 3.
    grammar = Grammar(
        {"story": [(1, "{x} {y} [END]")]},
        {"x": {"table": "t"}, "y": {"table": "t"}},
        {"t": {"a": {}, "b": {}}},
    )
    lines = reference_losses(["a b [END]"], ["a a [END]"], grammar)
    unigram = [(1 + 1 / 3) / 4] * 3  # each of the three tokens was counted once in three
    # After the empty page: "a" once of once. After "a": "b" once of once, so "a" 0, [END] 0.
    bigram = [(1 + unigram[0]) / 2, unigram[1] / 2, unigram[2] / 2]
    # After ("", "a"): "b" once. After ("a", "a"): never seen, so the bigram's word counts.
    trigram = [(1 + bigram[0]) / 2, bigram[1] / 2, bigram[2]]
    expected = [-np.log(p).mean() for p in ([1 / 3] * 3, unigram, bigram, trigram, [0.5, 0.5, 1])]
    assert list(lines.values()) == pytest.approx(expected)


OUTSIDE = [
    ("", "the story is empty; 'One' could have come"),
    ("  ", "the story is empty"),
    ("Once upon a time", "position 0: 'Once' does not belong there; 'One' could"),
    ("One warm dragon", "position 2: 'dragon' does not belong there; 'Monday', 'Tuesday'"),
    ("One warm Friday", "breaks off at position 3; 'Mia', 'Anna', 'Lily', 'Emma', 'Zoe', ..."),
]


@pytest.mark.parametrize(("text", "message"), OUTSIDE)
def test_text_outside_the_language(text, message):
    for function in (log_probabilities, token_kinds):
        with pytest.raises(ValueError, match=message):
            function(text)


def test_more_text_outside_the_language():
    with pytest.raises(ValueError, match=r"breaks off at position \d+; '\[END\]' could"):
        log_probabilities(STORY.removesuffix(" [END]"))
    with pytest.raises(ValueError, match=r"position \d+: 'One' .*was over with \[END\]"):
        log_probabilities(f"{STORY} One")
    with pytest.raises(ValueError, match="position 0"):
        log_probabilities(CHINESE_STORY)
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


def test_wrong_arguments():
    for count, seed in ((0, 1), (-3, 1), (1, -1)):
        with pytest.raises(ValueError, match="must be at least"):
            sample_stories(count, seed)
    for count, seed in ((1.5, 1), (True, 1), (1, None), (1, "7"), ("2", 1)):
        with pytest.raises(TypeError, match="must be a whole number"):
            sample_stories(count, seed)
    for function in (vocabulary, entropy):
        for language in ("fr", None, ["en"]):
            with pytest.raises(ValueError, match="'en', 'zh' or a Grammar, got"):
                function(language)
    with pytest.raises(TypeError, match="put it in a list"):
        reference_losses(STORY, [STORY])
    with pytest.raises(ValueError, match="there are no stories"):
        reference_losses([STORY], [])
    with pytest.raises(ValueError, match="'dragon' is not a token"):
        reference_losses(["a dragon"], [STORY])
    with pytest.raises(ValueError, match="it is empty"):
        reference_losses([STORY, " "], [STORY])
    with pytest.raises(TypeError, match="must be a string, got list"):
        reference_losses([STORY.split()], [STORY])


def test_grammars_that_cannot_be_read():
    slots, tables = {"x": {"table": "t"}}, {"t": {"a": {}, "b": {}}}
    for sentence in ("{z} [END]", "<z> [END]"):
        with pytest.raises(ValueError, match="uses 'z'"):
            Grammar({"story": [(1, sentence)]}, slots, tables)
    with pytest.raises(ValueError, match="must begin with a word or a slot"):
        Grammar({"story": [(1, "<s>")], "s": [(1, "<s>"), (1, "a")]}, slots, tables)
    unclear = Grammar({"story": [(1, "{x} c [END]"), (1, "a [END]")]}, slots, tables)
    with pytest.raises(ValueError, match="two alternatives begin with 'a'"):
        next_token_distribution("", unclear)
    linked = {"x": {"table": "t"}, "y": {"table": "t", "differs": "x"}}
    too_early = Grammar({"story": [(1, "{y} {x} [END]")]}, linked, tables)
    with pytest.raises(ValueError, match="'y' is said before 'x'"):
        next_token_distribution("", too_early)


@pytest.mark.parametrize("language", LANGUAGES)
def test_rows_of_ids_are_the_stories(language):
    texts = sample_stories(50, seed=3, language=language)
    rows, known = encode(texts, language), tokenizer(language)
    assert rows.shape == (50, 1 + max(len(text.split()) for text in texts))
    assert known.tokens[2:] == vocabulary(language)  # behind padding and unknown
    assert (rows != 1).all()
    assert {known.tokens[row[0]] for row in rows} == {END}
    for row, text in zip(rows, texts, strict=True):
        # What is scored, all but the first, is what log_probabilities scores.
        scored = row[1:][row[1:] != 0]
        assert [known.tokens[number] for number in scored] == text.split()
        assert len(scored) == len(log_probabilities(text, language))


def test_beginnings_become_rows_too():
    known = tokenizer()
    ids = [known.tokens.index(word) for word in (END, "One", "warm", "Monday")]
    assert encode(["One", "One warm Monday"]).tolist() == [[ids[0], ids[1], 0, 0], ids]
    assert encode([""]).tolist() == [[ids[0]]]


def test_texts_that_cannot_be_encoded():
    with pytest.raises(TypeError, match="list"):
        encode("One warm Monday")
    with pytest.raises(ValueError, match="'Bob'"):
        encode(["One warm Monday Bob"])
    with pytest.raises(ValueError, match="the list is empty"):
        encode([])
