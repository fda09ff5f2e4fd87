"""Attention: every position looks at the others and takes a weighted mean of them.

B is the batch, T the time, C the channels, H the heads, D = C / H the channels of a head.
The pure functions come first, the layer that holds the weights after them.
"""

import numbers

import keras
from keras import ops

from lmkit.layers._checks import check_dropout, check_size


def causal_mask(length):
    """Which position may look at which: at itself and at those before it.

    Args:
        length: how many positions there are.

    Returns:
        A boolean tensor `(length, length)`, row = who looks, column = at whom; True = may.

    Raises:
        ValueError: if the length is not a whole number of at least 1.

    Example:
        >>> ops.convert_to_numpy(causal_mask(3)).astype(int).tolist()
        [[1, 0, 0], [1, 1, 0], [1, 1, 1]]

    Source: Vaswani et al., 2017.
    """
    if isinstance(length, numbers.Number | str):  # inside compiled code it can be a tensor
        check_size("length", length)
    positions = ops.arange(length)
    return positions[:, None] >= positions[None, :]


def padding_mask(ids):
    """Which positions may be looked at: those that are not padding.

    Args:
        ids: `(batch, time)`, 0 is padding.

    Returns:
        A boolean tensor `(batch, 1, 1, time)`, the same for every head and every looker.

    Example:
        >>> ops.convert_to_numpy(padding_mask([[5, 7, 0]])).tolist()
        [[[[True, True, False]]]]

    Source: Vaswani et al., 2017.
    """
    return ops.not_equal(ops.convert_to_tensor(ids), 0)[:, None, None, :]


def attention_weights(queries, keys, mask=None):
    """How much every query looks at every key: softmax(q k / sqrt(D)).

    Args:
        queries: `(..., queries, channels)`.
        keys: `(..., keys, channels)`.
        mask: boolean, of a shape that fits `(..., queries, keys)`; False gets weight 0.
            A query that may look at nothing gets equal weights for all: see to it that
            nobody reads it.

    Returns:
        Weights `(..., queries, keys)`; every row is positive or 0 and sums to 1.

    Raises:
        TypeError: if the mask is not boolean.
        ValueError: if its shape does not fit, or queries and keys differ in their channels.

    Example:
        >>> import numpy as np
        >>> q = k = np.zeros((1, 2, 4))
        >>> ops.convert_to_numpy(attention_weights(q, k, causal_mask(2))).tolist()
        [[[1.0, 0.0], [0.5, 0.5]]]

    Source: Vaswani et al., 2017.
    """
    queries, keys = ops.convert_to_tensor(queries), ops.convert_to_tensor(keys)
    _check_equal("channels", queries=queries.shape[-1:], keys=keys.shape[-1:])
    # Divided before the product: the smaller tensor, and no large sums in float16.
    queries = ops.divide(queries, ops.sqrt(ops.cast(queries.shape[-1], queries.dtype)))
    scores = ops.matmul(queries, ops.swapaxes(keys, -1, -2))
    if mask is not None:
        mask = _check_mask(mask, scores.shape)
        # Not minus infinity: a row without any key would be 0 / 0.
        scores = ops.where(mask, scores, ops.cast(-1e9, scores.dtype))
    return ops.softmax(scores, axis=-1)


def _check_equal(what, **sizes):
    (one, first), (other, second) = sizes.items()
    if None not in first + second and first != second:
        got = f"{first[0]} and {second[0]}"
        raise ValueError(f"{one} and {other} need equally many {what}, got {got}")


def _check_mask(mask, shape):
    mask = ops.convert_to_tensor(mask)
    dtype = keras.backend.standardize_dtype(mask.dtype)
    if dtype != "bool":
        raise TypeError(f"the mask must be boolean, True = may be looked at, got {dtype}")
    sizes = zip(reversed(mask.shape), reversed(shape), strict=False)
    if len(mask.shape) > len(shape) or any(
        one not in (1, other) for one, other in sizes if None not in (one, other)
    ):
        wanted, got = tuple(shape), tuple(mask.shape)
        raise ValueError(f"the mask must fit {wanted} (..., queries, keys), got {got}")
    return mask


