"""The block that a Transformer repeats: look at the others, then think about it."""

import keras
from keras import ops

from lmkit.layers._checks import check_size
from lmkit.layers.attention import MultiHeadSelfAttention


@keras.saving.register_keras_serializable("lmkit")
class TransformerBlock(keras.layers.Layer):
    """Attention and a small network, each on normalised input and added to what was there.

        x = x + attention(norm(x))
        x = x + network(norm(x))        network: Dense(ff_dim), GELU, Dense(embed_dim)

    Article E uses it and does not define it. Here it is GPT-2's.

    Args:
        embed_dim: channels of input and output.
        num_heads: heads of the attention; divides `embed_dim`.
        ff_dim: channels inside the small network; GPT-2 takes 4 times `embed_dim`.
        causal: True if no position may look at a later one. Article E leaves it out.
        dropout: the share of numbers that are dropped in training.
        num_layers: how many blocks the model stacks. The last matrix of each branch starts
            smaller the more there are, so that their sum does not grow.

    Call arguments:
        x: `(batch, time, embed_dim)`.
        attention_mask: boolean, of a shape that fits `(batch, heads, time, time)`; True = may.

    Returns:
        A tensor `(batch, time, embed_dim)`.

    Raises:
        ValueError: as `MultiHeadSelfAttention`, and for `ff_dim` or `num_layers` below 1.

    Example:
        >>> import numpy as np
        >>> tuple(TransformerBlock(embed_dim=8, num_heads=2, ff_dim=16)(np.ones((1, 5, 8))).shape)
        (1, 5, 8)

    Source: article E (004); Vaswani et al., 2017; Radford et al., 2019 (GPT-2).
    """

    def __init__(
        self, embed_dim, num_heads, ff_dim, causal=True, dropout=0.0, num_layers=1, **kwargs
    ):
        super().__init__(**kwargs)
        check_size("ff_dim", ff_dim)
        check_size("num_layers", num_layers)
        self.ff_dim, self.num_layers = ff_dim, num_layers
        small = keras.initializers.RandomNormal(stddev=0.02)
        last = keras.initializers.RandomNormal(stddev=0.02 / (2 * num_layers) ** 0.5)
        self.norm_1 = keras.layers.LayerNormalization(epsilon=1e-5, name="norm_1")
        self.attention = MultiHeadSelfAttention(
            embed_dim, num_heads, causal, dropout, last, name="attention"
        )
        self.norm_2 = keras.layers.LayerNormalization(epsilon=1e-5, name="norm_2")
        self.expand = keras.layers.Dense(
            ff_dim, activation=gelu, kernel_initializer=small, name="expand"
        )
        self.contract = keras.layers.Dense(embed_dim, kernel_initializer=last, name="contract")
        self.dropout = keras.layers.Dropout(dropout)

    def build(self, input_shape):
        """Makes the weights, those of the attention first: it refuses a wrong shape."""
        for layer in (self.attention, self.norm_1, self.norm_2, self.expand):
            layer.build(input_shape)
        self.contract.build((*input_shape[:-1], self.ff_dim))

    def call(self, x, attention_mask=None, training=None):
        """Both branches, one after the other."""
        seen = self.attention(self.norm_1(x), attention_mask, training=training)
        return self._think(x + self.dropout(seen, training=training), training)

    def step(self, x, cache, positions):
        """The same for a few new positions: see `MultiHeadSelfAttention.step`.

        Args:
            x: the new positions, `(batch, new, embed_dim)`.
            cache: this block's keys and values so far.
            positions: where the new ones stand, `(batch, new)`.

        Returns:
            The output at the new positions, `(batch, new, embed_dim)`, and the new cache.
        """
        seen, cache = self.attention.step(self.norm_1(x), cache, positions)
        return self._think(x + seen, training=False), cache

    def _think(self, x, training):
        thought = self.contract(self.expand(self.norm_2(x)))
        return x + self.dropout(thought, training=training)

    def get_config(self):
        """What is needed to build the layer again."""
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
    """GELU as GPT-2 computes it: x times nearly the normal distribution up to x.

    Args:
        x: numbers, any shape.

    Returns:
        0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))).

    Example:
        >>> import numpy as np
        >>> found = ops.convert_to_numpy(gelu(np.array([-1.0, 0.0, 1.0])))
        >>> found.astype("float64").round(4).tolist()
        [-0.1588, 0.0, 0.8412]

    Source: Hendrycks and Gimpel, 2016.
    """
    return ops.gelu(x, approximate=True)
