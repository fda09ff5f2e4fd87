"""The documents' models, as they run today."""

import math
import numbers

import keras
from keras import layers, ops

from lmkit.checks import check_ids, check_real, check_whole
from lmkit.layers import LearnedPositions, TransformerBlock


def rnn_classifier(
    vocab_size=10_000, embed_dim=64, units=64, mask_zero=True, readout="last", dropout=0.0
):
    """Article A's review classifier: two recurrent layers that read a word at a time.

    Args:
        vocab_size: how many different ids there are; ids run from 0 to `vocab_size - 1`.
        embed_dim: how many numbers stand for a word.
        units: how many numbers each state holds.
        mask_zero: True to skip the padding id 0. Article A leaves it out; chapter 01
            shows what happens then.
        readout: "last" gives the classifier the last state (article A), "mean" the
            average of the states after every word.
        dropout: the share of numbers that are dropped in training, before each
            recurrent layer and before the classifier.

    Returns:
        A `keras.Model` from ids `(batch, time)`, any time, to the probability of
        label 1, `(batch, 1)`.

    Raises:
        ValueError: for a size below 1, a dropout outside [0, 1) or another readout.

    Example:
        >>> rnn_classifier(vocab_size=10, embed_dim=2, units=3).output_shape
        (None, 1)

    Source: article A (000). Built by hand in: chapters/01_rnn_classifier.ipynb
    """
    for name, size in (("vocab_size", vocab_size), ("embed_dim", embed_dim), ("units", units)):
        check_whole(name, size)
    if readout not in ("last", "mean"):
        raise ValueError(f'readout must be "last" or "mean", got {readout!r}')
    check_real("dropout", dropout, least=0, below=1)
    ids = keras.Input((None,), dtype="int32", name="ids")  # (B, T)
    x = layers.Embedding(vocab_size, embed_dim, mask_zero=mask_zero)(ids)  # (B, T, C)
    x = layers.Dropout(dropout)(x)
    x = layers.SimpleRNN(units, return_sequences=True)(x)  # (B, T, U)
    x = layers.Dropout(dropout)(x)
    x = layers.SimpleRNN(units, return_sequences=readout == "mean")(x)
    if readout == "mean":
        x = _mean_over_words(x, ops.not_equal(ids, 0) if mask_zero else None)  # (B, U)
    x = layers.Dropout(dropout)(x)
    probability = layers.Dense(1, activation="sigmoid")(x)  # (B, 1)
    return keras.Model(ids, probability, name="rnn_classifier")


_CELLS = {"lstm": layers.LSTM, "gru": layers.GRU, "simple": layers.SimpleRNN}


def lstm_lm(vocab_size, embed_dim=128, units=128, cell="lstm", dropout=0.0, gate_bias=None):
    """A language model that reads from left to right and says after every word what comes next.

    The padding id 0 is skipped: it moves no state. The loss must leave it out as well,
    `keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)`: the
    mask alone follows the inputs, so the padding after the last word would be a target.

    Args:
        vocab_size: how many different ids there are; ids run from 0 to `vocab_size - 1`.
        embed_dim: how many numbers stand for a word.
        units: how many numbers the state holds.
        cell: "lstm", or "gru" or "simple" to compare with, all else being equal.
        dropout: the share of numbers that are dropped in training, before the recurrent
            layer and before the last one.
        gate_bias: what the gate that keeps the state starts from: the LSTM's forget gate
            (Keras: 1) or the GRU's update gate (Keras: 0). At 3 it begins at
            sigmoid(3) = 0.95, nearly open. None for Keras's own start.

    Returns:
        A `keras.Model` from ids `(batch, time)`, any time, to logits
        `(batch, time, vocab)`: at position t for the id at t + 1.

    Raises:
        ValueError: for a size below 1, a dropout outside [0, 1), another cell, a
            `gate_bias` for a cell without gates, or one that is no number.

    Example:
        >>> lstm_lm(vocab_size=10, embed_dim=2, units=3).output_shape
        (None, None, 10)

    Source: articles B (001), C (002) and D (003).
    Built by hand in: chapters/02_lstm_language_model.ipynb
    """
    for name, size in (("vocab_size", vocab_size), ("embed_dim", embed_dim), ("units", units)):
        check_whole(name, size)
    check_real("dropout", dropout, least=0, below=1)
    if cell not in list(_CELLS):  # a list takes values that cannot be hashed, too
        raise ValueError(f'cell must be "lstm", "gru" or "simple", got {cell!r}')
    ids = keras.Input((None,), dtype="int32", name="ids")  # (B, T)
    x = layers.Embedding(vocab_size, embed_dim, mask_zero=True)(ids)  # (B, T, C)
    x = layers.Dropout(dropout)(x)
    recurrent = _CELLS[cell](units, return_sequences=True)
    x = recurrent(x)  # (B, T, U)
    if gate_bias is not None:
        _set_gate_bias(recurrent, cell, gate_bias)
    x = layers.Dropout(dropout)(x)
    logits = layers.Dense(vocab_size)(x)  # (B, T, V)
    return keras.Model(ids, logits, name=f"{cell}_lm")


