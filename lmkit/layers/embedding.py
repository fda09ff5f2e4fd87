"""Vectors for tokens."""

import keras
from keras import ops

from lmkit import _arguments


@keras.saving.register_keras_serializable("lmkit")
class TokenEmbedding(keras.layers.ReversibleEmbedding):
    """A table with a vector per token, which an id outside of it turns into NaN.

    Compiled code cannot raise: given id 99 of 9, XLA reads another row, and training goes on
    with a wrong number. NaN cannot be overlooked.

    Args:
        input_dim: the vocabulary size V; ids run from 0 to V - 1.
        output_dim: the embedding dimension C.
        **kwargs: as for `keras.layers.ReversibleEmbedding` (`mask_zero`, ...).

    Call arguments:
        inputs: ids `(batch, time)`; with `reverse=True` vectors `(batch, time, C)`.
        reverse: True to compute logits with the same table (tied weights).

    Returns:
        Vectors `(batch, time, C)`; with `reverse=True` logits `(batch, time, V)`.

    Example:
        >>> layer = TokenEmbedding(9, 1, embeddings_initializer="ones")
        >>> ops.convert_to_numpy(layer(ops.array([[8, 9]])))[0, :, 0].tolist()
        [1.0, nan]

    Source: Press and Wolf, 2017 (tied weights).
    """

    def __init__(self, input_dim, output_dim, **kwargs):
        input_dim = _arguments.whole("input_dim", input_dim)
        super().__init__(input_dim, _arguments.whole("output_dim", output_dim), **kwargs)
        # Keras would multiply by the float32 table whatever precision the layer has.
        self.reverse_dtype = self.reverse_dtype or self.compute_dtype

    def build(self, input_shape=None):
        """Makes the table."""
        # Keras 3.13 calls this argument `inputs_shape`, and then `summary` fails: it passes the
        # shape under that name to `compute_output_shape`, which wants `input_shape`.
        super().build(input_shape)

    def call(self, inputs, reverse=False):
        """Looks the vectors up, or multiplies by the table."""
        return self._nan_outside(super().call, inputs, reverse)

    def quantized_call(self, inputs, reverse=False):
        """Does the same with a quantized table."""
        return self._nan_outside(super().quantized_call, inputs, reverse)

    def _nan_outside(self, call, inputs, reverse):
        if reverse:
            return call(inputs, reverse=True)
        inside = is_inside(inputs, self.input_dim)  # (B, T)
        # Only ids of the table are looked up: some backends raise, others read another row.
        vectors = call(ops.where(inside, inputs, 0))  # (B, T, C)
        return ops.where(inside[..., None], vectors, float("nan"))

    def compute_mask(self, inputs, mask=None):
        """Marks the ids that are not padding."""
        # Keras sets it in `call`, on a tensor that is not the one returned here. Logits
        # (reverse=True) have none.
        ids = "int" in keras.backend.standardize_dtype(inputs.dtype)
        return ops.not_equal(inputs, 0) if self.mask_zero and ids else None

    def quantize(self, mode=None, type_check=True, config=None):
        """Quantizes the table as Keras does."""
        # Keras leaves out subclasses, which may compute something else. This one does not.
        return super().quantize(mode, type_check=False, config=config)


def is_inside(ids, vocab_size):
    """Tells which ids belong to a vocabulary.

    Args:
        ids: whole numbers, any shape.
        vocab_size: ids run from 0 to `vocab_size - 1`.

    Returns: a boolean tensor of the ids' shape.
    """
    return ops.logical_and(ids >= 0, ids < vocab_size)
