"""The block that a Transformer repeats: look at the others, then think about it."""

import keras
from keras import ops

from lmkit import _arguments
from lmkit.layers.attention import MultiHeadSelfAttention


@keras.saving.register_keras_serializable("lmkit")
class TransformerBlock(keras.layers.Layer):
    """Attention and a feed-forward network, each added to its input (pre-norm).

        x = x + attention(norm_1(x))
        x = x + contract(gelu(expand(norm_2(x))))

    Args:
        embed_dim: channels of input and output.
        num_heads: heads of the attention; divides `embed_dim`.
        ff_dim: channels inside the feed-forward network; GPT-2 takes 4 times `embed_dim`.
        causal: True if no position may look at a later one.
        dropout: the share of numbers that are dropped in training.
        num_layers: how many blocks the model stacks. The last matrix of each branch starts
            smaller the more there are, so that their sum does not grow.

    Call arguments:
        x: `(batch, time, embed_dim)`.
        attention_mask: boolean, of a shape that fits `(batch, heads, time, time)`; True = may.

    Returns:
        A tensor `(batch, time, embed_dim)`.

    Example:
        >>> import numpy as np
        >>> tuple(TransformerBlock(embed_dim=8, num_heads=2, ff_dim=16)(np.ones((1, 5, 8))).shape)
        (1, 5, 8)

    Source: Vaswani et al., 2017; Radford et al., 2019 (GPT-2).
    """

    def __init__(
        self, embed_dim, num_heads, ff_dim, causal=True, dropout=0.0, num_layers=1, **kwargs
    ):
        super().__init__(**kwargs)
        self.ff_dim = _arguments.whole("ff_dim", ff_dim)
        self.num_layers = _arguments.whole("num_layers", num_layers)
        normal, last = keras.initializers.RandomNormal, 0.02 / (2 * num_layers) ** 0.5
        precision = {"dtype": self.dtype_policy}
        self.norm_1 = keras.layers.LayerNormalization(epsilon=1e-5, name="norm_1", **precision)
        self.attention = MultiHeadSelfAttention(
            embed_dim, num_heads, causal, dropout, normal(stddev=last), name="attention", **precision
        )
        self.norm_2 = keras.layers.LayerNormalization(epsilon=1e-5, name="norm_2", **precision)
        self.expand = keras.layers.Dense(
            self.ff_dim, gelu, kernel_initializer=normal(stddev=0.02), name="expand", **precision
        )
        self.contract = keras.layers.Dense(
            self.attention.embed_dim, kernel_initializer=normal(stddev=last), name="contract",
            **precision,
        )  # fmt: skip
        self.dropout = keras.layers.Dropout(dropout, **precision)

    def build(self, input_shape):
        """Makes the weights, those of the attention first: it refuses a wrong shape."""
        for layer in (self.attention, self.norm_1, self.norm_2, self.expand):
            layer.build(input_shape)
        self.contract.build((*input_shape[:-1], self.ff_dim))

    def call(self, x, attention_mask=None, training=None):
        """Adds both branches, one after the other."""
        seen = self.attention(self.norm_1(x), attention_mask, training=training)
        x = x + self.dropout(seen, training=training)
        return x + self.dropout(self._think(x), training=training)

    def step(self, x, cache, read, mask):
        """Does the same for a few new positions: see `MultiHeadSelfAttention.step`."""
        seen, cache = self.attention.step(self.norm_1(x), cache, read, mask)
        x = x + seen
        return x + self._think(x), cache

    def _think(self, x):
        return self.contract(self.expand(self.norm_2(x)))  # (B, T, C), inside (B, T, ff_dim)

    def compute_output_shape(self, input_shape):
        """Tells the shape of the output, for `summary()`."""
        return input_shape

    def get_config(self):
        """Tells what is needed to build the layer again."""
        attention = self.attention
        return {
            **super().get_config(),
            "embed_dim": attention.embed_dim,
            "num_heads": attention.num_heads,
            "ff_dim": self.ff_dim,
            "causal": attention.causal,
            "dropout": attention.rate,
            "num_layers": self.num_layers,
        }


@keras.saving.register_keras_serializable("lmkit")
def gelu(x):
    """Multiplies x by nearly the normal distribution function of x, as GPT-2 computes it.

    Args:
        x: numbers, any shape.

    Returns:
        0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))).

    Source: Hendrycks and Gimpel, 2016.
    """
    return ops.gelu(x, approximate=True)
