"""lmkit.stories.words: the two languages, which never change."""

import hashlib
import json
import pathlib
import subprocess
import sys

import pytest

from lmkit.stories import END, LANGUAGES, Grammar, entropy, sample_stories, vocabulary
from lmkit.stories.words import SLOTS, find_grammar

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
# Of 500 stories each, as the first version of the course told them. Stored weights, results
# and the numbers in the chapters' text depend on every one.
SHA256 = {
    "en": "62f073b35bd3be1b29d157ba17eb198f1c506f0e458cb0710f9a2f4c7b3d40aa",
    "zh": "1178856245c802bf1289174566c2312f1c9aa289790b204650c65a59c9bed921",
}


def test_same_text_everywhere():
    assert sample_stories(1, seed=0) == [STORY]
    assert sample_stories(1, seed=0, language="zh") == [CHINESE_STORY]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_story_has_changed(language):
    text = "\n".join(sample_stories(500, seed=1, language=language))
    assert hashlib.sha256(text.encode("utf-8")).hexdigest() == SHA256[language]


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


@pytest.mark.parametrize("language", LANGUAGES)
def test_vocabulary_is_fixed_and_of_some_hundred_words(language):
    words = vocabulary(language)
    assert words == sorted(set(words)) and END in words
    assert 150 <= len(words) <= 350
    assert not any(token != token.strip() or " " in token or not token for token in words)


def test_both_languages_make_the_same_choices():
    # As many words in every table, as many alternatives with the same weights in every rule.
    english, chinese = (LANGUAGES[language] for language in ("en", "zh"))
    assert list(english.rules) == list(chinese.rules)
    for name, rule in english.rules.items():
        assert [weight for weight, _ in rule] == [weight for weight, _ in chinese.rules[name]]
    for slot in SLOTS:
        assert len(english.words_of[slot]) == len(chinese.words_of[slot]) > 1
    assert entropy("en").per_story == pytest.approx(entropy("zh").per_story, abs=1e-9)
    assert 40 <= entropy("en").tokens_per_story <= 90
    assert 40 <= entropy("zh").tokens_per_story <= 90


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_place_has_five_sights_which_likeness_tells_apart(language):
    by_place = {}
    for forms in LANGUAGES[language].words_of["sight"].values():
        by_place.setdefault(forms["of"], []).append(forms["like"])
    assert set(by_place) == set(LANGUAGES[language].words_of["place"])
    assert {len(likes) for likes in by_place.values()} == {5}
    assert all(len(set(likes)) == 5 for likes in by_place.values())


def test_a_language_is_found_by_name_or_is_a_grammar():
    assert find_grammar("zh") is LANGUAGES["zh"]
    toy = Grammar({"story": [(1, "so [END]")]}, {}, {})
    assert find_grammar(toy) is toy
    for language in ("fr", None, ["en"], 1):
        with pytest.raises(ValueError, match='"en", "zh" or a Grammar, got'):
            find_grammar(language)
