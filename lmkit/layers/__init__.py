"""The layers of the course, one idea a file."""

from lmkit.layers.recurrent import SimpleRNN, SimpleRNNCell, simple_rnn_step

__all__ = ["SimpleRNN", "SimpleRNNCell", "simple_rnn_step"]
