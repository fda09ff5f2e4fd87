"""Stories as ids, and the losses that counting and the grammar itself reach on them."""

import numpy as np

from lmkit._arguments import texts as check_texts
from lmkit.stories.grammar import END
from lmkit.stories.probabilities import log_probabilities
from lmkit.stories.words import find_grammar


def vocabulary(language="en"):
    """All tokens of the language, sorted, `[END]` among them; padding is not a token.

    Args:
        language: "en", "zh", or a `Grammar`.

    Example:
        >>> len(vocabulary("en")), len(vocabulary("zh"))
        (166, 179)
    """
    return find_grammar(language).vocabulary()


def tokenizer(language="en"):
    """The tokenizer that knows every token of the language, a `SplitTokenizer`.

    Args:
        language: "en", "zh", or a `Grammar`.

    Example:
        >>> tokenizer("en").vocab_size  # padding is 0, unknown 1, then the 166 tokens
        168
    """
    # Here, because telling and scoring stories needs nothing of a tokenizer.
    from lmkit.tokenizers import SplitTokenizer

    return SplitTokenizer(["[PAD]", "[UNK]", *vocabulary(language)])


def encode(texts, language="en"):
    """Stories as a list of rows of ids; each begins with `[END]`, the end of the one before.

    Args:
        texts: a list of stories, or of beginnings.
        language: "en", "zh", or a `Grammar`.

    Example:
        >>> encode(["One warm Monday", "One"])
        [[30, 16, 163, 15], [30, 16]]
    """
    known = tokenizer(language)
    # A model predicts the first word from the [END] in front. So the targets of next_tokens
    # are all of a story's tokens, exactly those that log_probabilities scores.
    return [known.encode(f"{END} {text}") for text in _some(texts)]


def reference_losses(train_stories, test_stories, language="en"):
    """The lines to draw beside a loss: what counting reaches, and what nobody can beat.

    Args:
        train_stories: a list of stories in which `lmkit.ngrams` counts.
        test_stories: a list of other stories, to be scored.
        language: "en", "zh", or a `Grammar`.

    Returns:
        A dict of losses in nats per token of the test stories: "uniform" (ln V),
        "unigram", "bigram", "trigram" and "floor", the mean of -log p.

    Example:
        >>> from lmkit.stories import sample_stories
        >>> train, test = sample_stories(2000, seed=0), sample_stories(200, seed=1)
        >>> {name: round(loss, 2) for name, loss in reference_losses(train, test).items()}
        {'uniform': 5.11, 'unigram': 4.26, 'bigram': 1.68, 'trigram': 1.06, 'floor': 0.32}
    """
    from lmkit.ngrams import ngram_probabilities  # needs no story, and stories seldom need it

    floor = -np.concatenate([log_probabilities(text, language) for text in _some(test_stories)])
    # Without the [END] in front, and numbered from 0: nobody predicts padding or unknown.
    train, test = (
        [np.array(row[1:]) - 2 for row in encode(stories, language)]
        for stories in (train_stories, test_stories)
    )
    vocab_size = len(vocabulary(language))
    losses = {"uniform": float(np.log(vocab_size))}
    for order, name in enumerate(("unigram", "bigram", "trigram"), start=1):
        losses[name] = float(-np.log(ngram_probabilities(train, test, order, vocab_size)).mean())
    return losses | {"floor": float(floor.mean())}


def _some(texts):
    if not (texts := check_texts(texts)):
        raise ValueError("there are no stories: the list is empty")
    return texts
