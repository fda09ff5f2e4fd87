"""lmkit.stories.derivation: the state of an unfinished story, and its entropy."""

import copy
import math

import numpy as np
import pytest
from small_grammars import all_stories, pets, three_friends

from lmkit.stories import Grammar
from lmkit.stories.derivation import Derivation, expected, follow


def after(text, grammar):
    derivation = Derivation(grammar)
    assert list(follow(text, derivation)) == text.split()
    return derivation


def test_options_by_hand():
    grammar = three_friends()
    # Weights 3 and 1, three names: 3/4 of a third each, and a quarter for the other sentence.
    assert after("", grammar).options == pytest.approx(
        {"Mia": 1 / 4, "Zoe": 1 / 4, "Tom": 1 / 4, "Nobody": 1 / 4}
    )
    assert after("Nobody else than", grammar).options == dict.fromkeys(("Mia", "Zoe", "Tom"), 1 / 3)
    begun = after("Mia went to the lake .", grammar)
    # Three names are excluded from the second sentence's two: Mia is the hero.
    assert begun.options == pytest.approx({"She": 1 / 3, "Zoe": 1 / 3, "Tom": 1 / 3})
    assert begun.position == 6


def test_a_pronoun_and_an_alias_follow_what_was_said():
    grammar = three_friends()
    told = "Zoe went to the farm . Tom came , and"
    assert after(told, grammar).options == {"He": 1.0}
    assert after(f"{told} He saw Zoe .", grammar).options == {"Tom": 1.0}  # giver=friend
    saw = "Zoe went to the farm . She saw a proud cow ."
    assert after(saw, grammar).options == {"Zoe": 1.0}  # giver=hero
    assert after(f"{saw} Zoe slept . [END]", grammar).options == {}


def test_a_form_narrows_a_word_before_the_word_is_said():
    lake = after("Mia went to the lake . She saw a tiny", three_friends())
    assert lake.options == {"duck": 1 / 2, "frog": 1 / 2}
    assert lake.values["sight"] == ("duck", "frog")
    # Both the sight and its form depend on the place at position 4, to which they belong.
    assert lake.antecedent("duck") == 4
    assert after("Mia went to the lake . She saw a", three_friends()).antecedent("tiny") == 4


def test_a_copy_goes_its_own_way():
    first = after("Mia went to the lake .", three_friends())
    state = {name: copy.deepcopy(getattr(first, name)) for name in ("stack", "values", "mentions")}
    second = copy.copy(first)
    for token in "Tom came , and He saw Mia . Tom".split():
        second.take(token)
    assert {name: getattr(first, name) for name in state} == state
    assert first.aliases == {} != second.aliases
    assert set(first.options) == {"She", "Zoe", "Tom"}


def entropy_by_hand():
    """Entropy and length of the stories of three friends, by algebra."""
    who, what = math.log(4) - 3 / 4 * math.log(3), math.log(3) - 2 / 3 * math.log(2)
    names, place = math.log(3), math.log(2)
    sight, friend = 1 / 2 * math.log(3), math.log(2)  # 3 sights at the lake, 1 on the farm
    nats = who + names + place + what + 1 / 3 * sight + 2 / 3 * friend
    # "Mia went to the lake ." "She saw a tiny duck ." "Tom came , and he saw Mia ."
    # "Mia slept . [END]"; "Nobody else than" is three tokens more.
    tokens = 6 + 3 / 4 * 0 + 1 / 4 * 3 + 1 / 3 * 6 + 2 / 3 * 8 + 4
    return nats, tokens


def enumerated(grammar):
    """Entropy and length from all stories, written down one by one."""
    stories = all_stories(grammar)
    chances = np.array(list(stories.values()))
    assert chances.sum() == pytest.approx(1, abs=1e-12)
    tokens = sum(p * len(story.split()) for story, p in stories.items())
    return -(chances * np.log(chances)).sum(), tokens


# A sum of some hundred terms in float64: errors stay below 100 times 2e-16 times 10.
EXACT = 1e-12


def test_entropy_of_the_rest_equals_enumeration_and_algebra():
    grammar = three_friends()
    rest = Derivation(grammar).rest({})
    assert rest == pytest.approx(enumerated(grammar), abs=EXACT)
    assert rest == pytest.approx(entropy_by_hand(), abs=EXACT)
    # In the middle of a story: after the farm, only the friend is open, and 4 tokens to say.
    farm = after("Mia went to the farm . Tom came , and", grammar)
    assert farm.rest({}) == (0.0, 8.0)


def test_entropy_where_the_very_word_matters():
    # Excluding Tom leaves other pets than excluding Mia: states that differ in the very word
    # must not be taken for one.
    by_hand = math.log(3) + math.log(2) + (math.log(2) + math.log(3)) / 3
    assert Derivation(pets()).rest({})[0] == pytest.approx(by_hand, abs=EXACT)
    assert enumerated(pets())[0] == pytest.approx(by_hand, abs=EXACT)


def test_entropy_where_the_form_matters():
    # After "p" two words are open, after "q" three: states that differ in the form.
    table = {word: {"k": kind} for word, kind in zip("abcde", "ppqqq", strict=True)}
    rules = {"story": [(1, "{x.k} so {x} [END]")]}
    grammar = Grammar(rules, {"x": {"table": "t"}}, {"t": table})
    assert Derivation(grammar).rest({})[0] == pytest.approx(math.log(5), abs=EXACT)


def test_equal_states_are_computed_once():
    # 2^8 stories. A key that remembered what cannot matter any more, such as the form of a
    # word that is not said again, would need a state for each of them.
    slots = [f"s{number}" for number in range(8)]
    sentence = " ".join(f"{{{slot}}} {{{slot}}}" for slot in slots) + " [END]"
    table = {"a": {"k": "p"}, "b": {"k": "q"}}
    grammar = Grammar(
        {"story": [(1, sentence)]}, {slot: {"table": "t"} for slot in slots}, {"t": table}
    )
    known = {}
    assert Derivation(grammar).rest(known) == pytest.approx((8 * math.log(2), 17), abs=EXACT)
    assert len(known) <= 2 * 17


def test_text_outside_the_language_names_the_place():
    derivation = Derivation(three_friends())
    with pytest.raises(ValueError, match="position 2: 'of' does not belong there; 'to' could come"):
        list(follow("Mia went of", derivation))
    assert expected(after("Mia went to the", three_friends())) == "'lake', 'farm' could come"
    over = after("Mia went to the farm . She saw a proud cow . Mia slept . [END]", three_friends())
    assert expected(over) == "the story was over with [END]"
    with pytest.raises(ValueError, match=r"position 16: 'Mia' .*was over with \[END\]"):
        list(follow("Mia", over))
    with pytest.raises(TypeError, match="got list"):
        list(follow(["Mia"], Derivation(three_friends())))