@keras.saving.register_keras_serializable("lmkit")
class TransformerLM(keras.Model):
    """A Transformer language model: GPT-2's architecture at any size.

    Tokens and positions become vectors, `num_layers` blocks read them, and the table that
    made vectors of the tokens makes logits of the vectors again (tied embeddings). Padding
    stands on the right, where no earlier position can see it: leave it out of the loss.

    Args:
        vocab_size: how many different ids there are; ids run from 0 to `vocab_size - 1`.
        max_length: how many ids a text may have.
        embed_dim: how many numbers stand for a token.
        num_heads: heads of the attention; divides `embed_dim`.
        ff_dim: numbers inside each block's small network; GPT-2 takes 4 times `embed_dim`.
        num_layers: how many blocks.
        dropout: the share of numbers that are dropped in training.
        causal: False for a model that reads what it should predict: chapter 04 shows it.

    Call arguments:
        ids: `(batch, time)`, at most `max_length` long.

    Returns:
        Logits `(batch, time, vocab)`: at position t for the id at t + 1.

    Raises:
        ValueError: for sizes below 1, an `embed_dim` that the heads do not divide, a
            dropout outside [0, 1), ids that are not `(batch, time)`, or texts longer than
            `max_length`.
        TypeError: for ids that are not an array.

    Example:
        >>> model = TransformerLM(vocab_size=9, max_length=6, embed_dim=8, num_heads=2,
        ...                       ff_dim=16, num_layers=1)
        >>> tuple(model(ops.ones((1, 5), "int32")).shape)
        (1, 5, 9)

    Source: article E (004); Radford et al., 2019 (GPT-2); Press and Wolf, 2017 (tying).
    """

    def __init__(
        self,
        vocab_size,
        max_length,
        embed_dim,
        num_heads,
        ff_dim,
        num_layers,
        dropout=0.0,
        causal=True,
        **kwargs,
    ):
        super().__init__(**kwargs)
        check_whole("vocab_size", vocab_size)
        check_whole("num_layers", num_layers)
        check_real("dropout", dropout, least=0, below=1)
        self.sizes = {
            "vocab_size": vocab_size,
            "max_length": max_length,
            "embed_dim": embed_dim,
            "num_heads": num_heads,
            "ff_dim": ff_dim,
            "num_layers": num_layers,
            "dropout": dropout,
            "causal": causal,
        }
        small = keras.initializers.RandomNormal(stddev=0.02)
        self.tokens = layers.Embedding(vocab_size, embed_dim, small, name="tokens")
        self.positions = LearnedPositions(max_length, embed_dim, name="positions")
        self.dropout = layers.Dropout(dropout)
        self.blocks = [
            TransformerBlock(
                embed_dim, num_heads, ff_dim, causal, dropout, num_layers, name=f"block_{n}"
            )
            for n in range(num_layers)
        ]
        self.norm = layers.LayerNormalization(epsilon=1e-5, name="norm")

    def __call__(self, ids, *args, **kwargs):
        """Keras takes a list for several inputs, and says so; ids in a list are a slip."""
        if not hasattr(ids, "shape"):
            raise TypeError(f"ids must be an array (batch, time), got {type(ids).__name__}")
        return super().__call__(ids, *args, **kwargs)

    def build(self, input_shape):
        """Makes the weights."""
        _check_rank(input_shape)  # before the first weight: half a model cannot be built on
        hidden = (*input_shape, self.sizes["embed_dim"])
        self.tokens.build(input_shape)
        self.positions.build(input_shape)
        for layer in (*self.blocks, self.norm):
            layer.build(hidden)

    def call(self, ids, training=None):
        """Reads whole texts."""
        x = self._embed(ids, training)  # (B, T, C)
        for block in self.blocks:
            x = block(x, training=training)
        return self._logits(x)

    def attention_weights(self, ids):
        """Where every head of every block looks.

        Args:
            ids: `(batch, time)`.

        Returns:
            A list with a tensor `(batch, heads, time, time)` for each block.

        Raises:
            ValueError: for ids that the model does not have, or too many.
            TypeError: if they are not whole numbers.
        """
        x, weights = self._embed(check_ids(ids, self.sizes["vocab_size"]), False), []
        for block in self.blocks:
            weights.append(block.attention.weights_of(block.norm_1(x)))
            x = block(x, training=False)
        return weights

    def new_cache(self, batch, length=None):
        """Room for the keys and values of every block.

        Args:
            batch: how many texts.
            length: how many positions each may have, `max_length` if None.

        Returns:
            A list with a pair of tensors `(batch, heads, length, D)` for each block.
        """
        length = self.sizes["max_length"] if length is None else length
        return [block.attention.new_cache(batch, length) for block in self.blocks]

    def step(self, ids, positions, cache):
        """Reads the next few ids of texts that are in a cache; the others are not read again.

        Args:
            ids: `(batch, new)`.
            positions: where they stand in their texts, `(batch, new)`, below `max_length`.
            cache: from `new_cache` or from the step before.

        Returns:
            The logits after each of them, `(batch, new, vocab)`, and the new cache. Both
            as a call over the whole texts would give them.
        """
        x, after = self.tokens(ids) + self.positions(positions), []
        for block, pair in zip(self.blocks, cache, strict=True):
            x, pair = block.step(x, pair, positions)
            after.append(pair)
        return self._logits(x), after

    def _embed(self, ids, training):
        _check_rank(ids.shape)
        time, limit = ops.shape(ids)[1], self.sizes["max_length"]
        if isinstance(time, int) and time > limit:
            raise ValueError(f"the model reads at most {limit} ids (max_length), got {time}")
        x = self.tokens(ids) + self.positions(ops.arange(time))
        return self.dropout(x, training=training)

    def _logits(self, x):
        return ops.matmul(self.norm(x), ops.transpose(self.tokens.embeddings))  # (B, T, V)

    def get_config(self):
        """What is needed to build the model again."""
        return {**super().get_config(), **self.sizes}


