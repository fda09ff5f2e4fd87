"""Attention: every position looks at the others and takes a weighted mean of them.

B is the batch, T the time, C the channels, H the heads, D = C / H the channels of a head.
The pure functions come first, the layer that holds the weights after them.
"""

import keras
from keras import ops

from lmkit import _arguments
from lmkit.layers._shapes import check_mask


def causal_mask(length):
    """Marks which position may look at which: at itself and at earlier ones.

    Args:
        length: how many positions there are.

    Returns: a boolean tensor `(length, length)`, row = who looks, column = at whom.

    Example:
        >>> ops.convert_to_numpy(causal_mask(3)).astype(int).tolist()
        [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
    """
    if not hasattr(length, "dtype"):  # inside compiled code it can be a tensor
        length = _arguments.whole("length", length)
    positions = ops.arange(length)
    return positions[:, None] >= positions[None, :]


def padding_mask(ids):
    """Marks which positions may be looked at: those that are not padding.

    Args:
        ids: `(batch, time)`, 0 is padding.

    Returns: a boolean tensor `(batch, 1, 1, time)`.

    Example:
        >>> ops.convert_to_numpy(padding_mask([[5, 7, 0]])).tolist()
        [[[[True, True, False]]]]
    """
    real = ops.not_equal(ops.convert_to_tensor(ids), 0)  # (B, T)
    return real[:, None, None, :]  # (B, H, T, T) broadcasts: all heads and queries alike


def attention_weights(queries, keys, mask=None):
    """Computes how much every query looks at every key: softmax(q k / sqrt(D)).

    Args:
        queries: `(..., queries, channels)`.
        keys: `(..., keys, channels)`.
        mask: boolean, of a shape that fits `(..., queries, keys)`; False gets weight 0. A
            query that may look at nothing gets equal weights: nobody should read it.

    Returns: weights `(..., queries, keys)`; every row is 0 or positive and sums to 1.

    Raises: TypeError if the mask is not boolean, ValueError if shapes do not fit.

    Example:
        >>> zero = ops.zeros((1, 2, 4))
        >>> ops.convert_to_numpy(attention_weights(zero, zero, causal_mask(2))).tolist()
        [[[1.0, 0.0], [0.5, 0.5]]]

    Source: Vaswani et al., 2017.
    """
    queries, keys = ops.convert_to_tensor(queries), ops.convert_to_tensor(keys)
    _check_equal("channels", queries=queries.shape[-1], keys=keys.shape[-1])
    # Divided before the product: the smaller tensor, and no large sums in float16.
    scores = ops.matmul(queries / queries.shape[-1] ** 0.5, ops.swapaxes(keys, -1, -2))
    if mask is not None:
        mask = check_mask(mask, scores.shape)
        # The dtype's lowest number. With minus infinity a row without any key would be NaN.
        half = keras.backend.standardize_dtype(scores.dtype) == "float16"
        scores = ops.where(mask, scores, -65504.0 if half else -3.38e38)
    return ops.softmax(scores, axis=-1)


def attend(queries, keys, values, mask=None):
    """Takes the mean of the values, weighted for every query by `attention_weights`.

    Args:
        queries: `(..., queries, channels)`.
        keys: `(..., keys, channels)`.
        values: `(..., keys, value_channels)`.
        mask: as for `attention_weights`.

    Returns: a tensor `(..., queries, value_channels)`.

    Source: Vaswani et al., 2017.
    """
    keys, values = ops.convert_to_tensor(keys), ops.convert_to_tensor(values)
    _check_equal("positions", keys=keys.shape[-2], values=values.shape[-2])
    return ops.matmul(attention_weights(queries, keys, mask), values)