def attend(queries, keys, values, mask=None):
    """The mean of the values, weighted for every query by `attention_weights`.

    Args:
        queries: `(..., queries, channels)`.
        keys: `(..., keys, channels)`.
        values: `(..., keys, value_channels)`.
        mask: boolean, of a shape that fits `(..., queries, keys)`.

    Returns:
        A tensor `(..., queries, value_channels)`.

    Raises:
        TypeError, ValueError: as `attention_weights`, and if there is not one value a key.

    Example:
        >>> import numpy as np
        >>> q = k = np.zeros((1, 2, 4))
        >>> ops.convert_to_numpy(attend(q, k, np.array([[[2.0], [4.0]]]), causal_mask(2))).tolist()
        [[[2.0], [3.0]]]

    Source: Vaswani et al., 2017.
    """
    keys, values = ops.convert_to_tensor(keys), ops.convert_to_tensor(values)
    _check_equal("positions", keys=keys.shape[-2:-1], values=values.shape[-2:-1])
    return ops.matmul(attention_weights(queries, keys, mask), values)


def split_heads(x, num_heads):
    """Cuts the channels into heads: `(batch, time, channels)` to `(batch, heads, time, D)`.

    Args:
        x: `(batch, time, channels)`.
        num_heads: how many heads; divides the channels.

    Returns:
        A tensor `(batch, heads, time, channels / heads)`.

    Raises:
        ValueError: for another rank, or heads that do not divide the channels.

    Example:
        >>> import numpy as np
        >>> ops.convert_to_numpy(split_heads(np.arange(8.0).reshape(1, 2, 4), 2)).tolist()
        [[[[0.0, 1.0], [4.0, 5.0]], [[2.0, 3.0], [6.0, 7.0]]]]

    Source: Vaswani et al., 2017.
    """
    x = ops.convert_to_tensor(x)
    check_size("num_heads", num_heads)
    if len(x.shape) != 3 or x.shape[-1] % num_heads:
        raise ValueError(
            f"x must be (batch, time, a multiple of {num_heads} channels), got {tuple(x.shape)}"
        )
    batch, time, channels = ops.shape(x)
    x = ops.reshape(x, (batch, time, num_heads, channels // num_heads))
    return ops.transpose(x, (0, 2, 1, 3))  # (B, H, T, D)


def merge_heads(x):
    """Puts the heads' channels side by side again: the inverse of `split_heads`.

    Args:
        x: `(batch, heads, time, channels of a head)`.

    Returns:
        A tensor `(batch, time, heads * channels of a head)`.

    Example:
        >>> x = ops.reshape(ops.arange(8.0), (1, 2, 4))
        >>> bool(ops.all(merge_heads(split_heads(x, 2)) == x))
        True

    Source: Vaswani et al., 2017.
    """
    batch, heads, time, channels = ops.shape(x)
    return ops.reshape(ops.transpose(x, (0, 2, 1, 3)), (batch, time, heads * channels))


@keras.saving.register_keras_serializable("lmkit")
class MultiHeadSelfAttention(keras.layers.Layer):
    """Every position looks at the others with several heads, as GPT-2 does it.

    One matrix makes queries, keys and values, in this order; each head gets its part of
    the channels; a last matrix mixes the heads.

    Args:
        embed_dim: channels of the input and of the output.
        num_heads: how many heads; divides `embed_dim`.
        causal: True if no position may look at a later one.
        dropout: the share of weights that are dropped in training.
        output_initializer: where the last matrix starts, GPT-2's 0.02 if None.

    Call arguments:
        x: `(batch, time, embed_dim)`.
        attention_mask: boolean, of a shape that fits `(batch, heads, time, time)`, such as
            `padding_mask(ids)`; True = may be looked at.

    Returns:
        A tensor `(batch, time, embed_dim)`.

    Raises:
        ValueError: for sizes below 1, an `embed_dim` that the heads do not divide, a
            dropout outside [0, 1), or an input that is not `(batch, time, embed_dim)`.

    Example:
        >>> import numpy as np
        >>> tuple(MultiHeadSelfAttention(embed_dim=8, num_heads=2)(np.ones((1, 5, 8))).shape)
        (1, 5, 8)

    Source: Vaswani et al., 2017; Radford et al., 2019 (GPT-2).
    """

    def __init__(
        self,
        embed_dim,
        num_heads,
        causal=True,
        dropout=0.0,
        output_initializer=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        check_size("embed_dim", embed_dim)
        check_size("num_heads", num_heads)
        if embed_dim % num_heads:
            raise ValueError(
                f"embed_dim must be a multiple of num_heads, got {embed_dim} and {num_heads}"
            )
        check_dropout(dropout)
        self.embed_dim, self.num_heads, self.causal = embed_dim, num_heads, causal
        self.rate = dropout
        small = keras.initializers.RandomNormal(stddev=0.02)
        self.output_initializer = keras.initializers.get(output_initializer or small)
        self.qkv = keras.layers.Dense(3 * embed_dim, kernel_initializer=small, name="qkv")
        self.out = keras.layers.Dense(
            embed_dim, kernel_initializer=self.output_initializer, name="out"
        )
        self.dropout = keras.layers.Dropout(dropout)

    def build(self, input_shape):
        """Makes the weights."""
        if len(input_shape) != 3 or input_shape[-1] != self.embed_dim:
            raise ValueError(
                f"the input must be (batch, time, {self.embed_dim}), got {tuple(input_shape)}"
            )
        self.qkv.build(input_shape)
        self.out.build(input_shape)

    def call(self, x, attention_mask=None, training=None):
        """Looks, and mixes what it has seen."""
        queries, keys, values = self._heads(x)
        weights = attention_weights(queries, keys, self._mask(x, attention_mask))  # (B, H, T, T)
        seen = ops.matmul(self.dropout(weights, training=training), values)  # (B, H, T, D)
        return self.out(merge_heads(seen))

    def weights_of(self, x, attention_mask=None):
        """The weights with which every head of every position looks.

        Args:
            x: `(batch, time, embed_dim)`.
            attention_mask: as in a call.

        Returns:
            Weights `(batch, heads, time, time)`, row = who looks.
        """
        queries, keys, _ = self._heads(x)
        return attention_weights(queries, keys, self._mask(x, attention_mask))

    def step(self, x, cache, positions):
        """Reads a few more positions of texts whose keys and values are in a cache.

        Args:
            x: the new positions, `(batch, new, embed_dim)`.
            cache: keys and values so far, `(batch, heads, length, D)` each, as from
                `new_cache`.
            positions: where the new ones stand in their texts, `(batch, new)`.

        Returns:
            What a call would give at those positions, `(batch, new, embed_dim)`, and the
            new cache.
        """
        queries, keys, values = self._heads(x)  # (B, H, S, D)
        positions = ops.cast(positions, "int32")
        slots = ops.arange(cache[0].shape[2], dtype="int32")
        here = ops.cast(slots[None, None, :] == positions[:, :, None], x.dtype)  # (B, S, L)
        written = ops.sum(here, axis=1)[:, None, :, None] > 0  # (B, 1, L, 1)
        cache = tuple(
            ops.where(written, ops.einsum("bsl,bhsd->bhld", here, new), old)
            for old, new in zip(cache, (keys, values), strict=True)
        )
        may = slots[None, None, None, :] <= positions[:, None, :, None]  # (B, 1, S, L)
        return self.out(merge_heads(attend(queries, *cache, may))), cache

    def new_cache(self, batch, length):
        """An empty cache: zeros for the keys and values of `length` positions.

        Args:
            batch: how many texts.
            length: how many positions each may have.

        Returns:
            Two tensors `(batch, heads, length, D)`.
        """
        shape = (batch, self.num_heads, length, self.embed_dim // self.num_heads)
        return ops.zeros(shape, self.compute_dtype), ops.zeros(shape, self.compute_dtype)

    def _heads(self, x):
        queries, keys, values = ops.split(self.qkv(x), 3, axis=-1)  # (B, T, C) each
        return [split_heads(part, self.num_heads) for part in (queries, keys, values)]

    def _mask(self, x, mask):
        if not self.causal:
            return mask
        causal = causal_mask(ops.shape(x)[1])
        if mask is None:
            return causal
        batch, time, _ = x.shape
        return ops.logical_and(causal, _check_mask(mask, (batch, self.num_heads, time, time)))

    def get_config(self):
        """What is needed to build the layer again."""
        return {
            **super().get_config(),
            "embed_dim": self.embed_dim,
            "num_heads": self.num_heads,
            "causal": self.causal,
            "dropout": self.rate,
            "output_initializer": keras.initializers.serialize(self.output_initializer),
        }
