"""The words and sentences of the story language (lmkit/stories.py), in English and Chinese.

How to read a sentence: `{hero}` says the slot's word, `{hero.her}` another form of it,
`<gift>` stands for a rule, `giver=hero` says nothing and makes `giver` another name of
`hero`, and everything else is a token. A rule is a list of (weight, sentences).
"""


def _people(words, **forms):
    return {word: forms for word in words.split()}


def _table(words):
    return {word: {} for word in words.split()}


ENGLISH_TABLES = {
    "name": _people(
        "Mia Anna Lily Emma Zoe Ruby Nora Ella Ivy Clara Lucy Alice Sara Julia Eva Rosa",
        She="She",
        her="her",
    )
    | _people(
        "Tom Ben Max Leo Sam Jack Noah Oscar Hugo Paul Felix Adam Luke Theo Finn Otto",
        She="He",
        her="his",
    ),
    "weather": _table("sunny rainy windy cold warm foggy"),
    "day": _table("Monday Tuesday Wednesday Thursday Friday Saturday Sunday"),
    "colour": _table("red blue green yellow white black brown pink purple golden silver grey"),
    "thing": _table(
        "kite ball book drum boat doll robot hat scarf cup lamp box bell ring key map "
        "coat basket whistle flute mirror clock puppet ladder"
    ),
    "kin": _table("friend cousin neighbour classmate"),
    "elder": _table("grandmother grandfather aunt uncle teacher"),
    "move": _table("walked ran hurried rode"),
    "place": {
        "lake": {"at": "at"},
        "river": {"at": "at"},
        "beach": {"at": "at"},
        "market": {"at": "at"},
        "farm": {"at": "on"},
        "hill": {"at": "on"},
        "forest": {"at": "in"},
        "park": {"at": "in"},
        "garden": {"at": "in"},
        "castle": {"at": "in"},
        "harbour": {"at": "in"},
        "meadow": {"at": "in"},
    },
    "sight": {
        "duck": {"like": "hungry", "of": "lake"},
        "swan": {"like": "proud", "of": "lake"},
        "frog": {"like": "noisy", "of": "lake"},
        "otter": {"like": "quick", "of": "river"},
        "heron": {"like": "thin", "of": "river"},
        "trout": {"like": "shiny", "of": "river"},
        "crab": {"like": "tiny", "of": "beach"},
        "gull": {"like": "noisy", "of": "beach"},
        "seal": {"like": "sleepy", "of": "beach"},
        "baker": {"like": "friendly", "of": "market"},
        "juggler": {"like": "quick", "of": "market"},
        "parrot": {"like": "noisy", "of": "market"},
        "cow": {"like": "sleepy", "of": "farm"},
        "pony": {"like": "friendly", "of": "farm"},
        "rooster": {"like": "proud", "of": "farm"},
        "goat": {"like": "hungry", "of": "hill"},
        "eagle": {"like": "proud", "of": "hill"},
        "shepherd": {"like": "friendly", "of": "hill"},
        "fox": {"like": "quick", "of": "forest"},
        "deer": {"like": "shy", "of": "forest"},
        "owl": {"like": "sleepy", "of": "forest"},
        "squirrel": {"like": "quick", "of": "park"},
        "dog": {"like": "friendly", "of": "park"},
        "pigeon": {"like": "hungry", "of": "park"},
        "snail": {"like": "tiny", "of": "garden"},
        "hedgehog": {"like": "shy", "of": "garden"},
        "butterfly": {"like": "shiny", "of": "garden"},
        "king": {"like": "proud", "of": "castle"},
        "bat": {"like": "sleepy", "of": "castle"},
        "knight": {"like": "shiny", "of": "castle"},
        "sailor": {"like": "thin", "of": "harbour"},
        "cat": {"like": "hungry", "of": "harbour"},
        "pelican": {"like": "hungry", "of": "harbour"},
        "rabbit": {"like": "shy", "of": "meadow"},
        "horse": {"like": "thin", "of": "meadow"},
        "ladybird": {"like": "tiny", "of": "meadow"},
    },
    "food": _table("bread soup cake rice cheese plums pears nuts"),
    "mood": _table("happy tired glad calm"),
}

# What a slot is drawn from, what it must differ from, and whose word its own must belong to.
ENGLISH_SLOTS = {
    "hero": {"table": "name"},
    "friend": {"table": "name", "differs": "hero"},
    "day": {"table": "day"},
    "weather": {"table": "weather"},
    "c1": {"table": "colour"},
    "o1": {"table": "thing"},
    "c2": {"table": "colour", "differs": "c1"},
    "o2": {"table": "thing", "differs": "o1"},
    "kin": {"table": "kin"},
    "elder": {"table": "elder"},
    "move": {"table": "move"},
    "place": {"table": "place"},
    "sight": {"table": "sight", "of": "place"},
    "food": {"table": "food"},
    "mood": {"table": "mood"},
}

ENGLISH_RULES = {
    "story": [(1, "<opening> <meeting> <walk> <gift> <meal> <back> <night> What a {day} ! [END]")],
    "opening": [
        (1, "One {day} {hero} got a {c1} {o1} from {hero.her} {elder} ."),
        (1, "On a {weather} {day} {hero} got a {c1} {o1} from {hero.her} {elder} ."),
    ],
    "meeting": [
        (1, "Soon {hero.her} {kin} {friend} came with a {c2} {o2} ."),
        (1, "{hero.She} met {hero.her} {kin} {friend} , who had a {c2} {o2} ."),
    ],
    "walk": [
        (1, "They {move} to the {place} and saw a {sight.like} {sight} ."),
        (1, "Together they {move} to the {place} and met a {sight.like} {sight} ."),
    ],
    "gift": [(1, "There {hero} <swap> .")],
    "swap": [
        (1, "lent giver=hero taker=friend colour=c1 thing=o1 {taker} the {colour} {thing}"),
        (1, "borrowed giver=friend taker=hero colour=c2 thing=o2 the {colour} {thing} from {giver}"),
    ],
    "meal": [
        (1, "They fed the {sight} some {food} ."),
        (1, "The {sight} ate some {food} ."),
    ],
    "back": [
        (1, "Later {taker} gave the {colour} {thing} back to {giver} ."),
        (1, "Then {giver} wanted the {colour} {thing} back ."),
    ],
    "night": [
        (1, "At home {hero} told the {elder} about the {sight} ."),
        (1, "That night {friend} dreamed of the {place} ."),
    ],
}
