"""The story language: text whose every probability is known.

A story is a row of tokens (words and punctuation, a blank between them, `[END]` at the end).
A small grammar tells it, and every choice that the grammar makes can be read off the tokens.
The true probability of every next token is therefore known exactly, and with it the loss that
no model can beat: the entropy.

    words.py          the two languages, from english.txt and chinese.txt
    grammar.py        the rules, and what a slot's word can be
    derivation.py     a story on its way through the rules
    probabilities.py  sampling, probabilities, entropy
    encoding.py       ids, and losses to compare a model with
"""

from lmkit.stories.encoding import encode, reference_losses, tokenizer, vocabulary
from lmkit.stories.grammar import END, Grammar
from lmkit.stories.probabilities import (
    Entropy,
    entropy,
    log_probabilities,
    next_token_distribution,
    sample_stories,
    token_kinds,
)
from lmkit.stories.words import LANGUAGES

# What other modules and readers may rely on; the state of a derivation, which only the
# entropy and the tests look into, stays in its own file.
__all__ = ["END", "LANGUAGES", "Entropy", "Grammar", "encode", "entropy", "log_probabilities"]
__all__ += ["next_token_distribution", "reference_losses", "sample_stories", "token_kinds"]
__all__ += ["tokenizer", "vocabulary"]