def split_heads(x, num_heads):
    """Cuts the channels into heads.

    Args:
        x: `(batch, time, channels)`.
        num_heads: how many heads H; divides the channels.

    Returns: a tensor `(batch, heads, time, channels / H)`.

    Example:
        >>> ops.convert_to_numpy(split_heads([[[0, 1, 2, 3], [4, 5, 6, 7]]], 2)).tolist()
        [[[[0, 1], [4, 5]], [[2, 3], [6, 7]]]]
    """
    x, heads = ops.convert_to_tensor(x), _arguments.whole("num_heads", num_heads)
    if len(x.shape) != 3 or x.shape[-1] % heads:
        wanted, got = f"(batch, time, a multiple of {heads} channels)", tuple(x.shape)
        raise ValueError(f"x must be {wanted}, got {got}")
    batch, time, channels = ops.shape(x)
    x = ops.reshape(x, (batch, time, heads, channels // heads))  # (B, T, H, D)
    return ops.transpose(x, (0, 2, 1, 3))  # (B, H, T, D)


def merge_heads(x):
    """Puts the heads' channels side by side again: the inverse of `split_heads`.

    Args:
        x: `(batch, heads, time, channels of a head)`.

    Returns: a tensor `(batch, time, channels)`.
    """
    batch, heads, time, channels = ops.shape(x)
    return ops.reshape(ops.transpose(x, (0, 2, 1, 3)), (batch, time, heads * channels))


@keras.saving.register_keras_serializable("lmkit")
class MultiHeadSelfAttention(keras.layers.Layer):
    """Every position looks at the others with several heads, as in GPT-2.

    One matrix makes queries, keys and values, in this order; each head gets its part of
    the channels; a last matrix mixes the heads.

    Args:
        embed_dim: channels of the input and of the output.
        num_heads: how many heads; divides `embed_dim`.
        causal: True if no position may look at a later one.
        dropout: the share of attention weights that are dropped in training.
        output_initializer: how the last matrix starts; None for GPT-2's normal distribution
            with standard deviation 0.02.

    Call arguments:
        x: `(batch, time, embed_dim)`.
        attention_mask: boolean, of a shape that fits `(batch, heads, time, time)`, such as
            `padding_mask(ids)`; True = may be looked at.

    Returns: a tensor `(batch, time, embed_dim)`.

    Example:
        >>> tuple(MultiHeadSelfAttention(embed_dim=8, num_heads=2)(ops.ones((1, 5, 8))).shape)
        (1, 5, 8)

    Source: Vaswani et al., 2017; Radford et al., 2019 (GPT-2).
    """

    def __init__(
        self, embed_dim, num_heads, causal=True, dropout=0.0, output_initializer=None, **kwargs
    ):
        super().__init__(**kwargs)
        self.embed_dim = _arguments.whole("embed_dim", embed_dim)
        self.num_heads = _arguments.whole("num_heads", num_heads)
        if embed_dim % num_heads:
            got = f"{embed_dim} and {num_heads}"
            raise ValueError(f"embed_dim must be a multiple of num_heads, got {got}")
        self.causal = _arguments.flag("causal", causal)
        rate = _arguments.real("dropout", dropout, least=0, below=1)
        # One initializer each: used twice, it would draw the same numbers twice.
        first, last = (keras.initializers.RandomNormal(stddev=0.02) for _ in range(2))
        self.output_initializer = keras.initializers.get(output_initializer or last)
        # Keras gives a sublayer the global precision, not its layer's.
        dtype = self.dtype_policy
        self.qkv = keras.layers.Dense(
            3 * self.embed_dim, kernel_initializer=first, name="qkv", dtype=dtype
        )
        self.out = keras.layers.Dense(
            self.embed_dim, kernel_initializer=self.output_initializer, name="out", dtype=dtype
        )
        self.dropout = keras.layers.Dropout(rate, dtype=dtype)

    def build(self, input_shape):
        """Makes the weights."""
        if len(input_shape) != 3 or input_shape[-1] != self.embed_dim:
            got = tuple(input_shape)
            raise ValueError(f"the input must be (batch, time, {self.embed_dim}), got {got}")
        self.qkv.build(input_shape)
        self.out.build(input_shape)

    def call(self, x, attention_mask=None, training=None):
        """Looks, and mixes what the heads have seen."""
        queries, keys, values = self._heads(x)  # (B, H, T, D) each
        weights = attention_weights(queries, keys, self._mask(x, attention_mask))  # (B, H, T, T)
        seen = ops.matmul(self.dropout(weights, training=training), values)  # (B, H, T, D)
        return self.out(merge_heads(seen))

    def weights_of(self, x, attention_mask=None):
        """Computes with which weights every head looks: `(batch, heads, time, time)`."""
        queries, keys, _ = self._heads(x)
        return attention_weights(queries, keys, self._mask(x, attention_mask))

    def start(self, batch, length):
        """Makes an empty cache: keys and values `(batch, heads, length, D)`, all zeros."""
        shape = (batch, self.num_heads, length, self.embed_dim // self.num_heads)
        return ops.zeros(shape, self.compute_dtype), ops.zeros(shape, self.compute_dtype)

    def step(self, x, cache, read, mask):
        """Reads a few more positions; the keys and values of earlier ones are in a cache.

        Args:
            x: the new positions, `(batch, new, embed_dim)`.
            cache: from `start` or from the step before.
            read: how many positions are in the cache, a whole number.
            mask: which of its `length` positions may be looked at, `(batch, 1, new, length)`.

        Returns: what a call would give at those positions, and the new cache.
        """
        queries, keys, values = self._heads(x)  # (B, H, new, D) each
        place = [0, 0, read, 0]  # the same for all rows, so compiled code writes in place
        keys = ops.slice_update(cache[0], place, keys)  # (B, H, length, D)
        values = ops.slice_update(cache[1], place, values)
        return self.out(merge_heads(attend(queries, keys, values, mask))), (keys, values)

    def _heads(self, x):
        return [split_heads(part, self.num_heads) for part in ops.split(self.qkv(x), 3, axis=-1)]

    def _mask(self, x, mask):
        causal = causal_mask(ops.shape(x)[1]) if self.causal else None
        if causal is None or mask is None:
            return mask if causal is None else causal
        # Checked here as well, because logical_and takes numbers and widens shapes.
        mask = check_mask(mask, (x.shape[0], self.num_heads, x.shape[1], x.shape[1]))
        return ops.logical_and(causal, mask)

    def get_config(self):
        """Tells what is needed to build the layer again."""
        config = {name: getattr(self, name) for name in ("embed_dim", "num_heads", "causal")}
        output = keras.initializers.serialize(self.output_initializer)
        config |= {"dropout": self.dropout.rate, "output_initializer": output}
        return super().get_config() | config


def _check_equal(what, **sizes):
    (one, first), (other, second) = sizes.items()
    if None not in (first, second) and first != second:  # None: not known yet
        raise ValueError(f"{one} and {other} need equally many {what}, got {first} and {second}")
