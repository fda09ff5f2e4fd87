"""From text to ids and back: by words, by characters, by what spaces separate, by bytes.

`WordTokenizer`, `CharTokenizer` and `SplitTokenizer` reserve two ids: 0 for padding and 1 for
unknown tokens. To a `BytePairTokenizer` nothing is unknown.
"""

from lmkit.tokenizers._base import PAD_ID, UNKNOWN_ID
from lmkit.tokenizers.bpe import BytePairTokenizer
from lmkit.tokenizers.characters import CharTokenizer, SplitTokenizer
from lmkit.tokenizers.segment import segment
from lmkit.tokenizers.words import WordTokenizer

__all__ = [
    "PAD_ID", "UNKNOWN_ID", "BytePairTokenizer", "CharTokenizer", "SplitTokenizer",
    "WordTokenizer", "segment",
]  # fmt: skip
