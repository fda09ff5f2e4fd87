"""Generating text: one token after the other, from a model or from any function."""

import numpy as np
from keras import ops

from lmkit import _arguments
from lmkit.backend import compiled_for
from lmkit.decoding.compiled import extend
from lmkit.decoding.sampling import check_filters, check_logits, pick


def generate(model, prompt, length, temperature=1.0, seed=0, stop=None, top_k=None, top_p=None):
    """Continues a prompt, token by token, and returns it as a list of ids.

    Args:
        prompt: the ids to begin with, at least one.
        model, length, temperature, seed, stop, top_k, top_p: as for `generate_batch`.

    Example:
        >>> def counts_up(ids):  # the most probable id is the last one plus 1
        ...     return 9.0 * (np.arange(6) == ids[-1] + 1)
        >>> generate(counts_up, [1, 2], length=10, temperature=0, stop=5)
        [1, 2, 3, 4, 5]
    """
    prompts = [_arguments.ids("prompt", prompt, 1)]
    return generate_batch(model, prompts, length, temperature, seed, stop, top_k, top_p)[0]


def generate_batch(
    model, prompts, length, temperature=1.0, seed=0, stop=None, top_k=None, top_p=None
):
    """Continues several prompts at once, which may differ in length.

    A language model runs in a compiled loop. Any function works as well, three lines of Python
    included, and then the loop is Python's. Text i draws its random numbers with the seed
    `seed + i`: the other texts of the batch do not change it.

    Args:
        model: a language model (with `start` and `step`), or a function from a list of ids
            to the logits of the next id, `(vocab,)`.
        prompts: a list of prompts, each with at least one id.
        length: how many ids to add to each at most.
        temperature: as for `sample_token`; 0 always takes the most probable token.
        seed: the seed of the first text. The same seed gives the same text.
        stop: the id that ends a text, or a list of such ids; None to stop at `length` only.
        top_k: as for `keep_likely`.
        top_p: as for `keep_likely`.

    Returns:
        A list of lists of ids, in the order of the prompts, the stop ids included.

    Raises: TypeError or ValueError that names the argument and what would be right.

    Example:
        >>> def counts_up(ids):
        ...     return 9.0 * (np.arange(6) == ids[-1] + 1)
        >>> generate_batch(counts_up, [[1, 2], [4]], length=3, temperature=0, stop=[5])
        [[1, 2, 3, 4, 5], [4, 5]]
    """
    vocab_size = check_model(model)
    texts = [row.tolist() for row in _arguments.rows("prompt", prompts, vocab_size)]
    length = _arguments.whole("length", length)
    temperature = _arguments.real("temperature", temperature, least=0)
    seed = _arguments.whole("seed", seed, least=0)
    stops = stop_ids(stop, vocab_size)
    # Every text draws from its own generator, so its neighbors cannot change it.
    points = np.array([np.random.default_rng(seed + n).random(length) for n in range(len(texts))])
    done = 0
    if vocab_size is not None:
        check_filters(top_k, top_p, vocab_size)
        done = min(length, room(model, texts))
        if done > 0:
            extend(model, texts, points[:, :done], temperature, stops, top_k, top_p)
        model = whole_reader(model)
    for step in range(max(done, 0), length):
        for ids, point in zip(texts, points[:, step], strict=True):
            if step and ids[-1] in stops:
                continue
            logits = check_logits(model(list(ids)))
            if step == 0:  # what is added later is in the vocabulary
                _arguments.ids("prompt", [*ids, *stops], 1, len(logits))
                check_filters(top_k, top_p, len(logits))
            ids.append(pick(logits, point, temperature, top_k, top_p))
    return texts


def check_model(model):
    """Checks what is asked for the next token.

    Args:
        model: as for `generate`.

    Returns:
        The vocabulary size of a language model; None for a function, which does not say.

    Raises: TypeError for anything else; a model without `start` and `step` gets advice.

    Example:
        >>> check_model(lambda ids: [0.0, 1.0]) is None
        True
    """
    if hasattr(model, "start") and hasattr(model, "step"):
        return model.vocab_size
    if hasattr(model, "predict"):  # a Keras model: called with a list it would fail in a riddle
        name = type(model).__name__
        raise TypeError(
            f"model must have start and step, which {name} lacks: use RecurrentLM or "
            "TransformerLM, or give a function, lambda ids: model(np.array([ids]))[0, -1]"
        )
    if not callable(model):
        raise TypeError(f"model must be a language model or a function, got {model!r:.60}")
    return None


def room(model, texts):
    """Counts how many ids can be added before a text outgrows the model.

    Args:
        model: a language model; its `max_length` is None if it reads any length.
        texts: lists of ids. The last id that is added is never read.

    Example:
        >>> import types
        >>> room(types.SimpleNamespace(max_length=6), [[1, 2]])
        5
    """
    if model.max_length is None:
        return np.iinfo("int32").max
    return model.max_length + 1 - max(map(len, texts))


def whole_reader(model):
    """Makes a plain function of a model, which reads the end of the text at every call.

    For texts longer than the model: when the window moves, every id stands at another
    position, so nothing that was computed before can be used again.

    Args:
        model: a language model.

    Returns:
        A function from a list of ids to logits, float64 `(vocab,)`.
    """

    def read(ids, last):
        return ops.take(model(ids)[0], last, axis=0)

    def next_logits(ids):
        ids = ids[-model.max_length :]
        padded = np.zeros((1, model.max_length), "int32")  # one shape, compiled once
        padded[0, : len(ids)] = ids
        logits = compiled_for(model, "read", read)(padded, np.int32(len(ids) - 1))
        return ops.convert_to_numpy(ops.cast(logits, "float32")).astype("float64")

    return next_logits


def stop_ids(stop, vocab_size):
    """Lists the ids that end a text.

    Args:
        stop: an id, a list of ids, or None.
        vocab_size: ids must be below it; None if nobody knows it yet.

    Example:
        >>> stop_ids(3, 9), stop_ids([3, 4], 9), stop_ids(None, 9)
        ([3], [3, 4], [])
    """
    stops = [] if stop is None else list(np.atleast_1d(stop)) if np.ndim(stop) else [stop]
    return _arguments.ids("stop", stops, 1, vocab_size).tolist() if stops else []
