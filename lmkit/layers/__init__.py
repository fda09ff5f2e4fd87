"""The layers of the course, one idea a file."""

from lmkit.layers.attention import (
    MultiHeadSelfAttention,
    attend,
    attention_weights,
    causal_mask,
    merge_heads,
    padding_mask,
    split_heads,
)
from lmkit.layers.positions import LearnedPositions, rotate, sinusoidal_positions
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
    "LSTM",
    "LSTMCell",
    "LearnedPositions",
    "MultiHeadSelfAttention",
    "SimpleRNN",
    "SimpleRNNCell",
    "TransformerBlock",
    "attend",
    "attention_weights",
    "causal_mask",
    "gelu",
    "lstm_step",
    "merge_heads",
    "padding_mask",
    "rotate",
    "simple_rnn_step",
    "sinusoidal_positions",
    "split_heads",
]
