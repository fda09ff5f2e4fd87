"""Two classifiers of texts: one that reads word by word, and one that only counts words."""

import keras
from keras import layers, ops

from lmkit import _arguments
from lmkit.layers.embedding import TokenEmbedding, is_inside


def rnn_classifier(
    vocab_size=10_000, embed_dim=64, units=64, *, mask_zero=True, readout="last", dropout=0.0
):
    """Builds a classifier of texts: two recurrent layers that read a word at a time.

    Args:
        vocab_size: how many different ids there are; ids run from 0 to `vocab_size - 1`.
        embed_dim: how many numbers stand for a word.
        units: how many numbers each state holds.
        mask_zero: True to skip the padding id 0.
        readout: "last" gives the classifier the last state, "mean" the average of the
            states after every word.
        dropout: the share of numbers that are dropped in training, before each recurrent
            layer and before the classifier.

    Returns:
        A `keras.Model` from ids `(batch, time)`, any time, to the probability of
        label 1, `(batch, 1)`.

    Example:
        >>> rnn_classifier(vocab_size=10, embed_dim=2, units=3).output_shape
        (None, 1)
    """
    vocab_size = _arguments.whole("vocab_size", vocab_size)
    embed_dim = _arguments.whole("embed_dim", embed_dim)
    units = _arguments.whole("units", units)
    mask_zero = _arguments.flag("mask_zero", mask_zero)
    _arguments.choice("readout", readout, ["last", "mean"])
    dropout = _arguments.real("dropout", dropout, least=0, below=1)
    ids = keras.Input((None,), dtype="int32", name="ids")  # (B, T)
    x = TokenEmbedding(vocab_size, embed_dim, mask_zero=mask_zero)(ids)  # (B, T, C)
    x = layers.Dropout(dropout)(x)
    x = layers.SimpleRNN(units, return_sequences=True)(x)  # (B, T, U)
    x = layers.Dropout(dropout)(x)
    x = layers.SimpleRNN(units, return_sequences=readout == "mean")(x)
    if readout == "mean":
        x = _mean_over_words(x, ops.not_equal(ids, 0) if mask_zero else None)  # (B, U)
    x = layers.Dropout(dropout)(x)
    probability = layers.Dense(1, activation="sigmoid")(x)  # (B, 1)
    return keras.Model(ids, probability, name="rnn_classifier")


def _mean_over_words(states, mask):
    """Takes the mean state `(B, U)` where the mask is True; zeros where it never is."""
    if mask is None:
        return ops.mean(states, axis=1)
    weights = ops.cast(mask, states.dtype)[..., None]  # (B, T, 1)
    # GlobalAveragePooling1D would divide by zero for a row that is all padding.
    return ops.sum(states * weights, axis=1) / ops.maximum(ops.sum(weights, axis=1), 1)


def bag_of_words_classifier(vocab_size=10_000):
    """Builds logistic regression on word counts, the baseline that knows no order.

    Args:
        vocab_size: how many different ids there are; the padding id 0 counts nothing.

    Returns:
        A `keras.Model` from ids `(batch, time)` to the probability of label 1, `(batch, 1)`.

    Example:
        >>> bag_of_words_classifier(vocab_size=10).count_params()  # one per word, one bias
        11
    """
    ids = keras.Input((None,), dtype="int32", name="ids")  # (B, T)
    score = BagOfWords(vocab_size)(ids)  # (B, 1)
    return keras.Model(ids, ops.sigmoid(score), name="bag_of_words_classifier")


@keras.saving.register_keras_serializable("lmkit")
class BagOfWords(layers.Layer):
    """The score of a text as a sum of one number per word: order cannot matter.

    Args:
        vocab_size: how many different ids there are; the padding id 0 counts nothing.

    Call arguments:
        ids: `(batch, time)`.

    Returns:
        The scores, `(batch, 1)`.

    Example:
        >>> ops.shape(BagOfWords(10)(ops.array([[4, 7, 0], [7, 4, 0]])))
        (2, 1)
    """

    def __init__(self, vocab_size, **kwargs):
        super().__init__(**kwargs)
        self.vocab_size = _arguments.whole("vocab_size", vocab_size)

    def build(self, input_shape):
        """Makes one number per word, and a bias."""
        self.w = self.add_weight(shape=(self.vocab_size,), initializer="zeros", name="w")
        self.b = self.add_weight(shape=(), initializer="zeros", name="b")

    def call(self, ids):
        """Adds up the numbers of the words that are there."""
        # The same as word counts times numbers, without a table of counts (B, V).
        inside = is_inside(ids, self.vocab_size)
        numbers = ops.take(self.w, ops.where(inside, ids, 0))  # (B, T)
        numbers = ops.where(inside, numbers, float("nan"))  # see TokenEmbedding
        is_word = ops.cast(ops.not_equal(ids, 0), numbers.dtype)
        return ops.sum(numbers * is_word, axis=1, keepdims=True) + self.b  # (B, 1)

    def get_config(self):
        """Tells what is needed to build the layer again."""
        return {**super().get_config(), "vocab_size": self.vocab_size}
