"""The story language: text with a known probability.

A story is a row of tokens (words and punctuation, a blank between them, `[END]` at the
end). A small grammar tells it, and every choice the grammar makes can be read off the
tokens. So the true probability of every next token is known exactly, and with it the
loss that no model can beat: the entropy. The sentences and words are in
lmkit/_story_words.py; the machine that follows any such grammar in lmkit/_story_grammar.py.
"""

import random
from collections.abc import Sized
from typing import NamedTuple

import numpy as np

from lmkit import _story_words as words
from lmkit._story_grammar import _SLOT, END, Grammar, _could_be, _follow, _rest, _split, _Telling

# How many tokens back the antecedent lies from which a dependency is "middle", or "long".
MIDDLE, LONG = 3, 20


class Entropy(NamedTuple):
    """The exact entropy in nats: `per_token` is `per_story / tokens_per_story`."""

    per_story: float
    tokens_per_story: float
    per_token: float


LANGUAGES = {
    "en": Grammar(words.ENGLISH_RULES, words.SLOTS, words.ENGLISH_TABLES),
    "zh": Grammar(words.CHINESE_RULES, words.SLOTS, words.CHINESE_TABLES),
}


def sample_stories(count, seed, language="en"):
    """Tells stories: the same seed tells the same stories on every machine.

    Args:
        count: how many. The first ten of a hundred are the ten of the same seed.
        seed: a whole number from 0. Take different ones for training and test stories.
        language: "en", "zh", or a `Grammar`.

    Returns:
        A list of strings: tokens with a blank between, so `story.split()` are the tokens.

    Raises:
        ValueError: if the count is below 1, the seed below 0, or the language unknown.
        TypeError: if count or seed are not whole numbers.

    Example:
        >>> print(sample_stories(1, seed=0)[0][:53])
        One snowy Saturday Zoe got a blue book . Zoe called t
    """
    grammar = _grammar(language)
    _check_whole(count, "count", 1)
    # `random.random` is the one method that Python promises to keep the same for a seed.
    uniform = random.Random(_check_whole(seed, "seed", 0)).random
    return [_tell(grammar, uniform) for _ in range(count)]


def log_probabilities(story, language="en"):
    """The true log-probability of every token of a story, given the tokens before it.

    Args:
        story: a whole story, `[END]` included.
        language: "en", "zh", or a `Grammar`.

    Returns:
        A float64 array `(tokens,)` of natural logarithms. Its sum is the log-probability
        of the story; minus its mean is the lowest loss anyone can expect on it.

    Raises:
        ValueError: for a text outside the language, with the position, the token and
            what could have come there.
        TypeError: if the story is not a string.

    Example:
        >>> story = sample_stories(1, seed=0)[0]
        >>> log_probabilities(story)[:3].round(3).tolist()
        [0.0, -2.079, -1.946]

    Source: the chain rule, log p(story) = sum over t of log p(token t | tokens before t).
    """
    return np.log([telling.options[token] for token, telling in _read(story, language)])


def next_token_distribution(prefix, language="en"):
    """The true probability of every token that can come next.

    Args:
        prefix: the beginning of a story; the empty string asks for the first token.
        language: "en", "zh", or a `Grammar`.

    Returns:
        A dict from token to probability; tokens that cannot come are left out.

    Raises:
        ValueError: for a beginning outside the language, or one that ends with `[END]`.
        TypeError: if the prefix is not a string.

    Example:
        >>> next_token_distribution("")
        {'One': 1.0}
        >>> begun = "One warm Monday Mia got a red cup . Mia called the red cup rare ."
        >>> {token: round(p, 3) for token, p in next_token_distribution(begun).items()}
        {'Soon': 0.667, 'Then': 0.333}
    """
    telling = _Telling(_grammar(language))
    for _ in _follow(prefix, telling):
        pass
    if not telling.options:
        raise ValueError(f"the story is over: nothing comes after {END}")
    return dict(telling.options)


