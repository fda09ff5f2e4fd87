"""From text to ids and back: by word, by character, or at the blanks.

Every tokenizer keeps two ids free: 0 for padding and 1 for tokens that it does not know.
"""

from lmkit.tokenizers._base import PAD_ID, UNKNOWN_ID
from lmkit.tokenizers.characters import CharTokenizer, SplitTokenizer
from lmkit.tokenizers.words import WordTokenizer

__all__ = ["PAD_ID", "UNKNOWN_ID", "CharTokenizer", "SplitTokenizer", "WordTokenizer"]
