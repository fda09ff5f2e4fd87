"""From text to ids and back: by words, by characters, or by what spaces separate.

Every tokenizer reserves two ids: 0 for padding and 1 for unknown tokens.
"""

from lmkit.tokenizers._base import PAD_ID, UNKNOWN_ID
from lmkit.tokenizers.characters import CharTokenizer, SplitTokenizer
from lmkit.tokenizers.words import WordTokenizer

__all__ = ["PAD_ID", "UNKNOWN_ID", "CharTokenizer", "SplitTokenizer", "WordTokenizer"]
