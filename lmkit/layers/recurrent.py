"""Recurrent layers, written from the documents' formulas.

B is the batch, T the time, C the channels of one input, U the units of the state.
"""

import keras
from keras import ops


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


@keras.saving.register_keras_serializable("lmkit")
class SimpleRNNCell(keras.layers.Layer):
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
        super().__init__(**kwargs)
        if not isinstance(units, int) or isinstance(units, bool) or units < 1:
            raise ValueError(f"units must be a whole number of at least 1, got {units!r}")
        self.units = self.state_size = self.output_size = units
        self.activation = keras.activations.get(activation)

    def build(self, input_shape):
        """Creates W, U and b with Keras's own starting values for a SimpleRNN."""
        channels = input_shape[-1]
        self.W = self.add_weight(
            shape=(channels, self.units), initializer="glorot_uniform", name="W"
        )
        self.U = self.add_weight(shape=(self.units, self.units), initializer="orthogonal", name="U")
        self.b = self.add_weight(shape=(self.units,), initializer="zeros", name="b")

    def call(self, inputs, states):
        """One step: `(B, C)` and `(B, U)` to `(B, U)`."""
        h = simple_rnn_step(inputs, states[0], self.W, self.U, self.b, self.activation)  # (B, U)
        return h, [h]

    def get_config(self):
        """What is needed to build the cell again."""
        activation = keras.activations.serialize(self.activation)
        return {**super().get_config(), "units": self.units, "activation": activation}


@keras.saving.register_keras_serializable("lmkit")
class SimpleRNN(keras.layers.RNN):
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

    def __init__(self, units, activation="tanh", return_sequences=False, **kwargs):
        cell = SimpleRNNCell(units, activation)
        super().__init__(cell, return_sequences=return_sequences, **kwargs)
        self.input_spec = keras.layers.InputSpec(ndim=3)

    def get_config(self):
        """What is needed to build the layer again."""
        config = super().get_config()
        cell = config.pop("cell")["config"]
        return {**config, "units": cell["units"], "activation": cell["activation"]}

    @classmethod
    def from_config(cls, config):
        """Builds the layer from what `get_config` gave."""
        return cls(**config)
