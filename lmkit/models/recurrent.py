"""A recurrent network that predicts the next token."""

import keras
import numpy as np
from keras import layers, ops

from lmkit import _arguments
from lmkit.layers.embedding import TokenEmbedding
from lmkit.models._base import LanguageModel, check_step

_CELLS = {"lstm": layers.LSTM, "gru": layers.GRU, "simple": layers.SimpleRNN}


@keras.saving.register_keras_serializable("lmkit")
class RecurrentLM(LanguageModel):
    """A language model that reads a token at a time and keeps what it read in a state.

    Padding belongs on the right, where no earlier position can see it, with targets that
    are IGNORE.

    Args:
        vocab_size: how many different ids there are; ids run from 0 to `vocab_size - 1`.
        embed_dim: how many numbers stand for a token.
        units: how many numbers the state holds.
        cell: "lstm", or "gru" or "simple" to compare with, all else being equal.
        dropout: the share of numbers that are dropped in training, before the recurrent
            layer and before the last one.
        gate_bias: where the bias of the gate that keeps the state starts: the LSTM's forget
            gate (Keras: 1) or the GRU's update gate (Keras: 0). At 3 the gate begins at
            sigmoid(3) = 0.95, nearly open. None for Keras's own start.

    Call arguments:
        ids: `(batch, time)`, any time.

    Returns:
        Logits `(batch, time, vocab)`: at position t for the id at t + 1.

    Example:
        >>> model = RecurrentLM(vocab_size=9, embed_dim=2, units=3)
        >>> tuple(model(ops.ones((1, 5), "int32")).shape)
        (1, 5, 9)

    Source: Mikolov et al., 2010; Sundermeyer, Schlüter and Ney, 2012 (with an LSTM).
    """

    def __init__(self, *, vocab_size, embed_dim=128, units=128, cell="lstm", dropout=0.0,
                 gate_bias=None, **kwargs):  # fmt: skip
        super().__init__(**kwargs)
        self.vocab_size = _arguments.whole("vocab_size", vocab_size)
        self.embed_dim = _arguments.whole("embed_dim", embed_dim)
        self.units = _arguments.whole("units", units)
        self.max_length = None  # a state has the same size after any number of ids
        rate = _arguments.real("dropout", dropout, least=0, below=1)
        self.cell = _arguments.choice("cell", cell, [*_CELLS])
        self.gate_bias = None if gate_bias is None else _arguments.real("gate_bias", gate_bias)
        # Keras gives a sublayer the global precision, not the model's.
        dtype = self.dtype_policy
        self.embedding = TokenEmbedding(vocab_size, embed_dim, name="embedding", dtype=dtype)
        self.dropout = layers.Dropout(rate, name="dropout", dtype=dtype)
        self.recurrent = _CELLS[cell](
            self.units, return_sequences=True, return_state=True, name="recurrent",
            **_bias(cell, self.gate_bias), dtype=dtype,
        )  # fmt: skip
        self.head = layers.Dense(self.vocab_size, name="head", dtype=dtype)
        self._make_weights()

    def _make_weights(self):
        # All shapes are known, so summary() and load_weights() work from the start.
        vectors = (None, None, self.embed_dim)
        self.embedding.build((None, None))
        self.dropout.build(vectors)
        self.recurrent.build(vectors)
        self.head.build((None, None, self.units))
        self.built = True

    def call(self, ids, training=None):
        """Reads whole texts."""
        x = self.dropout(self.embedding(ids), training=training)  # (B, T, C)
        x, *_ = self.recurrent(x, training=training)  # (B, T, U)
        return self.head(self.dropout(x, training=training))  # (B, T, V)

    def start(self, batch, length, padding=None):
        """Makes the state in which `step` begins: nothing is read yet.

        Args:
            batch: how many texts B.
            length: how many ids each may have in the end; this model takes any number.
            padding: how many of the first ids of each text are padding, `(batch,)`; None
                if none are.

        Returns:
            A nested structure of tensors, the batch first; scalars belong to all texts.
        """
        batch, _, state = self._start(batch, length, padding)
        return {**state, "states": self.recurrent.get_initial_state(batch)}

    def step(self, ids, state):
        """Reads the next few ids of every text; those in the state are not read again.

        Args:
            ids: `(batch, new)`.
            state: from `start` or from the step before.

        Returns:
            The logits after each of them, `(batch, new, vocab)`, as a call over the whole
            texts would give them, and the new state.
        """
        check_step(ids, state)
        new, read, padding = ids.shape[1], state["read"], state["padding"]
        slots = read + ops.arange(new, dtype="int32")
        begun = slots >= padding[:, None]  # (B, new): padding must not move the state
        x, before = self.embedding(ids), state["states"]  # (B, new, C)
        if new == 1:  # one call of the cell: no loop over the time axis has to be set up
            x, after = self.recurrent.cell(x[:, 0], before)
            after = [ops.where(begun, *pair) for pair in zip(after, before, strict=True)]
            x = x[:, None]
        else:
            x, *after = self.recurrent(x, initial_state=before, mask=begun)
        return self.head(x), {"read": read + new, "padding": padding, "states": after}

    def _parts(self):
        return [self.embedding, self.head]

    def get_config(self):
        """Tells what is needed to build the model again."""
        names = "vocab_size embed_dim units cell gate_bias".split()
        sizes = {name: getattr(self, name) for name in names}
        return {**super().get_config(), **sizes, "dropout": self.dropout.rate}


def _bias(cell, gate_bias):
    """Chooses the arguments of a Keras layer that make its gate start at a bias."""
    if gate_bias is None:
        return {}
    if cell == "simple":
        raise ValueError(f"a SimpleRNN has no gate whose bias could be {gate_bias}")

    # An initializer and not weights set afterwards: clone_model and saving keep it.
    def initial(shape, dtype=None):
        bias = np.zeros(shape)
        # Keras's order of the gates. LSTM: input, forget, candidate, output. GRU: update,
        # reset, candidate, and a second row of biases for the recurrent side.
        gates = bias.reshape(4, -1)[1] if cell == "lstm" else bias[0].reshape(3, -1)[0]
        gates[:] = gate_bias
        return ops.convert_to_tensor(bias, dtype)

    unit = {"unit_forget_bias": False} if cell == "lstm" else {}
    return {"bias_initializer": initial, **unit}
