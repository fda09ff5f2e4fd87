"""The models of the course."""

# First, because importing Keras imports this package (see lmkit/__init__.py).
import keras  # noqa: F401

from lmkit.models.classifiers import BagOfWords, bag_of_words_classifier, rnn_classifier
from lmkit.models.gpt import TransformerLM
from lmkit.models.recurrent import RecurrentLM
from lmkit.models.skip_gram import SkipGram

__all__ = [
    "BagOfWords", "RecurrentLM", "SkipGram", "TransformerLM", "bag_of_words_classifier",
    "rnn_classifier",
]  # fmt: skip
