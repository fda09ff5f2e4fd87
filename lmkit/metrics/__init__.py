"""Measures that Keras does not have.

Accuracy, precision, recall and F1 are Keras's own: `keras.metrics.BinaryAccuracy`,
`Precision`, `Recall` and `F1Score`.
"""

from lmkit.metrics.labels import confusion_matrix, pair_accuracy
from lmkit.metrics.losses import BitsPerCharacter, Perplexity, score_tokens, token_losses

__all__ = [
    "BitsPerCharacter", "Perplexity", "confusion_matrix", "pair_accuracy", "score_tokens",
    "token_losses",
]  # fmt: skip
