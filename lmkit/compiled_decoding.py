"""The whole decoding loop compiled: for many tokens, when calls cost more than arithmetic.

`generate` asks Python after every token, and for a small model the call costs several times
the arithmetic. Here the loop, the cache and the sampler are one compiled function.
"""

import numpy as np
from keras import ops

from lmkit.backend import compile_function
from lmkit.checks import check_whole
from lmkit.decoding import (
    TransformerDecoder,
    check_ids_row,
    check_prompts,
    check_share,
    check_temperature,
)


class CompiledDecoder:
    """Goes on with prompts in one compiled call: `generate_batch`, a loop inside the compiler.

    The random numbers are those of `generate_batch`, so the texts are the same, unless a
    random point falls within a float32's rounding of the border between two tokens.
    Compiled anew for another number of prompts, another `length`, or prompts that need the
    next power of two. On PyTorch the loop runs in Python.

    Args:
        model: a model with `step`, `new_cache` and `sizes`, such as `TransformerLM`.

    Call arguments:
        prompts, length, temperature, seed, stop, top_k, top_p: as for `generate_batch`. The
            longest prompt and `length` together fit into the model's `max_length`.

    Returns:
        A list of lists of ids, in the order of the prompts.

    Raises:
        TypeError: for another kind of model, or prompts that are no rows of whole numbers.
        ValueError: as `generate_batch`, and for texts that would outgrow `max_length`.

    Example:
        >>> from lmkit.models import TransformerLM
        >>> decoder = CompiledDecoder(TransformerLM(9, 6, 8, 2, 16, 1))
        >>> [len(ids) for ids in decoder([[4], [1, 2]], length=4, temperature=0)]
        [5, 6]

    Source: chapters/04b_cost_and_real_prose.ipynb
    """

    def __init__(self, model):
        TransformerDecoder(model)  # its checks
        self._model = model
        self._decode = compile_function(self._loop, model.variables)

    def __call__(self, prompts, length, temperature=1.0, seed=0, stop=None, top_k=None, top_p=None):
        """The prompts and what follows them."""
        check_whole("length", length)
        check_whole("seed", seed, least=0)
        temperature, vocab = check_temperature(temperature), self._model.sizes["vocab_size"]
        check_share(top_k, top_p, vocab)
        texts = check_prompts(prompts, vocab)
        ids, ends = self._padded(texts, length)
        if stop is not None:
            check_ids_row([stop], vocab)
        if temperature == 0:
            temperature, top_k = 1.0, 1
        points = [np.random.default_rng(seed + n).random(length) for n in range(len(texts))]
        added, sound = self._decode(
            ids,
            ends,
            # The largest float32 below 1: rounding must not reach 1, behind the last token.
            np.minimum(np.transpose(points), 1 - 2.0**-24).astype("float32"),
            np.float32(max(temperature, 1e-30)),  # 0 in float32 would divide 0 by 0
            np.int32(vocab if top_k is None else top_k),
            np.float32(1 if top_p is None else top_p),
            np.int32(-1 if stop is None else stop),
        )
        if not ops.convert_to_numpy(sound):
            raise ValueError("the model's logits are NaN or infinite: no probability follows")
        rows = ops.convert_to_numpy(added).tolist()
        return [text + _until(row, stop) for text, row in zip(texts, rows, strict=True)]

    def _padded(self, texts, length):
        longest, limit = max(map(len, texts)), self._model.sizes["max_length"]
        if longest + length > limit:
            raise ValueError(
                f"the longest prompt has {longest} ids and {length} are to follow, "
                f"but the model reads at most {limit}: generate_batch can move its window"
            )
        width = min(limit, 2 ** (longest - 1).bit_length())
        ids = np.zeros((len(texts), width), "int32")
        for row, text in zip(ids, texts, strict=True):
            row[: len(text)] = text  # what is padding now will be overwritten, unread
        return ids, np.array([len(text) - 1 for text in texts], "int32")

    def _loop(self, ids, ends, points, temperature, top_k, top_p, stop):
        (length, batch), model = points.shape, self._model
        everywhere = ops.tile(ops.arange(ids.shape[1], dtype="int32")[None], (batch, 1))
        logits, cache = model.step(ids, everywhere, model.new_cache(batch))
        logits = ops.take_along_axis(logits, ops.cast(ends, "int32")[:, None, None], axis=1)

        def running(step, sound, ended, *rest):
            return ops.logical_and(step < length, ops.logical_not(ops.all(ended)))

        def body(step, sound, ended, added, logits, *cache):
            token, fine = pick(logits[:, 0], points[step], temperature, top_k, top_p)
            here = ops.arange(length, dtype="int32") == step
            added = ops.where(here, token[:, None], added)
            sound = ops.logical_and(sound, ops.all(ops.logical_or(fine, ended)))
            ended = ops.logical_or(ended, token == stop)
            # The last token is read, too, for nothing: a branch would cost more.
            position = ops.minimum(ends + 1 + step, model.sizes["max_length"] - 1)
            pairs = list(zip(cache[::2], cache[1::2], strict=True))
            logits, pairs = model.step(token[:, None], position[:, None], pairs)
            return step + 1, sound, ended, added, logits, *(part for pair in pairs for part in pair)

        nothing = ops.zeros((batch, length), "int32")
        state = (ops.cast(0, "int32"), ops.cast(True, "bool"), ops.zeros(batch, "bool"), nothing)
        flat = (part for pair in cache for part in pair)
        _, sound, _, added, *_ = ops.while_loop(running, body, (*state, logits, *flat))
        return added, sound


def pick(logits, points, temperature, top_k, top_p):
    """`sample_token` for several rows at once, in the backend's own operations.

    Args:
        logits: `(texts, vocab)`.
        points: where on the stick of length 1 each draw falls, `(texts,)`, below 1.
        temperature: above 0.
        top_k: how many tokens to keep at most.
        top_p: the probability to keep at least.

    Returns:
        The ids `(texts,)`, and for each text whether its logits are probabilities.

    Example:
        >>> ids, fine = pick(ops.array([[0.0, 2.0, 1.0]]), ops.array([0.5]), 1.0, 2, 1.0)
        >>> ops.convert_to_numpy(ids).tolist(), ops.convert_to_numpy(fine).tolist()
        ([1], [True])

    Source: chapters/02_lstm_language_model.ipynb (the stick).
    """
    shifted = logits - ops.max(logits, axis=-1, keepdims=True)  # (B, V)
    fine = ops.all(shifted <= 0, axis=-1)  # NaN is not, nor what infinities leave
    order = ops.argsort(-shifted, axis=-1)  # (B, V), likeliest first
    ranks = ops.argsort(order, axis=-1)
    chances = ops.where(ranks < top_k, ops.exp(shifted / temperature), 0.0)
    falling = ops.take_along_axis(chances, order, axis=-1)
    before = ops.cumsum(falling, axis=-1) - falling  # what the likelier ones have together
    kept = before < top_p * ops.sum(falling, axis=-1, keepdims=True)
    weights = ops.where(ops.take_along_axis(kept, ranks, axis=-1), chances, 0.0)
    ends = ops.cumsum(weights, axis=-1)
    return ops.sum(ops.cast(ends <= points[:, None] * ends[:, -1:], "int32"), axis=-1), fine


def _until(row, stop):
    return row[: row.index(stop) + 1] if stop in row else row