def _check_rank(shape):
    if len(shape) != 2:
        raise ValueError(f"ids must be (batch, time), got shape {tuple(shape)}")


def compile_lm(model, learning_rate, steps, warmup=100, beta_2=0.98):
    """Prepares a language model for training, as all chapters from 02 on do it.

    The loss is the mean -log p of the tokens that are not padding. The optimizer is Adam.
    Its learning rate grows from 0 over the first steps, because Adam has seen few gradients
    then and knows their size badly, and shrinks along a cosine to 0 at the last one, because
    the last steps are to settle. A batch's gradient longer than 1 is cut to 1.

    Compile again before the next try if `fit` has failed, say of too long rows: on TensorFlow,
    Keras keeps the step that it could not finish, and answers right rows with puzzles.

    Args:
        model: a model from ids `(batch, time)` to logits `(batch, time, vocab)`.
        learning_rate: the largest one.
        steps: batches of the whole training.
        warmup: batches until it is reached; fewer than `steps`.
        beta_2: how slowly Adam forgets the size of past gradients, in [0, 1).

    Returns:
        The same model, compiled.

    Raises:
        TypeError: if the model is none.
        ValueError: if there are no more steps than warmup steps, the learning rate is not
            above 0, or `beta_2` not in [0, 1).

    Example:
        >>> model = compile_lm(lstm_lm(vocab_size=10), learning_rate=8e-3, steps=2_000)
        >>> model.compiled
        True

    Source: Kingma and Ba, 2015 (Adam); Loshchilov and Hutter, 2017 (cosine); Pascanu,
    Mikolov and Bengio, 2013 (cutting gradients).
    """
    check_whole("warmup", warmup, least=0)
    check_whole("steps", steps, least=warmup + 1)
    if not isinstance(learning_rate, numbers.Real) or not 0 < learning_rate < math.inf:
        raise ValueError(f"learning_rate must be above 0 and finite, got {learning_rate!r}")
    check_real("beta_2", beta_2, least=0, below=1)
    if not isinstance(model, keras.Model):
        raise TypeError(f"model must be a keras.Model, got {type(model).__name__}")
    if isinstance(model, TransformerLM) and not model.built:
        model.build((None, None))  # weights made in a step that fails would be lost with it
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, steps - warmup, warmup_target=learning_rate, warmup_steps=warmup
    )
    optimizer = keras.optimizers.Adam(rate, beta_2=beta_2, clipnorm=1.0)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
    model.compile(optimizer, loss, jit_compile=True)
    return model


