"""Recurrent layers, written from the papers' formulas.

B is the batch, T the time, C the channels of one input, U the units of the state.
The pure steps come first, then the cells that hold their weights, then the layers.
"""

import inspect

import keras
from keras import ops

from lmkit import _arguments


def simple_rnn_step(x, h, W, U, b, activation=ops.tanh):
    """Computes one step of the recurrence: h_t = f(W x_t + U h_{t-1} + b).

    Args:
        x: the inputs of this step, `(batch, channels)`.
        h: the states after the step before, `(batch, units)`.
        W: the input weights, `(channels, units)`.
        U: the recurrent weights, `(units, units)`.
        b: the bias, `(units,)`.
        activation: the function f, from numbers to numbers.

    Returns: the new states, `(batch, units)`.
    Source: Elman, "Finding Structure in Time", 1990.
    """
    from_input = ops.matmul(x, W)  # (B, C) (C, U): a batch's vectors are rows, left of W
    from_past = ops.matmul(h, U)  # (B, U)
    return activation(from_input + from_past + b)


def lstm_step(x, h, c, W, U, b):
    """Computes one step of the LSTM: some of the memory is kept, something new is added.

        i, f, o = sigmoid(...)    g = tanh(...)    each of  W x_t + U h_{t-1} + b
        c_t = f * c_{t-1} + i * g
        h_t = o * tanh(c_t)

    Args:
        x: the inputs of this step, `(batch, channels)`.
        h: the states after the step before, `(batch, units)`.
        c: the memory after the step before, `(batch, units)`.
        W: the input weights of i, f, g and o side by side, `(channels, 4 * units)`.
        U: the recurrent weights, `(units, 4 * units)`.
        b: the bias, `(4 * units,)`.

    Returns: the new states and the new memory, `(batch, units)` each.
    Source: Hochreiter and Schmidhuber, 1997; Gers et al., 2000 (the forget gate).
    """
    # Keras's order of the four blocks, so that weights can be exchanged; Keras calls g "c".
    z = ops.matmul(x, W) + ops.matmul(h, U) + b  # (B, 4 U)
    i, f, g, o = ops.split(z, 4, axis=-1)  # (B, U) each
    i, f, o = ops.sigmoid(i), ops.sigmoid(f), ops.sigmoid(o)  # gates: from 0, shut, to 1, open
    # The memory is changed by adding, so its gradient passes many steps without vanishing.
    c = f * c + i * ops.tanh(g)
    h = o * ops.tanh(c)
    return h, c


class _Cell(keras.layers.Layer):
    """What the cells share: W, U and b, with a block of `units` columns per gate."""

    _GATES, _first_bias = 1, "zeros"

    def __init__(self, units, **kwargs):
        _check_extras(self, kwargs)
        super().__init__(**kwargs)
        self.units = self.state_size = self.output_size = _arguments.whole("units", units)

    def build(self, input_shape):
        """Makes W, U and b with Keras's own starting values."""
        columns = self._GATES * self.units
        self.W = self.add_weight((input_shape[-1], columns), "glorot_uniform", name="W")
        self.U = self.add_weight((self.units, columns), "orthogonal", name="U")
        self.b = self.add_weight((columns,), self._first_bias, name="b")

    def get_config(self):
        """Tells what is needed to build the cell again."""
        return super().get_config() | {"units": self.units}


@keras.saving.register_keras_serializable("lmkit")
class SimpleRNNCell(_Cell):
    """The weights of `simple_rnn_step`, for one step at a time.

    Args:
        units: how many numbers the state holds.
        activation: the function f, a Keras name or a function.

    Call arguments:
        inputs: `(batch, channels)`.
        states: a list with the state before, `(batch, units)`.

    Returns: the new state, `(batch, units)`, and a list that holds it.

    Example:
        >>> ops.shape(keras.layers.RNN(SimpleRNNCell(2))(ops.ones((1, 5, 3))))
        (1, 2)
    """

    def __init__(self, units, activation="tanh", **kwargs):
        super().__init__(units, **kwargs)
        self.activation = keras.activations.get(activation)

    def call(self, inputs, states):
        """Does one step."""
        h = simple_rnn_step(inputs, states[0], self.W, self.U, self.b, self.activation)  # (B, U)
        return h, [h]

    def get_config(self):
        """Tells what is needed to build the cell again."""
        activation = keras.activations.serialize(self.activation)
        return super().get_config() | {"activation": activation}


