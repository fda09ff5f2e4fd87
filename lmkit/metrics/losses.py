"""How well a language model predicts: -log p of every token, and its means."""

import keras
import numpy as np
from keras import ops

from lmkit import _arguments
from lmkit.backend import compiled_for
from lmkit.batches import IGNORE

# How many logits `score_tokens` computes at once: 128 MiB in float32.
LOGITS = 2**25


def token_losses(logits, targets, ignore_class=IGNORE):
    """Computes -log p(target) of every token in float64, from logits that exist already.

    Args:
        logits: a model's output, `(..., vocab)`.
        targets: the ids that came, `(...)`.
        ignore_class: the target that is not scored, or None.

    Returns:
        A float64 array `(...)` in nats, 0 where the target is not scored.

    Example:
        >>> token_losses([[[0.0, 0.0], [5.0, 5.0]]], [[1, IGNORE]]).round(4).tolist()  # ln 2
        [[0.6931, 0.0]]
    """
    if ops.is_tensor(logits):
        logits = ops.convert_to_numpy(logits)
    logits = _arguments.array("logits", logits, "float64")
    if not logits.ndim:
        raise ValueError(f"logits must be (..., vocab), got {logits}")
    targets = _arguments.targets(targets, logits.shape[:-1], logits.shape[-1])
    ignored = targets == ignore_class  # nowhere if it is None
    if ((targets == IGNORE) & ~ignored).any():
        raise ValueError(f"targets hold IGNORE (-1), but ignore_class is {ignore_class}")
    logits = logits - logits.max(axis=-1, keepdims=True)  # so that exp cannot overflow
    chosen = np.take_along_axis(logits, targets[..., None], axis=-1)[..., 0]
    return np.where(ignored, 0.0, np.log(np.exp(logits).sum(axis=-1)) - chosen)


