"""Positions: without them a Transformer cannot tell one order of words from another."""

import keras
import numpy as np
from keras import ops

from lmkit.layers._checks import check_size


def sinusoidal_positions(length, embed_dim):
    """Fixed vectors for positions: sines and cosines of slower and slower waves.

    Channel 2i of position t is sin(t / 10000^(2i / C)), channel 2i + 1 the cosine.

    Args:
        length: how many positions.
        embed_dim: how many channels C, an even number.

    Returns:
        A float32 array `(length, embed_dim)`.

    Raises:
        ValueError: if `embed_dim` is odd, or a size is not a whole number of at least 1.

    Example:
        >>> sinusoidal_positions(2, 2).round(4).tolist()  # sin 0, cos 0; sin 1, cos 1
        [[0.0, 1.0], [0.8414999842643738, 0.5403000116348267]]

    Source: Vaswani et al., 2017.
    """
    check_size("length", length)
    check_size("embed_dim", embed_dim)
    if embed_dim % 2:
        raise ValueError(f"embed_dim must be even, a sine and a cosine each, got {embed_dim}")
    waves = 10_000.0 ** (-np.arange(0, embed_dim, 2) / embed_dim)
    angles = np.arange(length)[:, None] * waves  # (T, C / 2)
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(length, -1).astype("float32")


def rotate(x, positions):
    """Turns each pair of channels by an angle that grows with the position.

    The product of two turned vectors depends on how far apart they stand, not on where.

    Args:
        x: queries or keys, `(..., time, channels)`, an even number of channels.
        positions: where each stands, `(time,)`.

    Returns:
        A tensor of x's shape; every vector keeps its length.

    Raises:
        ValueError: if the number of channels is odd, or there is not one position a vector.

    Example:
        >>> turned = rotate(np.array([[1.0, 0.0]]), np.array([1]))
        >>> np.asarray(ops.convert_to_numpy(turned), "float64").round(4).tolist()
        [[0.5403, 0.8415]]

    Source: Su et al., 2021 (rotary position embedding).
    """
    x, positions = ops.convert_to_tensor(x), ops.convert_to_tensor(positions)
    channels = x.shape[-1]
    if channels % 2:
        raise ValueError(f"channels are turned in pairs: their number must be even, got {channels}")
    if None not in (time := x.shape[-2:-1]) + (given := tuple(positions.shape)) and given != time:
        raise ValueError(f"{time[0]} vectors need as many positions, got shape {given}")
    waves = 10_000.0 ** (-np.arange(0, channels, 2) / channels)
    angles = ops.cast(positions, x.dtype)[:, None] * ops.cast(waves, x.dtype)
    even, odd = x[..., 0::2], x[..., 1::2]
    turned = [
        even * ops.cos(angles) - odd * ops.sin(angles),
        even * ops.sin(angles) + odd * ops.cos(angles),
    ]
    return ops.reshape(ops.stack(turned, axis=-1), ops.shape(x))


@keras.saving.register_keras_serializable("lmkit")
class LearnedPositions(keras.layers.Layer):
    """A vector for every position, learned like those of the words, as in GPT-2.

    Args:
        max_length: how many positions there are.
        embed_dim: how many numbers stand for one.

    Call arguments:
        positions: whole numbers from 0 to `max_length - 1`, any shape.

    Returns:
        Their vectors, `(..., embed_dim)`.

    Raises:
        ValueError: for a size below 1.

    Example:
        >>> tuple(LearnedPositions(max_length=4, embed_dim=2)(np.arange(3)).shape)
        (3, 2)

    Source: Radford et al., 2018 (GPT).
    """

    def __init__(self, max_length, embed_dim, **kwargs):
        super().__init__(**kwargs)
        check_size("max_length", max_length)
        check_size("embed_dim", embed_dim)
        self.max_length, self.embed_dim = max_length, embed_dim

    def build(self, input_shape):
        """Makes the table."""
        self.table = self.add_weight(
            name="table",
            shape=(self.max_length, self.embed_dim),
            initializer=keras.initializers.RandomNormal(stddev=0.02),
        )

    def call(self, positions):
        """Looks the positions up."""
        return ops.take(self.table, positions, axis=0)

    def get_config(self):
        """What is needed to build the layer again."""
        return {
            **super().get_config(),
            "max_length": self.max_length,
            "embed_dim": self.embed_dim,
        }
