"""Grammars small enough to write down every story, for the tests of lmkit/stories."""

from lmkit.stories import END, Grammar, next_token_distribution

COIN = {"t": {"a": {}, "b": {}}}  # the smallest table with a choice


def coins(sentence, *slots):
    """A grammar of one sentence whose slots are "a" or "b"."""
    return Grammar({"story": [(1, sentence)]}, {slot: {"table": "t"} for slot in slots}, COIN)


def three_friends():
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


def pets():
    """Pets belong to the friend, whose name depends on the hero's: 1, 2 and 3 of them."""
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
    return Grammar({"story": [(1, sentence)]}, slots, tables)


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
