"""Recurrent layers, written from the documents' formulas.

B is the batch, T the time, C the channels of one input, U the units of the state.
The pure steps come first, then the cells that hold their weights, then the layers.
"""

import keras
from keras import ops

from lmkit.layers._checks import check_size


def simple_rnn_step(x, h, W, U, b, activation=ops.tanh):
    """One step of the recurrence: h_t = f(W x_t + U h_{t-1} + b).

    Written for a batch, so the vectors are rows and stand left of the matrices.

    Args:
        x: the inputs of this step, `(batch, channels)`.
        h: the states after the step before, `(batch, units)`.
        W: the input weights, `(channels, units)`.
        U: the recurrent weights, `(units, units)`.
        b: the bias, `(units,)`.
        activation: the function f, from numbers to numbers.

    Returns:
        The new states, `(batch, units)`.

    Example:
        >>> import numpy as np
        >>> one = np.ones((1, 1))
        >>> float(simple_rnn_step(one, one, one, one, np.zeros(1))[0, 0])  # tanh(1 + 1)
        0.9640275...

    Source: article D (003); Elman, "Finding Structure in Time", 1990.
    Built by hand in: chapters/01_rnn_classifier.ipynb
    """
    return activation(ops.matmul(x, W) + ops.matmul(h, U) + b)


def lstm_step(x, h, c, W, U, b):
    """One step of the LSTM: the old memory is weakened, new memory is added to it.

    Four blocks of `units` columns stand side by side in W, U and b, in Keras's order:
    input gate i, forget gate f, candidate g (Keras calls it c), output gate o.

        i, f, o = sigmoid(...)    g = tanh(...)    each of  W x_t + U h_{t-1} + b
        c_t = f * c_{t-1} + i * g
        h_t = o * tanh(c_t)

    Args:
        x: the inputs of this step, `(batch, channels)`.
        h: the states after the step before, `(batch, units)`.
        c: the memory after the step before, `(batch, units)`.
        W: the input weights, `(channels, 4 * units)`.
        U: the recurrent weights, `(units, 4 * units)`.
        b: the bias, `(4 * units,)`.

    Returns:
        The new states and the new memory, `(batch, units)` each.

    Example:
        >>> import numpy as np
        >>> zero = np.zeros((1, 1))  # all gates half open, and nothing new to remember
        >>> h, c = lstm_step(zero, zero, zero + 2, np.zeros((1, 4)), np.zeros((1, 4)), np.zeros(4))
        >>> float(c[0, 0]), float(h[0, 0])  # 1/2 of 2, and 1/2 of tanh(1)
        (1.0, 0.3807970...)

    Source: articles B (001) and C (002); Hochreiter and Schmidhuber, 1997; Gers,
        Schmidhuber and Cummins, 2000 (the forget gate).
    Built by hand in: chapters/02_lstm_language_model.ipynb
    """
    i, f, g, o = ops.split(ops.matmul(x, W) + ops.matmul(h, U) + b, 4, axis=-1)  # (B, U) each
    c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
    return ops.sigmoid(o) * ops.tanh(c), c


class _Cell(keras.layers.Layer):
    """What the cells share: W, U and b, with one block of `units` columns a gate."""

    _GATES = 1

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        check_size("units", units)
        self.units = self.state_size = self.output_size = units

    def build(self, input_shape):
        """Creates W, U and b with Keras's own starting values."""
        columns = self._GATES * self.units
        self.W = self.add_weight((input_shape[-1], columns), "glorot_uniform", name="W")
        self.U = self.add_weight((self.units, columns), "orthogonal", name="U")
        self.b = self.add_weight((columns,), self._first_bias, name="b")

    def _first_bias(self, shape, dtype=None):
        return ops.zeros(shape, dtype)

    def get_config(self):
        """What is needed to build the cell again."""
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable("lmkit")
class SimpleRNNCell(_Cell):
    """The weights of `simple_rnn_step`, for one step at a time.

    Args:
        units: how many numbers the state holds.
        activation: the function f, a Keras name or a function.

    Call arguments:
        inputs: `(batch, channels)`.
        states: a list with the state before, `(batch, units)`.

    Returns:
        The new state, `(batch, units)`, and a list that holds it.

    Raises:
        ValueError: if `units` is not a positive whole number.

    Example:
        >>> layer = keras.layers.RNN(SimpleRNNCell(2))
        >>> ops.shape(layer(ops.ones((1, 5, 3))))
        (1, 2)

    Source: article D (003).
    Built by hand in: chapters/01_rnn_classifier.ipynb
    """

    def __init__(self, units, activation="tanh", **kwargs):
        super().__init__(units, **kwargs)
        self.activation = keras.activations.get(activation)

    def call(self, inputs, states):
        """One step: `(B, C)` and `(B, U)` to `(B, U)`."""
        h = simple_rnn_step(inputs, states[0], self.W, self.U, self.b, self.activation)  # (B, U)
        return h, [h]

    def get_config(self):
        """What is needed to build the cell again."""
        activation = keras.activations.serialize(self.activation)
        return {**super().get_config(), "activation": activation}


