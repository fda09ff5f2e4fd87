"""The loss and the learning rate of a language model, for `model.compile`."""

import keras

from lmkit import _arguments
from lmkit.batches import IGNORE


def lm_loss():
    """Makes the loss of a language model: the mean of -log p over the targets.

    Returns:
        A Keras loss for logits `(batch, time, vocab)` and targets `(batch, time)`. Targets
        that are IGNORE do not count, and the mean is over the others.

    Example:
        >>> loss = lm_loss()(keras.ops.array([[1, IGNORE]]), keras.ops.zeros((1, 2, 4)))
        >>> round(float(loss), 4)  # ln 4: guessing among four
        1.3863
    """
    # From logits, because log(softmax) computed in one go neither overflows nor rounds to 0.
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=IGNORE)


def warmup_cosine(peak, steps, warmup=None, minimum=0.0):
    """Makes a learning rate that rises in a line and falls along half a cosine.

    Args:
        peak: the largest learning rate.
        steps: how many batches the training run has.
        warmup: in how many of them the rate rises; None for a tenth, at most 100.
        minimum: where the rate ends, at most `peak`.

    Returns:
        A Keras learning rate schedule.

    Example:
        >>> rate = warmup_cosine(0.4, steps=300, warmup=100)
        >>> [round(float(rate(step)), 4) for step in (0, 50, 100, 200, 300)]
        [0.0, 0.2, 0.4, 0.2, 0.0]

    Source: Loshchilov and Hutter, 2017 (cosine); Goyal et al., 2017 (warmup).
    """
    peak = _arguments.real("peak", peak, above=0)
    steps = _arguments.whole("steps", steps)
    minimum = _arguments.real("minimum", minimum, least=0, most=peak)
    if warmup is None:
        warmup = min(100, steps // 10)
    warmup = _arguments.whole("warmup", warmup, least=0, most=steps - 1)
    # Adam knows the size of the gradients badly before it has seen some: small steps first.
    rise = {"initial_learning_rate": 0.0, "warmup_target": peak, "warmup_steps": warmup}
    start = rise if warmup else {"initial_learning_rate": peak}
    # Keras counts the fall from the end of the rise, and the minimum as a share of the peak.
    return keras.optimizers.schedules.CosineDecay(
        decay_steps=steps - warmup, alpha=minimum / peak, **start
    )
