"""Texts as words."""

import functools
import re
import unicodedata

from lmkit import _arguments
from lmkit.tokenizers._base import SPECIAL, UNKNOWN_ID, Tokenizer

# Scripts without spaces in which a character is about a word: Han, with its repetition marks,
# and the Japanese syllables.
_SINGLE = (
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f"
    "\U0001aff0-\U0001b16f\U00020000-\U0003ffff"
)


class WordTokenizer(Tokenizer):
    """A text as its words, in lower case and without punctuation.

    A word is a run of letters and digits of any script. Combining marks belong to their
    letter, apostrophes and zero-width joiners inside a word to the word. Every Han or Kana
    character is a word. Thai and other scripts without spaces are not segmented: a whole
    clause is one word.

    Args:
        tokens: the vocabulary, `["[PAD]", "[UNK]", word, word, ...]`.

    Example:
        >>> tokenizer = WordTokenizer.train(["A warm film.", "A dull film."])
        >>> tokenizer.encode("A splendid film!")  # 1 is the unknown word
        [2, 1, 3]
        >>> tokenizer.decode([2, 1, 3])
        'a [UNK] film'
    """

    @classmethod
    def train(cls, texts, vocab_size=10_000):
        """Makes a vocabulary of the most frequent words, the most frequent first.

        Args:
            texts: strings. Give only the training texts: a vocabulary that has seen the
                test texts makes their score too good.
            vocab_size: how many ids at most, padding and unknown included.

        Returns:
            The tokenizer.
        """
        counts = cls._count(texts, vocab_size)
        # Ties in alphabetical order, so that the order of the texts does not matter.
        ordered = sorted(counts, key=lambda word: (-counts[word], word))
        return cls([*SPECIAL, *ordered[: vocab_size - 2]])

    @classmethod
    def split(cls, text):
        """Finds the words of a text, in order.

        Args:
            text: a string.

        Returns:
            A list of strings in lower case and in Unicode's composed form (NFC).

        Example:
            >>> WordTokenizer.split("It wasn't dull, NOT at all!")
            ['it', "wasn't", 'dull', 'not', 'at', 'all']
        """
        # Composed, because é can be written as one code point or as two.
        text = unicodedata.normalize("NFC", _arguments.text(text).lower())
        marked = not text.isascii() and any(map(_is_mark, set(text)))
        return (_pattern(_all_marks()) if marked else _pattern()).findall(text)

    def encode(self, text):
        """Looks up the ids of a text's words; an unknown word is 1.

        Args:
            text: a string.

        Returns:
            A list of ids, empty for a text without a word.
        """
        return [self._ids.get(word, UNKNOWN_ID) for word in self.split(text)]


@functools.cache
def _pattern(marks=""):
    """Compiles the pattern of a word. The one without marks is several times faster."""
    marks = f"[{marks}]*" if marks else ""
    letter = rf"[^\W_{_SINGLE}]"
    part = f"(?:{letter}{marks})+" if marks else f"{letter}+"
    # As in "didn't", and the joiners inside words of Persian and the scripts of India.
    return re.compile(rf"(?=\w)[{_SINGLE}]{marks}|{part}(?:['’\u200c\u200d]{part})*")


@functools.cache
def _all_marks():
    """Lists all combining marks: below 0x20000, and the selectors of variants of Han characters."""
    return "".join(filter(_is_mark, map(chr, range(0x20000)))) + "\U000e0100-\U000e01ef"


def _is_mark(character):
    return unicodedata.category(character)[0] == "M"
