"""Positions: without them a Transformer cannot tell one order of words from another."""

import keras
import numpy as np
from keras import ops

from lmkit import _arguments
from lmkit.layers._shapes import fits


def sinusoidal_positions(length, embed_dim):
    """Makes fixed vectors for positions: sines and cosines of slower and slower waves.

    Channel 2i of position t is sin(t / 10000^(2i / C)), channel 2i + 1 the cosine.

    Args:
        length: how many positions.
        embed_dim: how many channels C, an even number.

    Returns:
        A float32 array `(length, embed_dim)`.

    Example:
        >>> sinusoidal_positions(2, 2).round(4).tolist()  # sin 0, cos 0; sin 1, cos 1
        [[0.0, 1.0], [0.8414999842643738, 0.5403000116348267]]

    Source: Vaswani et al., 2017.
    """
    length = _arguments.whole("length", length)
    embed_dim = _arguments.whole("embed_dim", embed_dim)
    if embed_dim % 2:
        raise ValueError(f"embed_dim must be even, a sine and a cosine each, got {embed_dim}")
    angles = np.arange(length)[:, None] * _frequencies(embed_dim)  # (T, C / 2)
    # Sine and cosine of one wave stand side by side: (T, C / 2, 2) becomes (T, C).
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(length, -1).astype("float32")


def rotate(x, positions):
    """Turns each pair of channels by an angle that grows with the position.

    The product of two turned vectors depends on how far apart they stand, not on where.

    Args:
        x: queries or keys, `(..., time, channels)`, an even number of channels.
        positions: where each stands, `(time,)` or any shape that broadcasts to x's without
            the channels: `(batch, 1, time)` for x `(batch, heads, time, channels)`.

    Returns:
        A tensor of x's shape and dtype; every vector keeps its length.

    Raises: ValueError if the number of channels is odd, or the positions do not fit.

    Example:
        >>> turned = rotate(np.array([[1.0, 0.0]]), np.array([1]))
        >>> np.asarray(ops.convert_to_numpy(turned), "float64").round(4).tolist()
        [[0.5403, 0.8415]]

    Source: Su et al., 2021 (rotary position embedding).
    """
    x, positions = ops.convert_to_tensor(x), ops.convert_to_tensor(positions)
    if x.shape[-1] % 2:
        raise ValueError(f"rotate turns pairs: channels must be even, got {x.shape[-1]}")
    if not fits(positions.shape, x.shape[:-1]):
        wanted, got = tuple(x.shape[:-1]), tuple(positions.shape)
        raise ValueError(f"positions must fit {wanted}, x without its channels, got {got}")
    # bfloat16 counts 256, 256, 258: angles need at least float32, whatever x is.
    # Keras's result_type makes float32 of float64 and float32, except on TensorFlow.
    double = keras.backend.standardize_dtype(x.dtype) == "float64"
    dtype = "float64" if double else "float32"
    frequencies = ops.convert_to_tensor(_frequencies(x.shape[-1]), dtype)
    angles = ops.cast(positions, dtype)[..., None] * frequencies  # (..., T, C / 2)
    sin, cos = ops.sin(angles), ops.cos(angles)
    even, odd = ops.cast(x[..., 0::2], dtype), ops.cast(x[..., 1::2], dtype)
    turned = ops.stack([even * cos - odd * sin, even * sin + odd * cos], axis=-1)
    return ops.cast(ops.reshape(turned, ops.shape(x)), x.dtype)


def _frequencies(channels):
    return 10_000.0 ** (-np.arange(0, channels, 2) / channels)  # (C / 2,), from 1 down
