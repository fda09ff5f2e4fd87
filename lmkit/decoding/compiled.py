"""The whole decoding loop as one compiled function: model, cache and drawing.

For a small model a call from Python costs several times the arithmetic of a token. Inside
one compiled loop the call disappears.
"""

import keras
import numpy as np
from keras import ops

from lmkit.backend import compiled_for


def extend(model, texts, points, temperature, stops, top_k, top_p):
    """Adds ids to texts in one compiled call. The arguments were checked before.

    Args:
        model: a language model.
        texts: lists of ids, extended in place, each up to its stop id.
        points: random numbers of at least 0 and below 1, `(texts, length)`.
        temperature: 0 or larger.
        stops: a list of ids.
        top_k: as for `keep_likely`.
        top_p: as for `keep_likely`.

    Raises: ValueError if the logits are NaN or infinite.
    """
    length = points.shape[1]
    width, steps = sizes(model, max(map(len, texts)), length)
    # Padding on the left: all texts then write into the same slot of the cache, which the
    # compiler does in place. On the right every text would have a slot of its own.
    padding = np.array([width - len(ids) for ids in texts], "int32")
    prompts = np.array([[0] * gap + ids for gap, ids in zip(padding, texts, strict=True)], "int32")
    draws = np.zeros((len(texts), steps), "float32")
    # The largest float32 below 1: rounding must not reach 1, behind the last token.
    draws[:, :length] = np.minimum(points, 1 - 2.0**-24)
    kept = None if top_k is None or temperature == 0 else _power_of_two(top_k)
    settings = {
        "greedy": temperature == 0,
        # How many logits have to be looked at is a shape; the exact k is a number.
        "most": kept and min(kept, model.vocab_size),
        "nucleus": top_p is not None and top_p < 1,
    }
    name = ("extend", *settings.values(), len(stops))
    run = compiled_for(model, name, _Loop(model, **settings).run)
    # A temperature that float32 takes for 0 would divide by it.
    limits = np.float32(max(temperature, 1e-30)), np.int32(top_k or 1), np.float32(top_p or 1)
    added, sound = run(prompts, padding, draws, np.int32(length), np.array(stops, "int32"), *limits)
    if not ops.convert_to_numpy(sound):
        raise ValueError("the model's logits are NaN or infinite: they give no probability")
    for ids, row in zip(texts, ops.convert_to_numpy(added)[:, :length].tolist(), strict=True):
        end = next((n + 1 for n, token in enumerate(row) if token in stops), length)
        ids += row[:end]


def sizes(model, prompt, length):
    """Rounds lengths up to powers of two: one compilation then serves many prompts.

    Args:
        model: a language model, whose `max_length` bounds both.
        prompt: how many ids the longest prompt has.
        length: how many ids follow; the last of them is not read.

    Example:
        >>> import types
        >>> sizes(types.SimpleNamespace(max_length=None), 5, 20)  # width, number of steps
        (8, 32)
    """
    limit = model.max_length or np.inf
    width = max(prompt, min(_power_of_two(prompt), limit - length + 1))
    return int(width), int(min(_power_of_two(length), limit - width + 1))


def _power_of_two(number):
    return 2 ** (number - 1).bit_length()


class _Loop:
    """The loop that is compiled: reads the prompts, then draws and reads in turn."""

    def __init__(self, model, greedy, most, nucleus):
        self.model, self.greedy, self.most, self.nucleus = model, greedy, most, nucleus

    def run(self, prompts, padding, points, length, stops, *limits):
        """Returns the ids that were drawn, `(batch, steps)`, and whether all logits were fine."""
        batch, steps = points.shape
        width, slots = prompts.shape[1], ops.arange(steps, dtype="int32")
        first, *later = _stages(self.model, batch, width, width + steps - 1)
        logits, state = self.model.step(prompts, self.model.start(batch, first, padding))

        def choose(step, logits, added, ended, sound):
            tokens, fine = self._draw(logits, ops.take(points, step, axis=1), *limits)  # (B,)
            added = ops.where(slots == step, tokens[:, None], added)  # (B, steps)
            # What follows a text's end may be anything; it is cut off outside.
            sound = ops.logical_and(sound, ops.all(ops.logical_or(fine, ended)))
            ended = ops.logical_or(ended, ops.any(tokens[:, None] == stops, axis=-1))
            return tokens, added, ended, sound

        nothing, none = ops.zeros((batch, steps), "int32"), ops.zeros(batch, "bool")
        # The first draw needs no step: the prompt's last logits are there. So the last id
        # that is drawn is never read, and the cache has no room for it.
        chosen = choose(ops.cast(0, "int32"), logits, nothing, none, ops.cast(True, "bool"))
        loop = (ops.cast(1, "int32"), *chosen, state)
        for room in (first, *later):
            # A step looks over all slots of the cache, so the cache begins small and grows.
            loop = (*loop[:-1], _grow(loop[-1], self.model.start(batch, room, padding)))
            loop = self._write(loop, choose, ops.minimum(length, room - width + 1))
        return loop[2], loop[4]

    def _write(self, loop, choose, last):
        def unfinished(step, tokens, added, ended, sound, state):
            return ops.logical_and(step < last, ops.logical_not(ops.all(ended)))

        def body(step, tokens, added, ended, sound, state):
            logits, state = self.model.step(tokens[:, None], state)
            return step + 1, *choose(step, logits, added, ended, sound), state

        return ops.while_loop(unfinished, body, loop)

    def _draw(self, logits, points, temperature, top_k, top_p):
        logits = ops.cast(logits[:, -1], "float32")  # (B, V)
        if self.greedy:
            return ops.cast(ops.argmax(logits, axis=-1), "int32"), finite(logits)
        shifted = (logits - ops.max(logits, axis=-1, keepdims=True)) / temperature
        most = self.most and (self.most, top_k)
        tokens, fine = draw_tokens(shifted, points, most, top_p if self.nucleus else None)
        return ops.cast(tokens, "int32"), fine