def token_kinds(story, language="en"):
    """What every token of a story depends on, and how far back that lies.

    "free": a new choice, nothing said before tells it. "local": the sentence's own words
    tell it, or a word at most two tokens back. "middle" and "long": it repeats, agrees with
    or is narrowed by a word 3 to 19, or 20 and more tokens back (the nearest such word
    counts). Some of these are still drawn, from few: their true probability is below 1.

    Args:
        story: a whole story, `[END]` included.
        language: "en", "zh", or a `Grammar`.

    Returns:
        `(kinds, distances)`: an array of strings and one of ints, `(tokens,)` each. The
        distance is the number of tokens back to that word, 0 where there is none.

    Raises:
        ValueError, TypeError: as `log_probabilities`.

    Example:
        >>> story = sample_stories(1, seed=0)[0]
        >>> kinds, distances = token_kinds(story)
        >>> [(t, str(k), int(d)) for t, k, d in zip(story.split(), kinds, distances)][-3:]
        [('Saturday', 'long', 72), ('!', 'local', 0), ('[END]', 'local', 0)]
    """
    kinds, distances = [], []
    for token, telling in _read(story, language):
        antecedent = telling.antecedent(token)
        distance = 0 if antecedent is None else telling.position - antecedent
        new = "free" if len(telling.options) > 1 and not distance else "local"
        kinds.append("long" if distance >= LONG else "middle" if distance >= MIDDLE else new)
        distances.append(distance)
    return np.array(kinds), np.array(distances)


def vocabulary(language="en"):
    """All tokens of the language.

    Args:
        language: "en", "zh", or a `Grammar`.

    Returns:
        A sorted list of strings, `[END]` among them. Padding is not a token.

    Example:
        >>> len(vocabulary("en")), len(vocabulary("zh"))
        (166, 179)
    """
    grammar = _grammar(language)
    tokens = set(grammar.certain)
    for rule in grammar.rules.values():
        for kind, name, form in (item for _, row in rule for item in row):
            for slot in grammar.targets[name] if kind == _SLOT else ():
                table = grammar.words_of[slot]
                tokens.update(table[word][form] if form else word for word in table)
    return sorted(tokens)


def tokenizer(language="en"):
    """The tokenizer that knows every token of the language.

    Args:
        language: "en", "zh", or a `Grammar`.

    Returns:
        A `SplitTokenizer`: padding is 0, unknown 1, and the vocabulary follows in order.

    Example:
        >>> tokenizer("en").vocab_size, tokenizer("zh").vocab_size
        (168, 181)
    """
    from lmkit.tokenizers import PAD, UNKNOWN, SplitTokenizer  # loads Keras; the rest needs none

    return SplitTokenizer([PAD, UNKNOWN, *vocabulary(language)])


def encode(texts, language="en"):
    """Stories as rows of ids, ready for a language model.

    Every row begins with `[END]`, as if another story had just ended: the first word of a
    story is predicted from it. A model reads `rows[:, :-1]` and predicts `rows[:, 1:]`,
    where the loss leaves the padding 0 out; `log_probabilities` scores those very tokens.

    Args:
        texts: a list of stories, or of beginnings.
        language: "en", "zh", or a `Grammar`.

    Returns:
        An int32 array `(stories, 1 + tokens of the longest)`, padded with 0 on the right.

    Raises:
        TypeError: if `texts` is one string or holds something else than strings.
        ValueError: for a token that the language does not have, or an empty list.

    Example:
        >>> encode(["One warm Monday", "One"]).tolist()
        [[30, 16, 163, 15], [30, 16, 0, 0]]
    """
    longest = max(len(_split(text)) for text in _check_list(texts))
    begun = [f"{END} {text}" for text in texts]
    return tokenizer(language).encode_batch(begun, length=1 + longest)


def entropy(language="en"):
    """The exact entropy of the language: the floor under every loss.

    A story's entropy is that of its next token plus the expected entropy of the rest.
    That is computed backwards from the end, once for each state of the story that
    differs in a probability still to come (some hundreds), not for each story.

    Args:
        language: "en", "zh", or a `Grammar`.

    Returns:
        `Entropy(per_story, tokens_per_story, per_token)` in nats: the expected
        -log p of a story, its expected number of tokens, and their ratio.

    Example:
        >>> nats, tokens, nats_a_token = entropy("en")
        >>> round(nats, 2), round(tokens, 2), round(nats_a_token, 4)
        (25.16, 77.67, 0.3239)

    Source: Shannon, 1948.
    """
    nats, tokens = _rest(_Telling(_grammar(language)), {})
    return Entropy(nats, tokens, nats / tokens)


