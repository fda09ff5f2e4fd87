"""The block that a Transformer repeats: look at the others, then think about it."""

import keras
from keras import layers, ops

from lmkit import _arguments
from lmkit.layers.attention import MultiHeadSelfAttention


@keras.saving.register_keras_serializable("lmkit")
class TransformerBlock(layers.Layer):
    """Attention and a feed-forward network, each added to its input (pre-norm).

        x = x + attention(norm_1(x))
        x = x + contract(gelu(expand(norm_2(x))))

    Args:
        embed_dim: channels of input and output.
        num_heads: heads of the attention; divides `embed_dim`.
        ff_dim: channels inside the feed-forward network; GPT-2 takes 4 times `embed_dim`.
        causal: True if no position may look at a later one.
        dropout: the share of numbers that are dropped in training.
        num_layers: how many blocks the model stacks.

    Call arguments:
        x: `(batch, time, embed_dim)`.
        attention_mask: boolean, of a shape that fits `(batch, heads, time, time)`; True = may.

    Returns: a tensor `(batch, time, embed_dim)`.

    Example:
        >>> tuple(TransformerBlock(embed_dim=8, num_heads=2, ff_dim=16)(ops.ones((1, 5, 8))).shape)
        (1, 5, 8)

    Source: Vaswani et al., 2017; Radford et al., 2019 (GPT-2).
    """

    def __init__(
        self, embed_dim, num_heads, ff_dim, causal=True, dropout=0.0, num_layers=1, **kwargs
    ):
        super().__init__(**kwargs)
        self.ff_dim = _arguments.whole("ff_dim", ff_dim)
        self.num_layers = _arguments.whole("num_layers", num_layers)
        # Every branch adds to the same vectors. The more there are, the smaller each starts.
        normal, last = keras.initializers.RandomNormal, 0.02 / (2 * num_layers) ** 0.5
        # Keras gives a sublayer the global precision, not its layer's.
        dtype = self.dtype_policy
        self.norm_1 = layers.LayerNormalization(epsilon=1e-5, name="norm_1", dtype=dtype)
        self.attention = MultiHeadSelfAttention(
            embed_dim,
            num_heads,
            causal,
            dropout,
            normal(stddev=last),
            name="attention",
            dtype=dtype,
        )
        self.norm_2 = layers.LayerNormalization(epsilon=1e-5, name="norm_2", dtype=dtype)
        first, second = normal(stddev=0.02), normal(stddev=last)
        self.expand = layers.Dense(
            self.ff_dim, gelu, kernel_initializer=first, name="expand", dtype=dtype
        )
        self.contract = layers.Dense(
            self.attention.embed_dim, kernel_initializer=second, name="contract", dtype=dtype
        )
        self.dropout = layers.Dropout(dropout, dtype=dtype)

    def build(self, input_shape):
        """Makes the weights."""
        # The attention first, which refuses a wrong shape: nothing is left half built.
        for layer in (self.attention, self.norm_1, self.norm_2, self.expand):
            layer.build(input_shape)
        self.contract.build((*input_shape[:-1], self.ff_dim))

    def call(self, x, attention_mask=None, training=None):
        """Adds both branches, one after the other."""
        seen = self.attention(self.norm_1(x), attention_mask, training=training)  # (B, T, C)
        x = x + self.dropout(seen, training=training)  # the residual connection
        return x + self.dropout(self._think(x), training=training)

    def step(self, x, cache, read, mask):
        """Does the same for a few new positions: see `MultiHeadSelfAttention.step`."""
        x = ops.convert_to_tensor(x)
        # Only attention looks at other positions, so only attention has a cache.
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
        inner = self.attention.get_config()
        config = {name: inner[name] for name in ("embed_dim", "num_heads", "causal", "dropout")}
        return (
            super().get_config() | config | {"ff_dim": self.ff_dim, "num_layers": self.num_layers}
        )


@keras.saving.register_keras_serializable("lmkit")
def gelu(x):
    """Multiplies x by nearly the normal distribution function of x, as GPT-2 computes it.

    Args:
        x: numbers, any shape.

    Returns: 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))).

    Source: Hendrycks and Gimpel, 2016.
    """
    return ops.gelu(x, approximate=True)