@keras.saving.register_keras_serializable("lmkit")
class LSTMCell(_Cell):
    """The weights of `lstm_step`, for one step at a time.

    Args:
        units: how many numbers the state holds, and the memory.
        unit_forget_bias: True to start the forget gate's bias at 1, so that the memory is
            kept at first: sigmoid(1) = 0.73 of it per step, where 0 would keep half.

    Call arguments:
        inputs: `(batch, channels)`.
        states: a list with the state and the memory before, `(batch, units)` each.

    Returns: the new state, `(batch, units)`, and a list of the new state and memory.

    Example:
        >>> cell = LSTMCell(2)
        >>> cell.build((None, 3))
        >>> cell.get_weights()[2].astype(int).tolist()  # the bias, two units each: i, f, g, o
        [0, 0, 1, 1, 0, 0, 0, 0]

    Source: Jozefowicz, Zaremba and Sutskever, 2015 (the forget bias).
    """

    _GATES = 4

    def __init__(self, units, unit_forget_bias=True, **kwargs):
        super().__init__(units, **kwargs)
        self.state_size = [self.units, self.units]
        self.unit_forget_bias = _arguments.flag("unit_forget_bias", unit_forget_bias)

    def _first_bias(self, shape, dtype=None):
        gates = ops.array([[0], [1 if self.unit_forget_bias else 0], [0], [0]], dtype)  # i f g o
        return ops.reshape(ops.repeat(gates, self.units, axis=1), shape)

    def call(self, inputs, states):
        """Does one step."""
        h, c = lstm_step(inputs, *states, self.W, self.U, self.b)  # (B, U) each
        return h, [h, c]

    def get_config(self):
        """Tells what is needed to build the cell again."""
        return super().get_config() | {"unit_forget_bias": self.unit_forget_bias}


class _RecurrentLayer(keras.layers.RNN):
    """What the layers share: `keras.layers.RNN` runs their cell over the time axis."""

    _CELL_ARGUMENTS = ()

    def __init__(self, cell, return_sequences, **kwargs):
        _check_extras(self, kwargs)
        super().__init__(cell, return_sequences=return_sequences, **kwargs)
        self.input_spec = keras.layers.InputSpec(ndim=3)

    def get_config(self):
        """Tells what is needed to build the layer again."""
        config = super().get_config()
        cell = config.pop("cell")["config"]  # made again from the layer's own arguments
        return config | {name: cell[name] for name in self._CELL_ARGUMENTS}

    @classmethod
    def from_config(cls, config):
        """Builds the layer from what `get_config` gave."""
        return cls(**config)


@keras.saving.register_keras_serializable("lmkit")
class SimpleRNN(_RecurrentLayer):
    """A recurrent layer over whole sequences, as `keras.layers.SimpleRNN` with equal weights.

    Args:
        units: how many numbers the state holds.
        activation: the function f, a Keras name or a function.
        return_sequences: True for the state after every position, False for the last only.
        **kwargs: as for `keras.layers.RNN` (`return_state`, `go_backwards`, `name`, ...).

    Call arguments:
        sequences: `(batch, time, channels)`.
        mask: boolean `(batch, time)`; where it is False the state is carried over unchanged.
        initial_state: `(batch, units)`, zeros if None.

    Returns: `(batch, units)`, or `(batch, time, units)` with `return_sequences`.
    """

    _CELL_ARGUMENTS = ("units", "activation")

    def __init__(self, units, activation="tanh", return_sequences=False, **kwargs):
        cell = SimpleRNNCell(units, activation, dtype=kwargs.get("dtype"))  # it has the weights
        super().__init__(cell, return_sequences, **kwargs)


@keras.saving.register_keras_serializable("lmkit")
class LSTM(_RecurrentLayer):
    """A recurrent layer with a memory, as `keras.layers.LSTM` with equal weights.

    Args:
        units: how many numbers the state holds, and the memory.
        unit_forget_bias: True to start the forget gate's bias at 1, as Keras does.
        return_sequences: True for the state after every position, False for the last only.
        **kwargs: as for `keras.layers.RNN` (`return_state`, `go_backwards`, `name`, ...).

    Call arguments: as for `SimpleRNN`; `initial_state` is a list of state and memory.

    Returns: as `SimpleRNN`; with `return_state` a list of that, the last state and the
    last memory.
    """

    _CELL_ARGUMENTS = ("units", "unit_forget_bias")

    def __init__(self, units, unit_forget_bias=True, return_sequences=False, **kwargs):
        cell = LSTMCell(units, unit_forget_bias, dtype=kwargs.get("dtype"))  # it has the weights
        super().__init__(cell, return_sequences, **kwargs)


def _check_extras(layer, kwargs):
    """Refuses what Keras's layer of the same name takes and lmkit's leaves out."""
    # These layers are for reading, so they have what their formulas have, and what every
    # recurrent layer has (return_state, ...).
    name = type(layer).__name__
    twin = getattr(keras.layers, name, keras.layers.RNN)  # a reader's subclass has none
    theirs, known = (
        inspect.signature(kind.__init__).parameters for kind in (twin, keras.layers.RNN)
    )
    extras = " and ".join(extra for extra in theirs if extra in kwargs and extra not in known)
    if extras:
        raise TypeError(f"lmkit's {name} has no {extras}: use keras.layers.{name}, which has")
