"""Sampling stories, and their exact probabilities and entropy."""

import random
from typing import NamedTuple

import numpy as np

from lmkit._arguments import whole
from lmkit.stories.derivation import Derivation, expected, follow
from lmkit.stories.grammar import END
from lmkit.stories.words import find_grammar

# From how many tokens back a dependency is "middle", and from how many it is "long".
MIDDLE, LONG = 3, 20


class Entropy(NamedTuple):
    """The exact entropy in nats: `per_token` is `per_story / tokens_per_story`."""

    per_story: float
    tokens_per_story: float
    per_token: float


def sample_stories(count, seed, language="en"):
    """Draws stories; the same seed gives the same stories on every machine.

    Args:
        count: how many. The first ten of a hundred are the ten of the same seed.
        seed: a whole number, 0 or larger. Training and test stories need different ones.
        language: "en", "zh", or a `Grammar`.

    Returns:
        A list of strings: tokens with a blank between, so `story.split()` gives the tokens.

    Example:
        >>> print(sample_stories(1, seed=0)[0][:53])
        One snowy Saturday Zoe got a blue book . Zoe called t
    """
    grammar, count = find_grammar(language), whole("count", count)
    # `random.random` is the one method that Python promises to keep the same for a seed.
    uniform = random.Random(whole("seed", seed, least=0)).random
    stories = []  # one generator for all of them, so a longer list begins like a shorter one
    for _ in range(count):
        derivation, tokens = Derivation(grammar), []
        while derivation.options:
            tokens.append(_draw(derivation.options, uniform))
            derivation.take(tokens[-1])
        stories.append(" ".join(tokens))
    return stories


def _draw(options, uniform):
    if len(options) > 1:  # a certain token costs no random number
        left = uniform()
        for token, probability in options.items():
            left -= probability
            if left < 0:
                return token
    return next(reversed(options))  # the only one, or rounding left a crumb after the last


def log_probabilities(story, language="en"):
    """The true log p of every token given those before it: float64 `(tokens,)`, in nats.

    Args:
        story: a whole story, `[END]` included.
        language: "en", "zh", or a `Grammar`.

    Example:
        >>> log_probabilities(sample_stories(1, seed=0)[0])[:3].round(3).tolist()
        [0.0, -2.079, -1.946]
    """
    return np.log([derivation.options[token] for token, derivation in _whole(story, language)])


def next_token_distribution(prefix, language="en"):
    """The true probability of every token that can come next.

    Args:
        prefix: the beginning of a story; the empty string asks for the first token.
        language: "en", "zh", or a `Grammar`.

    Returns:
        A dict from token to probability, without the tokens that cannot come.

    Example:
        >>> next_token_distribution("One warm Monday Mia got a red cup . Mia called the")
        {'red': 1.0}
    """
    derivation = Derivation(find_grammar(language))
    for _ in follow(prefix, derivation):
        pass  # only the state after the last token is of interest
    if not derivation.options:
        raise ValueError(f"the story is over: nothing comes after {END}")
    return dict(derivation.options)  # a copy: the grammar's own dict is shared


def token_kinds(story, language="en"):
    """What every token of a story depends on, and how far back that is.

    "free" is a new choice. "local" follows from the sentence, or from a word at most 2 tokens
    back. "middle" and "long" repeat, agree with, or are narrowed by a word 3 to 19, or 20
    and more tokens back.

    Args:
        story: a whole story, `[END]` included.
        language: "en", "zh", or a `Grammar`.

    Returns:
        `(kinds, distances)`: strings and ints `(tokens,)`; 0 is no distance.

    Example:
        >>> kinds, distances = token_kinds(sample_stories(1, seed=0)[0])
        >>> str(kinds[-3]), int(distances[-3])  # the weekday
        ('long', 72)
    """
    kinds, distances = [], []
    for token, derivation in _whole(story, language):
        antecedent = derivation.antecedent(token)
        distance = 0 if antecedent is None else derivation.position - antecedent
        # One option without an antecedent is a word that the sentence itself dictates.
        # A narrowed token is still drawn, and counted by its distance.
        near = "free" if len(derivation.options) > 1 and not distance else "local"
        kinds.append("long" if distance >= LONG else "middle" if distance >= MIDDLE else near)
        distances.append(distance)
    return np.array(kinds), np.array(distances)


def _whole(story, language):
    """Yields `(token, derivation)` for each token of a whole story, just before it is taken."""
    derivation = Derivation(find_grammar(language))
    for token in follow(story, derivation):
        yield token, derivation
    if derivation.options:
        at = derivation.position
        where = f"breaks off at position {at}" if at else "is empty"
        raise ValueError(f"the story {where}; {expected(derivation)}")


def entropy(language="en"):
    """The exact entropy of the language: the floor under every loss.

    Args:
        language: "en", "zh", or a `Grammar`.

    Example:
        >>> nats, tokens, nats_per_token = entropy("en")
        >>> round(nats, 2), round(tokens, 2), round(nats_per_token, 4)
        (25.16, 77.67, 0.3239)

    Source: Shannon, 1948.
    """
    # Computed backwards from the end, once for each state that differs in a probability still
    # to come. There are some hundreds of them, but nearly 10^11 stories.
    nats, tokens = Derivation(find_grammar(language)).rest({})
    # A ratio of expectations, because long stories have more tokens to average over.
    return Entropy(nats, tokens, nats / tokens)