def reference_losses(train_stories, test_stories, language="en"):
    """The lines to draw beside a loss: what counting reaches, and what nobody can beat.

    The counting models are those of `lmkit.ngrams`, counted in the training stories.

    Args:
        train_stories: a list of stories to count in.
        test_stories: a list of other stories, to be scored.
        language: "en", "zh", or a `Grammar`.

    Returns:
        A dict of losses in nats a token on the test stories: "uniform" (ln V),
        "unigram", "bigram", "trigram" and "floor", the mean of -log p_true.

    Raises:
        ValueError: for a test story outside the language, a training story with a token
            that the language does not have, or no stories.

    Example:
        >>> train, test = sample_stories(2000, seed=0), sample_stories(200, seed=1)
        >>> {name: round(loss, 2) for name, loss in reference_losses(train, test).items()}
        {'uniform': 5.11, 'unigram': 4.26, 'bigram': 1.68, 'trigram': 1.06, 'floor': 0.32}

    Source: MacKay and Peto, 1995 (the smoothing).
    """
    from lmkit.ngrams import ngram_probabilities  # loads Keras; the rest needs none

    ids = {token: number for number, token in enumerate(vocabulary(language))}
    floor = -np.concatenate([log_probabilities(s, language) for s in _check_list(test_stories)])
    train, test = _rows(train_stories, ids), _rows(test_stories, ids)
    losses = {"uniform": float(np.log(len(ids)))}
    for order, name in enumerate(("unigram", "bigram", "trigram"), start=1):
        losses[name] = float(-np.log(ngram_probabilities(train, test, order, len(ids))).mean())
    return losses | {"floor": float(floor.mean())}


def _rows(texts, ids):
    rows = []
    for story in _check_list(texts):
        tokens = _split(story)
        unknown = [token for token in tokens if token not in ids]
        if unknown or not tokens:
            what = f"{unknown[0]!r} is not a token of the language" if unknown else "it is empty"
            raise ValueError(f"cannot count in the story {story!r:.60}: {what}")
        rows.append([ids[token] for token in tokens])
    return rows


def _check_list(texts):
    if isinstance(texts, str):
        raise TypeError("stories must be a list of strings, got one string: put it in a list")
    if not isinstance(texts, Sized):
        raise TypeError(f"stories must be a list of strings, got {type(texts).__name__}")
    if not len(texts):
        raise ValueError("there are no stories: the list is empty")
    return texts


def _tell(grammar, uniform):
    telling, tokens = _Telling(grammar), []
    while telling.options:
        tokens.append(_draw(telling.options, uniform))
        telling.take(tokens[-1])
    return " ".join(tokens)


def _draw(options, uniform):
    if len(options) > 1:
        left = uniform()
        for token, probability in options.items():
            left -= probability
            if left < 0:
                return token
    return next(reversed(options))  # the only one, or rounding left a crumb after the last


def _read(story, language):
    """Yields `(token, telling)` for each token of a whole story, just before it is taken."""
    telling = _Telling(_grammar(language))
    yield from _follow(story, telling)
    if telling.options:
        where = f"breaks off at position {telling.position}" if telling.position else "is empty"
        raise ValueError(f"the story {where}; {_could_be(telling.options)}")


def _grammar(language):
    if isinstance(language, Grammar):
        return language
    if language not in list(LANGUAGES):  # a list takes values that cannot be hashed, too
        raise ValueError(f"language must be 'en', 'zh' or a Grammar, got {language!r}")
    return LANGUAGES[language]


def _check_whole(number, name, least):
    if isinstance(number, bool) or not isinstance(number, int | np.integer):
        raise TypeError(f"{name} must be a whole number, got {number!r}")
    if number < least:
        raise ValueError(f"{name} must be at least {least}, got {number}")
    return int(number)