def score_tokens(model, inputs, targets, batch_size=None):
    """Computes -log p(target) of every token, slice by slice: all logits never exist at once.

    Args:
        model: a Keras model from ids `(batch, time)` to logits `(batch, time, vocab)`, or
            any function of arrays that does the same.
        inputs: ids `(rows, time)`.
        targets: ids `(rows, time)`, IGNORE where a position is not scored.
        batch_size: how many rows to compute at once; None for about 2**25 logits.

    Returns:
        A float64 array `(rows, time)` in nats, 0 where the target is IGNORE.

    Example:
        >>> scores = score_tokens(lambda ids: ops.zeros((*ids.shape, 4)), [[3, 1]], [[1, IGNORE]])
        >>> scores.round(4).tolist()  # ln 4: guessing among four
        [[1.3863, 0.0]]
    """
    known = getattr(model, "vocab_size", None)
    inputs = _arguments.ids("inputs", inputs, 2, known)
    # Without the attribute, one row shows the size. The call also creates missing weights.
    size = known if known and getattr(model, "built", True) else model(inputs[:1]).shape[-1]
    targets = _arguments.targets(targets, inputs.shape, size)
    count, time = inputs.shape
    rows = min(count, max(1, LOGITS // (time * size)))
    if batch_size is not None:
        rows = min(count, _arguments.whole("batch_size", batch_size))

    def score(ids, wanted):
        return ops.where(wanted == IGNORE, 0.0, _losses(model(ids), wanted))

    # A plain function may use NumPy, which cannot be compiled.
    compiled = isinstance(model, keras.Model)
    score = compiled_for(model, "score_tokens", score) if compiled else score
    losses = np.zeros(inputs.shape)
    for start in range(0, count, rows):
        part = slice(start, start + rows)
        # The last slice repeats its rows: another shape would cost another compilation.
        full = [np.resize(array[part], (rows, time)) for array in (inputs, targets)]
        found = ops.convert_to_numpy(score(*full))
        losses[part] = found[: count - start]
    return losses


def _losses(logits, targets):
    """Computes losses `(B, T)` of logits `(B, T, V)`; NaN where a target is no class."""
    # At least float32: float16 and bfloat16 have too few digits to add up a vocabulary.
    logits = ops.cast(logits, keras.backend.result_type(logits.dtype, "float32"))
    # At least int32, or the vocabulary size could be beyond the targets' own type.
    targets = ops.cast(targets, keras.backend.result_type(targets.dtype, "int32"))
    inside = ops.logical_and(targets >= 0, targets < logits.shape[-1])  # (B, T)
    logits = logits - ops.max(logits, axis=-1, keepdims=True)  # so that exp cannot overflow
    labels = ops.cast(ops.where(inside, targets, 0), "int32")[..., None]
    # Looked up, not multiplied by 0 and 1: other tokens may be impossible, and 0 times infinity
    # is NaN. NaN where there is no class: compiled code cannot raise, and reads another logit.
    chosen = ops.take_along_axis(logits, labels, axis=-1)[..., 0]
    return ops.where(inside, ops.log(ops.sum(ops.exp(logits), axis=-1)) - chosen, float("nan"))


class _Counted(keras.losses.Loss):
    """How much each position counts: Keras multiplies the ones by its mask and the weights."""

    def __init__(self, ignore_class):
        super().__init__(name="counted", reduction=None)
        self.ignore_class = ignore_class

    def call(self, y_true, y_pred):
        if self.ignore_class is None:
            return ops.ones_like(y_true, dtype=y_pred.dtype)
        return ops.cast(ops.not_equal(y_true, self.ignore_class), y_pred.dtype)


class _MeanLoss(keras.metrics.Metric):
    """The mean -log p of all positions that count, over all batches together."""

    def __init__(self, ignore_class=IGNORE, name=None, dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.ignore_class = ignore_class
        self._counted = _Counted(ignore_class)
        self.total = self.add_weight(name="total", initializer="zeros")
        self.count = self.add_weight(name="count", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Adds a batch.

        Args:
            y_true: targets `(batch, time)`.
            y_pred: logits `(batch, time, vocab)`.
            sample_weight: `(batch, time)`, or `(batch,)` for one per row, or None.
        """
        y_true = ops.convert_to_tensor(y_true)
        if not hasattr(y_pred, "shape"):  # else untouched: it can carry Keras's mask
            y_pred = ops.convert_to_tensor(y_pred)
        if len(y_true.shape) == len(y_pred.shape) > 0:  # (B, T, 1), as Keras also allows
            y_true = ops.squeeze(y_true, axis=-1)  # (B, T)
        _check_fit("targets", y_true, y_pred)
        if sample_weight is not None:
            sample_weight = ops.convert_to_tensor(sample_weight)
            _check_fit("weights", sample_weight, y_pred)
            if len(sample_weight.shape) < len(y_true.shape):
                sample_weight = ops.expand_dims(sample_weight, -1)  # one per row
        weights = ops.cast(self._counted(y_true, y_pred, sample_weight), self.dtype)  # (B, T)
        counts = ops.not_equal(weights, 0)
        nats = ops.cast(_losses(ops.convert_to_tensor(y_pred), y_true), self.dtype)
        # Chosen, not multiplied by 0: an infinite loss times 0 is NaN.
        self.total.assign_add(ops.sum(ops.where(counts, nats * weights, 0)))
        self.count.assign_add(ops.sum(weights))

    def _mean(self):
        total, count = (ops.convert_to_tensor(sum_) for sum_ in (self.total, self.count))
        return total / ops.where(count > 0, count, 1)

    def get_config(self):
        """Tells what is needed to build the metric again."""
        return {**super().get_config(), "ignore_class": self.ignore_class}


def _check_fit(what, values, logits):
    """Targets `(batch, time)` fit logits with one axis more; weights can also be one per row."""
    shape, wanted = tuple(values.shape), tuple(logits.shape)
    ranks = (len(wanted) - 1,) if what == "targets" else range(len(wanted))
    # Sizes that are unknown while a model is compiled are None; a size of 1 serves all.
    known = [pair for pair in zip(shape, wanted, strict=False) if None not in pair]
    if len(shape) not in ranks or any(one not in (1, other) for one, other in known):
        raise ValueError(f"{what} {shape} do not fit logits {wanted}, (batch, time, vocab)")


@keras.saving.register_keras_serializable("lmkit")
class Perplexity(_MeanLoss):
    """How many equally likely tokens a model is, in effect, choosing among: e to the mean loss.

    The mean is over all tokens of all batches together. Masked positions and those of weight
    0 do not count. A target that is no class makes the result NaN; no token at all makes it 0.

    Args:
        ignore_class: the target that is not scored, or None if every target counts.
        name: the name in logs and history.
        dtype: the type of the sums, Keras's default if None.

    Example:
        >>> metric = Perplexity()
        >>> metric.update_state([[3, 1, IGNORE]], ops.zeros((1, 3, 4)))  # logits of four ids
        >>> round(float(metric.result()), 4)
        4.0
    """

    def __init__(self, ignore_class=IGNORE, name="perplexity", dtype=None):
        super().__init__(ignore_class, name, dtype)

    def result(self):
        """Computes the perplexity of everything since the last reset."""
        return ops.where(self.count > 0, ops.exp(self._mean()), 0)


@keras.saving.register_keras_serializable("lmkit")
class BitsPerCharacter(_MeanLoss):
    """The mean loss of a model of characters, in bits: what a compressor would need.

    Counts the same positions as `Perplexity`.

    Args:
        ignore_class: the target that is not scored, or None if every target counts.
        name: the name in logs and history.
        dtype: the type of the sums, Keras's default if None.

    Example:
        >>> metric = BitsPerCharacter()
        >>> metric.update_state([[3, 1, IGNORE]], ops.zeros((1, 3, 4)))
        >>> round(float(metric.result()), 4)  # two bits tell four characters apart
        2.0
    """

    def __init__(self, ignore_class=IGNORE, name="bits_per_character", dtype=None):
        super().__init__(ignore_class, name, dtype)

    def result(self):
        """Computes the bits of everything since the last reset."""
        return self._mean() / np.log(2)
