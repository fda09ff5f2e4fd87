"""Skip-gram with negative sampling on rows of running text."""

import keras
import numpy as np
from keras import ops

from lmkit import _arguments
from lmkit._arguments import IGNORE
from lmkit.vectors import WordVectors

BLOCK = 32  # words that are multiplied by their surroundings at once
SHARED = 16  # negatives that are drawn for a block
LAST = 2**31 - 1  # of int32, in whose whole numbers probabilities are kept


@keras.saving.register_keras_serializable("lmkit")
class SkipGram(keras.Model):
    """Learns two vectors for each word, by telling real neighbors from words drawn at random.

    A word and one of the words around it are a pair (i, j), with the score s = u_i . w_j. Its
    loss is `-log sigmoid(s) - sum over negatives n of log sigmoid(-u_i . w_n)`. `fit` needs
    rows of ids alone. It minimizes the sum over a batch's pairs, as word2vec does, and shows
    the mean per pair, which starts at (1 + negatives) log 2. A good start is
    `compile(keras.optimizers.Adagrad(0.1))`, with 16 rows of 512 places in a batch.

    Args:
        vocab_size: how many different ids there are; ids run from 0 to `vocab_size - 1`.
        embed_dim: how many numbers D a vector has.
        window: how many places from a word its neighbors are at most. A neighbor k places
            away counts `(window - k + 1) / window`: how often word2vec's random windows hold it.
        negatives: how many negatives there are per pair.
        noise: `(vocab,)`, in what proportion words are drawn as negatives, such as their
            counts to the power 0.75; None for all alike. A saved model keeps it.
        seed: of the first vectors and the negatives.
        **kwargs: as for every Keras model, such as `name`.

    Call arguments:
        ids: rows of running text, `(batch, time)`, IGNORE (-1) where there is no word. Rows
            know nothing of each other; inside a row, a gap of `window` places keeps texts
            apart (`lmkit.batches.packed`).

    Returns:
        The words' vectors u, `(batch, time, D)`.

    Attributes:
        inputs_table: the vectors u, `(vocab, D)`: the word vectors.
        outputs_table: the vectors w, `(vocab, D)`. A product u_i . w_j approaches the pointwise
            mutual information of i and j minus log(negatives), if noise is the words' shares.

    Example:
        >>> model = SkipGram(vocab_size=4, embed_dim=2, window=1, seed=0)
        >>> model.compile(optimizer=keras.optimizers.Adagrad(0.1))
        >>> history = model.fit(np.array([[0, 1, 0, 1, -1, 2, 3, 2]]), verbose=0)
        >>> round(history.history["loss"][0], 2), model.vectors(["a", "b", "c", "d"]).table.shape
        (4.16, (4, 2))

    Source: Mikolov et al., 2013; Levy and Goldberg, 2014 (what it approaches).
    """

    def __init__(
        self, vocab_size, embed_dim=100, window=5, negatives=5, noise=None, seed=None, **kwargs
    ):
        super().__init__(**kwargs)
        self.vocab_size = _arguments.whole("vocab_size", vocab_size)
        self.embed_dim = _arguments.whole("embed_dim", embed_dim)
        self.window = _arguments.whole("window", window)
        self.negatives = _arguments.whole("negatives", negatives)
        self.seed = seed
        self._draws = keras.random.SeedGenerator(seed)
        noise = self._cumulated(np.ones(self.vocab_size) if noise is None else noise)
        shape, small = (self.vocab_size, self.embed_dim), 0.5 / self.embed_dim
        # As word2vec begins: all scores are 0, and the words' vectors differ.
        uniform = keras.initializers.RandomUniform(-small, small, seed=seed)
        self.inputs_table = self.add_weight(shape=shape, initializer=uniform, name="inputs")
        self.outputs_table = self.add_weight(shape=shape, initializer="zeros", name="outputs")
        # A weight, so that a saved model has it; not in the config, where it would be text.
        self._noise = self.add_weight(
            shape=noise.shape, dtype="int32", initializer="zeros", trainable=False, name="noise"
        )
        self._noise.assign(noise)
        self.built = True
        # TensorFlow itself updates only the rows of a table that a batch has read. XLA, which
        # other backends need to be fast, would go over them one by one.
        self.supports_jit = keras.backend.backend() != "tensorflow"

    def _cumulated(self, noise):
        """Checks the noise and adds it up, for drawing: word i ends at the i-th number."""
        noise = _arguments.array("noise", noise, "float64")
        if noise.shape != (self.vocab_size,):
            wanted = f"({self.vocab_size},), one number for each word"
            raise ValueError(f"noise must have shape {wanted}, got {noise.shape}")
        if not np.isfinite(noise).all() or noise.min() < 0 or not noise.sum():
            raise ValueError("noise must be finite, nowhere below 0 and not 0 everywhere")
        sums = np.cumsum(noise)
        return np.round(sums / sums[-1] * LAST).astype("int32")

    def fit(self, x=None, *args, **kwargs):
        """Trains as `keras.Model.fit` does, on rows of ids; an array is checked first."""
        if isinstance(x, np.ndarray | list | tuple):
            x = _arguments.ids("rows", x, 2, self.vocab_size, ignore=True)
            if (x == IGNORE).all():
                raise ValueError("rows hold no word: every place is IGNORE (-1)")
        return super().fit(x, *args, **kwargs)

    def call(self, ids):
        """Looks the words' vectors up."""
        return ops.take(self.inputs_table, self._known(ids), axis=0)  # (B, T, D)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Computes the loss of the pairs in rows of ids `x`, whose vectors are `y_pred`."""
        time = x.shape[1]
        length = min(BLOCK, time)
        count = -(-time // length)  # blocks of a row
        behind = count * length - time
        places = np.arange(count)[:, None] * length + np.arange(length + 2 * self.window)
        # A row of ids for each block: its words and as many on either side as the window holds.
        padded = ops.pad(x, ((0, 0), (self.window, self.window + behind)), constant_values=IGNORE)
        around = ops.reshape(ops.take(padded, places, axis=1), (-1, places.shape[1]))  # (N, A)
        u = ops.pad(y_pred, ((0, 0), (0, behind), (0, 0))) if behind else y_pred
        u = ops.reshape(u, (-1, length, self.embed_dim))  # (N, L, D)
        weights = self._pair_weights(around, length)  # (N, L, A)
        per_word = ops.sum(weights, axis=2, keepdims=True)  # how many pairs a word has
        ids = ops.concatenate([self._known(around), self._negatives(around)], axis=1)
        w = ops.take(self.outputs_table, ids, axis=0)  # (N, A + S, D)
        scores = ops.matmul(u, ops.transpose(w, (0, 2, 1)))  # (N, L, A + S)
        real, drawn = scores[:, :, : places.shape[1]], scores[:, :, places.shape[1] :]
        # All words of a block meet the same SHARED negatives. Each loss counts so much that
        # it is `negatives` losses per pair; so the expectation is that of negatives per pair.
        total = ops.sum(weights * ops.softplus(-real))
        total += ops.sum(per_word * ops.softplus(drawn)) * (self.negatives / SHARED)
        mean = total / ops.maximum(ops.sum(per_word), 1e-6)
        # The value is the mean, the gradient that of the sum.
        return ops.stop_gradient(mean) + (total - ops.stop_gradient(total))

    def _pair_weights(self, around, length):
        """Tells how much each pair of a word of a block and a word around it counts."""
        places = np.arange(length + 2 * self.window) - self.window
        distance = np.abs(places - np.arange(length)[:, None])  # (L, A)
        near = (distance > 0) & (distance <= self.window)
        share = np.where(near, 1 - (distance - 1) / self.window, 0).astype("float32")
        # An id outside the vocabulary makes the loss NaN: compiled code cannot raise.
        there = ops.where(around < self.vocab_size, 1.0, float("nan"))
        there = ops.where(around == IGNORE, 0.0, ops.where(around >= 0, there, float("nan")))
        words = there[:, self.window : self.window + length]
        return ops.multiply(share, words[:, :, None] * there[:, None, :])

    def _negatives(self, around):
        """Draws SHARED words for each block, `(blocks, SHARED)`."""
        blocks = ops.shape(around)[0]
        drawn = keras.random.randint((blocks * SHARED,), 0, LAST, seed=self._draws)
        ids = ops.searchsorted(self._noise, drawn, side="right")
        return ops.cast(ops.reshape(ids, (blocks, SHARED)), around.dtype)

    def _known(self, ids):
        """Replaces what is no id of the vocabulary, which some backends would not look up."""
        return ops.clip(ids, 0, self.vocab_size - 1)

    def vectors(self, words):
        """Makes `WordVectors` of the inputs table.

        Args:
            words: a list of strings, the word of each id.
        """
        return WordVectors(words, self.inputs_table.numpy())

    def get_config(self):
        """Tells what is needed to build the model again."""
        names = "vocab_size embed_dim window negatives seed".split()
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