def _stages(model, batch, width, total):
    """Cuts the slots of a cache into stages, from the prompt's width to the total."""
    # Every stage is compiled, which takes seconds. Reading less pays for that where many
    # long texts are written: there most of a step's time is spent reading the cache.
    parts = 4 if model.max_length and batch * total > 10_000 else 1
    ends = [total * (n + 1) // parts for n in range(parts)]
    return [end for end in ends if end >= width]


def _grow(state, larger):
    """Moves a state into one with more slots; what has no slots stays as it is."""

    def move(old, new):
        return old if old.shape == new.shape else ops.slice_update(new, [0] * len(new.shape), old)

    return keras.tree.map_structure(move, state, larger)


def draw_tokens(logits, points, top_k=None, top_p=None):
    """Draws a token per row, as `sample_token` does, in the backend's own operations.

    Args:
        logits: `(batch, vocab)`, each row's largest 0, the temperature already in them.
        points: where on the stick of length 1 each draw falls, `(batch,)`.
        top_k: None, or a pair: at most how many logits to look at, and k itself.
        top_p: None, or the probability to keep.

    Returns:
        The ids `(batch,)`, and for each row whether its logits were finite.

    Example:
        >>> ids, fine = draw_tokens(ops.log(ops.array([[0.5, 0.3, 0.2]])), ops.array([0.6]))
        >>> ops.convert_to_numpy(ids).tolist(), ops.convert_to_numpy(fine).tolist()
        ([1], [True])
    """
    weights = ops.exp(logits)  # (B, V)
    if top_k is not None:
        most, k = top_k
        falling = ops.top_k(weights, most)[0]
        weights = _keep_largest(weights, falling, ops.full(ops.shape(points), k, "int32"))
    if top_p is not None:
        falling = ops.flip(ops.sort(weights, axis=-1), axis=-1)
        before = ops.cumsum(falling, axis=-1) - falling  # what the more probable ones have
        inside = before < top_p * ops.sum(falling, axis=-1, keepdims=True)
        weights = _keep_largest(weights, falling, ops.sum(ops.cast(inside, "int32"), axis=-1))
    ends = ops.cumsum(weights, axis=-1)
    passed = ops.cast(ends <= points[:, None] * ends[:, -1:], "int32")
    return ops.sum(passed, axis=-1), finite(logits)


def _keep_largest(weights, falling, counts):
    """Sets all but the `counts` largest weights of each row to 0, the first among equals kept."""
    least = ops.take_along_axis(falling, counts[:, None] - 1, axis=-1)  # (B, 1)
    above, ties = weights > least, ops.cast(weights == least, "int32")
    free = counts[:, None] - ops.sum(ops.cast(above, "int32"), axis=-1, keepdims=True)
    kept = ops.logical_or(above, ops.logical_and(ties > 0, ops.cumsum(ties, axis=-1) <= free))
    return ops.where(kept, weights, ops.zeros_like(weights))


def finite(logits):
    """Tells for each row whether its logits give probabilities.

    Args:
        logits: `(batch, vocab)`.

    Returns:
        A boolean tensor `(batch,)`. NaN and plus infinity are not below infinity.

    Example:
        >>> ops.convert_to_numpy(finite(ops.array([[0.0, 1.0], [0.0, float("nan")]]))).tolist()
        [True, False]
    """
    some = ops.any(logits > -np.inf, axis=-1)
    return ops.logical_and(ops.all(logits < np.inf, axis=-1), some)
