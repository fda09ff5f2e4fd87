"""The layers of the course, one idea per file."""

# First, because importing Keras imports lmkit's models (see lmkit/__init__.py), and those need
# these layers: the import of a layer's file must not be half done by then.
import keras  # noqa: F401

from lmkit.layers.attention import (
    MultiHeadSelfAttention,
    attend,
    attention_weights,
    causal_mask,
    merge_heads,
    padding_mask,
    split_heads,
)
from lmkit.layers.embedding import TokenEmbedding
from lmkit.layers.positions import rotate, sinusoidal_positions
from lmkit.layers.recurrent import (
    LSTM,
    LSTMCell,
    SimpleRNN,
    SimpleRNNCell,
    lstm_step,
    simple_rnn_step,
)
from lmkit.layers.transformer import TransformerBlock, gelu

__all__ = [
    "LSTM", "LSTMCell", "MultiHeadSelfAttention", "SimpleRNN", "SimpleRNNCell", "TokenEmbedding",
    "TransformerBlock", "attend", "attention_weights", "causal_mask", "gelu", "lstm_step",
    "merge_heads", "padding_mask", "rotate", "simple_rnn_step", "sinusoidal_positions",
    "split_heads",
]  # fmt: skip
