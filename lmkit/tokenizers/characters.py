"""Lossless tokenizers: by characters, or by what spaces separate."""

from lmkit import _arguments
from lmkit.tokenizers._base import SPECIAL, Tokenizer


class _Exact(Tokenizer):
    """Knows every token of its texts, and refuses others instead of losing them silently."""

    _KIND = "token"  # the word for it in messages

    @classmethod
    def train(cls, texts, vocab_size=10_000):
        """Makes a vocabulary of all tokens of the texts, in Unicode's order.

        Args:
            texts: strings.
            vocab_size: how many ids at most. More are an error, because they would be lost.

        Returns:
            The tokenizer.
        """
        # Sorted, so that the ids do not depend on the order of the texts.
        tokens = sorted(cls._count(texts, vocab_size))
        if (needed := len(tokens) + len(SPECIAL)) > vocab_size:
            raise ValueError(
                f"the texts hold {len(tokens)} different {cls._KIND}s; with padding and unknown "
                f"that needs a vocab_size of {needed}, got {vocab_size}"
            )
        return cls([*SPECIAL, *tokens])

    def encode(self, text):
        """Looks up the ids of a text's tokens; a ValueError names one that is not known.

        Args:
            text: a string.

        Returns:
            A list of ids.
        """
        tokens = self.split(text)
        # Checking every token first would take twice as long.
        try:
            return [self._ids[token] for token in tokens]
        except KeyError as error:
            token, known = error.args[0], self.vocab_size - len(SPECIAL)
            raise ValueError(
                f"{self._KIND} {token!r} at position {tokens.index(token)} is not among the "
                f"{known} {self._KIND}s of the vocabulary"
            ) from None  # the KeyError says nothing more


class CharTokenizer(_Exact):
    """A text as its characters (Unicode code points).

    `decode(encode(text)) == text` for every text whose characters are all in the vocabulary.

    Args:
        tokens: the vocabulary, `["[PAD]", "[UNK]", character, character, ...]`.

    Example:
        >>> tokenizer = CharTokenizer.train(["hello"])
        >>> tokenizer.encode("hole")
        [3, 5, 4, 2]
        >>> tokenizer.decode([3, 5, 4, 2])
        'hole'
    """

    _BETWEEN, _KIND = "", "character"

    @classmethod
    def split(cls, text):
        """Splits a text into characters.

        Args:
            text: a string.

        Returns:
            A list of strings.
        """
        return list(_arguments.text(text))


class SplitTokenizer(_Exact):
    """A text whose tokens are separated by spaces, such as a story of `lmkit.stories`.

    `decode(encode(text)) == text` for every text with single spaces whose tokens are all in
    the vocabulary. Case and punctuation are kept.

    Args:
        tokens: the vocabulary, `["[PAD]", "[UNK]", token, token, ...]`.

    Example:
        >>> tokenizer = SplitTokenizer.train(["Mia ran to the lake . [END]"])
        >>> tokenizer.encode("the lake .")
        [7, 5, 2]
        >>> tokenizer.decode([7, 5, 2])
        'the lake .'
    """

    @classmethod
    def split(cls, text):
        """Splits a text at its spaces, line ends and tabs.

        Args:
            text: a string.

        Returns:
            A list of strings.
        """
        return _arguments.text(text).split()
