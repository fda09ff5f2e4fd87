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
        W, U, b: the weights, `(channels, units)`, `(units, units)` and `(units,)`.
        activation: the function f, from numbers to numbers.

    Returns:
        The new states, `(batch, units)`.

    Source: Elman, "Finding Structure in Time", 1990.
    """
    # The vectors of a batch are rows, so they stand to the left of the matrices.
    return activation(ops.matmul(x, W) + ops.matmul(h, U) + b)


def lstm_step(x, h, c, W, U, b):
    """Computes one step of the LSTM: some of the memory is kept, something new is added.

        i, f, o = sigmoid(...)    g = tanh(...)    each of  W x_t + U h_{t-1} + b
        c_t = f * c_{t-1} + i * g
        h_t = o * tanh(c_t)

    Args:
        x: the inputs of this step, `(batch, channels)`.
        h, c: state and memory after the step before, `(batch, units)` each.
        W, U, b: the weights, each with the columns of i, f, g and o side by side.

    Returns: the new state and the new memory, `(batch, units)` each.

    Source: Hochreiter and Schmidhuber, 1997; Gers et al., 2000 (the forget gate).
    """
    # Keras's order of the blocks, so that weights can be exchanged; Keras calls g "c".
    i, f, g, o = ops.split(ops.matmul(x, W) + ops.matmul(h, U) + b, 4, axis=-1)  # (B, U) each
    c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
    return ops.sigmoid(o) * ops.tanh(c), c


class _Cell(keras.layers.Layer):
    """What the cells share: W, U and b, with a block of `units` columns per gate."""

    _GATES = 1
    _TWIN = None

    def __init__(self, units, **kwargs):
        _check_extras(self._TWIN, kwargs)
        super().__init__(**kwargs)
        self.units = self.state_size = self.output_size = _arguments.whole("units", units)

    def build(self, input_shape):
        """Makes W, U and b with Keras's own starting values."""
        columns = self._GATES * self.units
        self.W = self.add_weight((input_shape[-1], columns), "glorot_uniform", name="W")
        self.U = self.add_weight((self.units, columns), "orthogonal", name="U")
        self.b = self.add_weight((columns,), self._first_bias, name="b")

    def _first_bias(self, shape, dtype=None):
        return ops.zeros(shape, dtype)

    def get_config(self):
        """Tells what is needed to build the cell again."""
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

    Example:
        >>> layer = keras.layers.RNN(SimpleRNNCell(2))
        >>> ops.shape(layer(ops.ones((1, 5, 3))))
        (1, 2)
    """

    _TWIN = keras.layers.SimpleRNNCell

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
        return {**super().get_config(), "activation": activation}


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

    Returns:
        The new state, `(batch, units)`, and a list of the new state and the new memory.

    Example:
        >>> cell = LSTMCell(2)
        >>> cell.build((None, 3))
        >>> cell.get_weights()[2].astype(int).tolist()  # the bias, two units each: i, f, g, o
        [0, 0, 1, 1, 0, 0, 0, 0]

    Source: Jozefowicz, Zaremba and Sutskever, 2015 (the forget bias).
    """

    _GATES = 4
    _TWIN = keras.layers.LSTMCell

    def __init__(self, units, unit_forget_bias=True, **kwargs):
        super().__init__(units, **kwargs)
        self.state_size = [self.units, self.units]
        self.unit_forget_bias = _arguments.flag("unit_forget_bias", unit_forget_bias)

    def _first_bias(self, shape, dtype=None):
        rest = ops.zeros((self.units,), dtype)
        forget = ops.ones_like(rest) if self.unit_forget_bias else rest
        return ops.concatenate([rest, forget, rest, rest])

    def call(self, inputs, states):
        """Does one step."""
        h, c = lstm_step(inputs, *states, self.W, self.U, self.b)  # (B, U) each
        return h, [h, c]

    def get_config(self):
        """Tells what is needed to build the cell again."""
        return {**super().get_config(), "unit_forget_bias": self.unit_forget_bias}


class _RecurrentLayer(keras.layers.RNN):
    """What the layers share: `keras.layers.RNN` runs their cell over the time axis."""

    _CELL_ARGUMENTS = ()
    _TWIN = None

    def __init__(self, make_cell, return_sequences, **kwargs):
        _check_extras(self._TWIN, kwargs)
        cell = make_cell(dtype=kwargs.get("dtype"))  # the cell holds the weights
        super().__init__(cell, return_sequences=return_sequences, **kwargs)
        self.input_spec = keras.layers.InputSpec(ndim=3)

    def get_config(self):
        """Tells what is needed to build the layer again."""
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
    """

    _CELL_ARGUMENTS = ("units", "activation")
    _TWIN = keras.layers.SimpleRNN

    def __init__(self, units, activation="tanh", return_sequences=False, **kwargs):
        def make_cell(dtype):
            return SimpleRNNCell(units, activation, dtype=dtype)

        super().__init__(make_cell, return_sequences, **kwargs)


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

    Call arguments: as for `SimpleRNN`; `initial_state` is a list of state and memory.

    Returns:
        `(batch, units)`, or `(batch, time, units)` with `return_sequences`; with
        `return_state` a list of that, the last state and the last memory.
    """

    _CELL_ARGUMENTS = ("units", "unit_forget_bias")
    _TWIN = keras.layers.LSTM

    def __init__(self, units, unit_forget_bias=True, return_sequences=False, **kwargs):
        def make_cell(dtype):
            return LSTMCell(units, unit_forget_bias, dtype=dtype)

        super().__init__(make_cell, return_sequences, **kwargs)


def _check_extras(twin, kwargs):
    """Refuses what Keras's layer of the same name takes and this one leaves out."""
    # What every recurrent layer has (return_state, ...) is welcome.
    known = inspect.signature(keras.layers.RNN.__init__).parameters
    names = inspect.signature(twin.__init__).parameters
    extras = " and ".join(name for name in names if name in kwargs and name not in known)
    if extras:
        # These layers are for reading, so they have what their formulas have.
        name = twin.__name__
        raise TypeError(f"lmkit's {name} has no {extras}: use keras.layers.{name}, which has")
