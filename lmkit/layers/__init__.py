"""The layers of the course, one idea a file."""

from lmkit.layers.recurrent import (
    LSTM,
    LSTMCell,
    SimpleRNN,
    SimpleRNNCell,
    lstm_step,
    simple_rnn_step,
)

__all__ = ["LSTM", "LSTMCell", "SimpleRNN", "SimpleRNNCell", "lstm_step", "simple_rnn_step"]
