"""lmkit.stories.grammar: what a slot's word can be, and grammars that cannot be read."""

import pytest
from small_grammars import COIN, coins, pets, three_friends

from lmkit.stories import Grammar, next_token_distribution


def test_candidates_by_hand():
    grammar = three_friends()
    assert grammar.candidates("hero", {}) == ("Mia", "Zoe", "Tom")
    assert grammar.candidates("friend", {"hero": ("Zoe",)}) == ("Mia", "Tom")
    assert grammar.candidates("sight", {"place": ("farm",)}) == ("cow",)
    assert grammar.candidates("sight", {"place": ("lake",)}) == ("duck", "frog", "swan")


def test_forms_by_hand():
    grammar = three_friends()
    lake = ("duck", "frog", "swan")
    chances, left = grammar.forms("sight", lake, "like")
    assert chances == {"tiny": 2 / 3, "proud": 1 / 3}
    assert left == {"tiny": ("duck", "frog"), "proud": ("swan",)}
    assert grammar.forms("sight", left["tiny"], "")[0] == {"duck": 1 / 2, "frog": 1 / 2}


def test_readers_by_hand():
    # The friend excludes the hero's word. Where nothing belongs to the friend, only the forms
    # of the excluded word matter; where pets do, the very word does.
    assert three_friends().readers["hero"] == [("friend", False)]
    assert three_friends().readers["place"] == [("sight", True)]
    assert pets().readers == {"hero": [("friend", True)], "friend": [("pet", True)], "pet": []}


def test_vocabulary_by_hand():
    words = "Mia Zoe Tom lake farm duck frog swan cow"
    forms = "She He tiny proud"
    others = "Nobody else than went to the . saw a came , and slept [END]"
    assert three_friends().vocabulary() == sorted(f"{words} {forms} {others}".split())


def test_a_token_is_drawn_by_its_weight():
    slots = {"x": {"table": "t"}}
    grammar = Grammar({"story": [(3, "{x} [END]"), (1, "no [END]")]}, slots, COIN)
    assert next_token_distribution("", grammar) == {"a": 3 / 8, "b": 3 / 8, "no": 1 / 4}


@pytest.mark.parametrize("sentence", ["{z} [END]", "<z> [END]", "{x} {y} [END]"])
def test_a_sentence_names_a_slot_or_rule_that_does_not_exist(sentence):
    with pytest.raises(ValueError, match=r"a sentence uses '[zy]', but there is no such"):
        coins(sentence, "x")


def test_grammars_that_cannot_be_read():
    with pytest.raises(ValueError, match="draws from 'u', but there is no such table"):
        Grammar({"story": [(1, "{x} [END]")]}, {"x": {"table": "u"}}, COIN)
    slots = {"x": {"table": "t"}}
    with pytest.raises(ValueError, match="must begin with a word or a slot"):
        Grammar({"story": [(1, "<s>")], "s": [(1, "<s>"), (1, "a")]}, slots, COIN)
    # A weight of 0 would make the entropy 0 times infinity.
    for weight in (0, -1, float("nan"), "2"):
        with pytest.raises((ValueError, TypeError), match="weight of a sentence"):
            Grammar({"story": [(weight, "{x} [END]")]}, slots, COIN)


def test_ambiguous_and_premature_sentences_are_named_when_they_are_reached():
    slots = {"x": {"table": "t"}, "y": {"table": "t", "differs": "x"}}
    unclear = Grammar({"story": [(1, "{x} c [END]"), (1, "a [END]")]}, slots, COIN)
    with pytest.raises(ValueError, match="two alternatives begin with 'a'"):
        next_token_distribution("", unclear)
    too_early = Grammar({"story": [(1, "{y} {x} [END]")]}, slots, COIN)
    with pytest.raises(ValueError, match="'y' is said before 'x', on which it depends"):
        next_token_distribution("", too_early)