@keras.saving.register_keras_serializable("lmkit")
class LSTMCell(_Cell):
    """The weights of `lstm_step`, for one step at a time.

    Args:
        units: how many numbers the state holds, and the memory.
        unit_forget_bias: True to start the forget gate's bias at 1, so that the memory is
            kept at first: sigmoid(1) = 0.73 of it a step, where 0 would keep half.

    Call arguments:
        inputs: `(batch, channels)`.
        states: a list with the state and the memory before, `(batch, units)` each.

    Returns:
        The new state, `(batch, units)`, and a list of the new state and the new memory.

    Raises:
        ValueError: if `units` is not a positive whole number.

    Example:
        >>> cell = LSTMCell(2)
        >>> cell.build((None, 3))
        >>> cell.get_weights()[2].astype(int).tolist()  # the bias, two units each: i, f, g, o
        [0, 0, 1, 1, 0, 0, 0, 0]

    Source: article B (001); Jozefowicz, Zaremba and Sutskever, 2015 (the forget bias).
    Built by hand in: chapters/02_lstm_language_model.ipynb
    """

    _GATES = 4

    def __init__(self, units, unit_forget_bias=True, **kwargs):
        super().__init__(units, **kwargs)
        self.state_size = [units, units]
        self.unit_forget_bias = unit_forget_bias

    def _first_bias(self, shape, dtype=None):
        rest = ops.zeros((self.units,), dtype)
        forget = ops.ones_like(rest) if self.unit_forget_bias else rest
        return ops.concatenate([rest, forget, rest, rest])

    def call(self, inputs, states):
        """One step: `(B, C)` and twice `(B, U)` to `(B, U)`."""
        h, c = lstm_step(inputs, *states, self.W, self.U, self.b)  # (B, U) each
        return h, [h, c]

    def get_config(self):
        """What is needed to build the cell again."""
        return {**super().get_config(), "unit_forget_bias": self.unit_forget_bias}


class _RecurrentLayer(keras.layers.RNN):
    """What the layers share: they are built again from the arguments of their cell."""

    _CELL_ARGUMENTS = ()

    def __init__(self, cell, return_sequences, **kwargs):
        super().__init__(cell, return_sequences=return_sequences, **kwargs)
        self.input_spec = keras.layers.InputSpec(ndim=3)

    def get_config(self):
        """What is needed to build the layer again."""
        config = super().get_config()
        cell = config.pop("cell")["config"]
        return {**config, **{name: cell[name] for name in self._CELL_ARGUMENTS}}

    @classmethod
    def from_config(cls, config):
        """Builds the layer from what `get_config` gave."""
        return cls(**config)


@keras.saving.register_keras_serializable("lmkit")
class SimpleRNN(_RecurrentLayer):
    """A recurrent layer over whole sequences that skips masked positions.

    Where the mask is False the state is carried over unchanged, so padding cannot
    wash it out. The weights are those of `keras.layers.SimpleRNN`, in the same order.

    Args:
        units: how many numbers the state holds.
        activation: the function f, a Keras name or a function.
        return_sequences: True for the state after every position, False for the last only.
        **kwargs: as for `keras.layers.RNN` (`return_state`, `go_backwards`, `name`, ...).

    Call arguments:
        sequences: `(batch, time, channels)`.
        mask: boolean `(batch, time)`, True = keep, or None.
        initial_state: `(batch, units)`, zeros if None.

    Returns:
        `(batch, units)`, or `(batch, time, units)` with `return_sequences`.

    Raises:
        ValueError: if `units` is not a positive whole number, or the input is not
            `(batch, time, channels)`.

    Example:
        >>> ops.shape(SimpleRNN(4, return_sequences=True)(ops.ones((2, 5, 3))))
        (2, 5, 4)

    Source: articles A (000) and D (003).
    Built by hand in: chapters/01_rnn_classifier.ipynb
    """

    _CELL_ARGUMENTS = ("units", "activation")

    def __init__(self, units, activation="tanh", return_sequences=False, **kwargs):
        super().__init__(SimpleRNNCell(units, activation), return_sequences, **kwargs)


@keras.saving.register_keras_serializable("lmkit")
class LSTM(_RecurrentLayer):
    """A recurrent layer with a memory, over whole sequences; it skips masked positions.

    Where the mask is False state and memory are carried over unchanged. The weights are
    those of `keras.layers.LSTM`, in the same order.

    Args:
        units: how many numbers the state holds, and the memory.
        unit_forget_bias: True to start the forget gate's bias at 1, as Keras does.
        return_sequences: True for the state after every position, False for the last only.
        **kwargs: as for `keras.layers.RNN` (`return_state`, `go_backwards`, `name`, ...).

    Call arguments:
        sequences: `(batch, time, channels)`.
        mask: boolean `(batch, time)`, True = keep, or None.
        initial_state: a list of two `(batch, units)`, state and memory; zeros if None.

    Returns:
        `(batch, units)`, or `(batch, time, units)` with `return_sequences`; with
        `return_state` a list of that, the last state and the last memory.

    Raises:
        ValueError: if `units` is not a positive whole number, or the input is not
            `(batch, time, channels)`.

    Example:
        >>> ops.shape(LSTM(4, return_sequences=True)(ops.ones((2, 5, 3))))
        (2, 5, 4)

    Source: articles B (001), C (002) and D (003).
    Built by hand in: chapters/02_lstm_language_model.ipynb
    """

    _CELL_ARGUMENTS = ("units", "unit_forget_bias")

    def __init__(self, units, unit_forget_bias=True, return_sequences=False, **kwargs):
        super().__init__(LSTMCell(units, unit_forget_bias), return_sequences, **kwargs)