def _set_gate_bias(layer, cell, gate_bias):
    # Keras's order of blocks: LSTM input, FORGET, candidate, output; GRU UPDATE, reset,
    # candidate, with a second row of biases for the recurrent side.
    if cell == "simple":
        raise ValueError(f"a SimpleRNN has no gate whose bias could be {gate_bias!r}")
    check_real("gate_bias", gate_bias)
    *weights, bias = layer.get_weights()
    kept = bias[layer.units : 2 * layer.units] if cell == "lstm" else bias[0, : layer.units]
    kept[:] = gate_bias
    layer.set_weights([*weights, bias])


def _mean_over_words(states, mask):
    """The mean state `(B, U)` where the mask is True; zeros where it never is.

    `GlobalAveragePooling1D` would divide by zero for a row that is all padding.
    """
    if mask is None:
        return ops.mean(states, axis=1)
    weights = ops.cast(mask, states.dtype)[..., None]  # (B, T, 1)
    return ops.sum(states * weights, axis=1) / ops.maximum(ops.sum(weights, axis=1), 1)


@keras.saving.register_keras_serializable("lmkit")
class BagOfWords(layers.Layer):
    """The score of a text as a sum of one number a word: order cannot matter.

    Adding up the numbers of the words that are there is the same as multiplying
    the vector of word counts with the vector of numbers, without building the counts.

    Args:
        vocab_size: how many different ids there are; the padding id 0 counts nothing.

    Call arguments:
        ids: `(batch, time)`.

    Returns:
        The scores, `(batch, 1)`.

    Example:
        >>> ops.shape(BagOfWords(10)(ops.array([[4, 7, 0], [7, 4, 0]])))
        (2, 1)

    Source: chapters/01_rnn_classifier.ipynb, the baseline.
    """

    def __init__(self, vocab_size, **kwargs):
        super().__init__(**kwargs)
        check_whole("vocab_size", vocab_size)
        self.vocab_size = vocab_size

    def build(self, input_shape):
        """Creates one number a word, and a bias."""
        self.w = self.add_weight(shape=(self.vocab_size,), initializer="zeros", name="w")
        self.b = self.add_weight(shape=(), initializer="zeros", name="b")

    def call(self, ids):
        """Ids `(B, T)` to scores `(B, 1)`."""
        is_word = ops.cast(ops.not_equal(ids, 0), self.w.dtype)  # (B, T)
        return ops.sum(ops.take(self.w, ids) * is_word, axis=1, keepdims=True) + self.b

    def get_config(self):
        """What is needed to build the layer again."""
        return {**super().get_config(), "vocab_size": self.vocab_size}


def bag_of_words_classifier(vocab_size=10_000):
    """Logistic regression on word counts, the honest baseline of chapter 01.

    Args:
        vocab_size: how many different ids there are; the padding id 0 counts nothing.

    Returns:
        A `keras.Model` from ids `(batch, time)` to the probability of label 1, `(batch, 1)`.

    Raises:
        ValueError: if `vocab_size` is not a positive whole number.

    Example:
        >>> bag_of_words_classifier(vocab_size=10).count_params()  # a number a word, one bias
        11

    Source: chapters/01_rnn_classifier.ipynb, the baseline.
    """
    ids = keras.Input((None,), dtype="int32", name="ids")  # (B, T)
    score = BagOfWords(vocab_size)(ids)  # (B, 1)
    return keras.Model(ids, ops.sigmoid(score), name="bag_of_words_classifier")
