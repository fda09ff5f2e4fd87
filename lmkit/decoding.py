"""From what a model says to text: choosing a next token, again and again.

A next-token function takes the ids so far, a list, and returns the logits of the id that
comes next, `(vocab,)`. Everything here works with any such function, so it can be tested
with one that is three lines long. `RecurrentDecoder` makes one of a recurrent model,
`TransformerDecoder` of a Transformer.
"""

import math
import numbers
from collections.abc import Iterable

import keras
import numpy as np
from keras import ops

from lmkit.backend import compile_function
from lmkit.checks import as_array, as_ids, check_real, check_whole, outside_vocabulary


def keep_likely(logits, top_k=None, top_p=None):
    """Makes all but the likely tokens impossible.

    Top-k keeps the k likeliest. Top-p keeps the likeliest until together they have at least
    the probability p: few where the model is sure, many where it is not. Of equal tokens
    the first counts as likelier. With both, the k likeliest are shared out anew for p.

    Args:
        logits: one number a token, `(vocab,)`.
        top_k: how many tokens to keep at most; None for all.
        top_p: the probability to keep at least, above 0 and up to 1; None for all.

    Returns:
        A float64 array `(vocab,)`, minus infinity for what is dropped.

    Raises:
        ValueError: for a `top_k` below 1 or over the vocabulary, a `top_p` outside (0, 1],
            or logits that are no probabilities.

    Example:
        >>> keep_likely([0.0, 2.0, 1.0], top_k=2).tolist()
        [-inf, 2.0, 1.0]
        >>> keep_likely(np.log([0.1, 0.6, 0.3]), top_p=0.5).round(4).tolist()
        [-inf, -0.5108, -inf]

    Source: Fan, Lewis and Dauphin, 2018 (top-k); Holtzman et al., 2020 (top-p).
    """
    logits = _check_logits(logits).copy()
    order = np.argsort(-logits, kind="stable")
    check_share(top_k, top_p, len(logits))
    if top_k is not None:
        logits[order[top_k:]] = -np.inf
    if top_p is not None:
        chances = np.exp(logits[order] - logits.max())
        before = np.cumsum(chances) - chances  # what the likelier ones have together
        logits[order[before >= top_p * chances.sum()]] = -np.inf
    return logits


def sample_token(logits, temperature=1.0, rng=None, top_k=None, top_p=None):
    """Draws a token: p = softmax(logits / temperature), in NumPy and float64.

    Below 1 the temperature favours the likely tokens, above 1 it evens them out; 0 is the
    limit, the likeliest token (the first of equal ones).

    Args:
        logits: one number a token, `(vocab,)`; minus infinity makes it impossible.
        temperature: a number from 0.
        rng: a NumPy generator, `np.random.default_rng(seed)`. Not needed at temperature 0.
        top_k: draw among the k likeliest only, see `keep_likely`.
        top_p: draw among the likeliest that have the probability p together, measured after
            the temperature.

    Returns:
        The id of the token, an int.

    Raises:
        ValueError: for a temperature that is negative, infinite or not a number, or for
            logits that are no probabilities: empty, NaN, infinite, all of them impossible.
        TypeError: if `rng` is not a NumPy generator.

    Example:
        >>> sample_token([0.0, 2.0, 1.0], temperature=0)
        1
        >>> rng = np.random.default_rng(0)
        >>> [sample_token([0.0, 2.0, 1.0], 1.0, rng) for _ in range(5)]
        [1, 1, 0, 0, 2]

    Built by hand in: chapters/02_lstm_language_model.ipynb
    """
    logits, temperature = _check_logits(logits), check_temperature(temperature)
    if temperature == 0:
        return int(np.argmax(keep_likely(logits, top_k, top_p)))  # the likeliest is always kept
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng must be np.random.default_rng(seed), got {rng!r:.60}")
    with np.errstate(over="ignore"):  # a tiny temperature: minus infinity is right
        logits = (logits - logits.max()) / temperature
        weights = np.exp(logits if top_k is top_p is None else keep_likely(logits, top_k, top_p))
    # A stick of length 1, a piece for every token: where does a random point fall?
    ends = np.cumsum(weights)
    return int(np.searchsorted(ends / ends[-1], rng.random(), side="right"))


def generate(
    next_logits, prompt, length, temperature=1.0, seed=0, stop=None, top_k=None, top_p=None
):
    """Goes on with a prompt, token by token.

    Args:
        next_logits: a next-token function, from a list of ids to logits `(vocab,)`.
        prompt: the ids to begin with, at least one.
        length: how many ids to add at most.
        temperature: as for `sample_token`; 0 always takes the likeliest.
        seed: the same seed gives the same text.
        stop: the id that ends a text, for example that of `[END]`; None to stop at
            `length` only.
        top_k: as for `sample_token`.
        top_p: as for `sample_token`.

    Returns:
        A list of ids: the prompt and what was added, `stop` included if it came.

    Raises:
        TypeError: if the prompt is not one row of whole numbers, or `next_logits` no
            next-token function.
        ValueError: for an empty prompt, an id outside the vocabulary, a length below 1, a
            seed below 0, or as `sample_token`.

    Example:
        >>> def counts_up(ids):  # the likeliest id is the last one plus 1
        ...     return 9.0 * (np.arange(6) == ids[-1] + 1)
        >>> generate(counts_up, [1, 2], length=10, temperature=0, stop=5)
        [1, 2, 3, 4, 5]

    Built by hand in: chapters/02_lstm_language_model.ipynb
    """
    _check_function(next_logits)

    def next_of_one(texts):
        return [next_logits(texts[0])]

    return generate_batch(next_of_one, [prompt], length, temperature, seed, stop, top_k, top_p)[0]


def generate_batch(
    next_logits, prompts, length, temperature=1.0, seed=0, stop=None, top_k=None, top_p=None
):
    """Goes on with several prompts at once, which may differ in length.

    Text i is the one that `generate` gives with the seed `seed + i`: who else is in the
    batch changes nothing.

    Args:
        next_logits: from a list of texts, each a list of ids, to the logits of what comes
            next in each, `(texts, vocab)`: `TransformerDecoder(model).batch`, for example.
            It is asked for all texts until the last one has ended.
        prompts: a list of prompts, each with at least one id.
        length: how many ids to add to each at most.
        temperature: as for `sample_token`.
        seed: the seed of the first text; the next has the next.
        stop: the id that ends a text.
        top_k: as for `sample_token`.
        top_p: as for `sample_token`.

    Returns:
        A list of lists of ids, in the order of the prompts.

    Raises:
        TypeError: if a prompt is not one row of whole numbers, or `next_logits` no function.
        ValueError: for no prompts, an empty one, an id outside the vocabulary, a length
            below 1, a seed below 0, or as `sample_token`.

    Example:
        >>> def count_up(texts):  # the likeliest id is the last one plus 1
        ...     return [9.0 * (np.arange(6) == ids[-1] + 1) for ids in texts]
        >>> generate_batch(count_up, [[1, 2], [4]], length=3, temperature=0, stop=5)
        [[1, 2, 3, 4, 5], [4, 5]]
    """
    check_whole("length", length)
    check_temperature(temperature)
    check_whole("seed", seed, least=0)
    _check_function(next_logits)
    texts = check_prompts(prompts)
    rngs = [np.random.default_rng(seed + number) for number in range(len(texts))]
    running = dict(enumerate(texts))
    for step in range(length):
        logits = next_logits([list(ids) for ids in texts])
        for number, ids in list(running.items()):
            row = _check_logits(logits[number])
            if step == 0:  # what is added later is in the vocabulary
                check_ids_row(ids if stop is None else [*ids, stop], len(row))
            ids.append(sample_token(row, temperature, rngs[number], top_k, top_p))
            if ids[-1] == stop:
                del running[number]
        if not running:
            break
    return texts


def beam_search(next_logits, prompt, length, width, stop=None, length_power=1.0):
    """Looks for a likely text: keeps the `width` best beginnings, word after word.

    Texts are compared by log p divided by (number of added ids) to the power
    `length_power`: with 0 short texts win, because every id costs something; with 1 it is
    the mean per id.

    Args:
        next_logits: a next-token function, from a list of ids to logits `(vocab,)`.
        prompt: the ids to begin with, at least one.
        length: how many ids to add at most.
        width: how many beginnings are kept; 1 is always taking the likeliest.
        stop: the id that ends a text, or None.
        length_power: how much longer texts are spared.

    Returns:
        The best text found, a list of ids, and its score.

    Raises:
        TypeError: if the prompt is not one row of whole numbers, or `next_logits` no
            next-token function.
        ValueError: for an empty prompt, an id outside the vocabulary, a length or width
            below 1, a `length_power` that is no number, or logits that are no probabilities.

    Example:
        >>> def wary(ids):  # 1 looks better at first, but leads to nothing
        ...     return np.log([[0.4, 0.6], [0.95, 0.05], [0.5, 0.5]][min(len(ids) - 1, 2)]
        ...                   if len(ids) == 1 or ids[1] == 0 else [0.5, 0.5])
        >>> beam_search(wary, [0], length=2, width=1)[0], beam_search(wary, [0], 2, width=2)[0]
        ([0, 1, 0], [0, 0, 0])

    Source: Lowerre, 1976; Wu et al., 2016 (the length).
    """
    check_whole("length", length)
    check_whole("width", width)
    check_real("length_power", length_power)
    _check_function(next_logits)
    start = check_ids_row(prompt)
    open_beams, finished = [(start, 0.0)], []

    def score(beam):
        ids, total = beam
        return total / (len(ids) - len(start)) ** length_power

    for _ in range(length):
        longer = []
        for ids, total in open_beams:
            logits = _check_logits(next_logits(list(ids)))
            check_ids_row(ids if stop is None else [*ids, stop], len(logits))
            losses = logits.max() - logits + np.log(np.exp(logits - logits.max()).sum())
            best = np.argsort(losses, kind="stable")[:width]
            longer += [([*ids, int(token)], total - float(losses[token])) for token in best]
        longer.sort(key=lambda beam: -beam[1])
        kept = longer[:width]
        finished += [beam for beam in kept if beam[0][-1] == stop]
        open_beams = [beam for beam in kept if beam[0][-1] != stop]
        if not open_beams:
            break
    best = max([*finished, *open_beams], key=score)
    return best[0], score(best)


class TransformerDecoder:
    """A next-token function of a Transformer that reads every token only once.

    It keeps each block's keys and values, so that the next token costs one short step,
    compiled once. The answer is that of `model(ids)` at the last position. A text longer
    than the model's `max_length` is read from its END: the last `max_length` ids, all of
    them again for every further token, because each then stands at another position.

    Args:
        model: a model with `step`, `new_cache` and `sizes`, such as `TransformerLM`.

    Call arguments:
        ids: a list of ids, the text so far.

    Returns:
        The logits of the next id, a float64 array `(vocab,)`.

    Raises:
        TypeError: for another kind of model, or if the ids are no row of whole numbers.
        ValueError: for no ids, or an id outside the vocabulary.

    Example:
        >>> from lmkit.models import TransformerLM
        >>> decoder = TransformerDecoder(TransformerLM(9, 6, 8, 2, 16, 1))
        >>> ids = generate(decoder, [4], length=8, temperature=0)
        >>> len(ids), decoder(ids).shape
        (9, (9,))

    Source: the cache is part of every fast decoder since Vaswani et al., 2017.
    """

    def __init__(self, model):
        if not all(hasattr(model, name) for name in ("step", "new_cache", "sizes")):
            raise TypeError(f"{model!r:.60} has no cache: give a TransformerLM")
        if not model.built:
            model.build((None, None))
        self._model, self._read = model, []
        self._step = compile_function(model.step, model.variables)

    def __call__(self, ids):
        """The logits after the last of the ids."""
        return self.batch([ids])[0]

    def batch(self, texts):
        """The logits after the last id of each of several texts.

        Args:
            texts: a list of lists of ids; they may differ in length.

        Returns:
            A float64 array `(texts, vocab)`.

        Raises:
            TypeError: as a call.
            ValueError: as a call, and for no texts.
        """
        if not len(texts):
            raise ValueError("there are no texts: give at least one")
        length = self._model.sizes["max_length"]
        texts = [check_ids_row(ids, self._model.sizes["vocab_size"])[-length:] for ids in texts]
        if _one_more(self._read, texts):
            ids = np.array([[text[-1]] for text in texts], "int32")
            positions = np.array([[len(text) - 1] for text in texts], "int32")
            logits, self._cache = self._step(ids, positions, self._cache)
            logits = ops.convert_to_numpy(logits)[:, 0]  # (B, V)
        else:
            ids = np.zeros((len(texts), length), "int32")
            for row, text in zip(ids, texts, strict=True):
                row[: len(text)] = text  # what is padding now will be overwritten, unread
            positions = np.tile(np.arange(length, dtype="int32"), (len(texts), 1))
            empty = self._model.new_cache(len(texts))
            logits, self._cache = self._step(ids, positions, empty)  # (B, L, V)
            ends = [len(text) - 1 for text in texts]
            logits = ops.convert_to_numpy(logits)[np.arange(len(texts)), ends]
        self._read = texts
        return logits.astype("float64")


def _one_more(read, texts):
    """Whether every text is one that was read, or that with one more id."""
    return len(read) == len(texts) and all(
        old in (text, text[:-1]) for old, text in zip(read, texts, strict=True)
    )


class RecurrentDecoder:
    """A next-token function of a recurrent model that reads every token only once.

    It keeps the states, so the next token costs one step however long the text is. The
    answer is that of `model(ids)` at the last position. Asked about ids that do not go on
    from those it has read, it starts afresh.

    Args:
        model: a chain of Embedding, Dropout, recurrent layers and Dense, from ids to
            logits, such as `lstm_lm`. Where it masks padding, 0 moves no state here either.

    Call arguments:
        ids: a list of ids, the text so far.

    Returns:
        The logits of the next id, a float64 array `(vocab,)`.

    Raises:
        TypeError: for no model, or if the ids are not one row of whole numbers.
        ValueError: for another kind of layer, a model that ends in probabilities, no ids,
            an id outside the vocabulary, or a text that begins with masked padding.

    Example:
        >>> from lmkit.models import lstm_lm
        >>> decoder = RecurrentDecoder(lstm_lm(vocab_size=9, embed_dim=2, units=3))
        >>> ids = generate(decoder, [4], length=5)
        >>> len(ids), decoder(ids).shape
        (6, (9,))

    Built by hand in: chapters/02_lstm_language_model.ipynb
    """

    def __init__(self, model):
        self._embedding, *self._layers = _chain(model)
        self._forget(0)

    def __call__(self, ids):
        """The logits after the last of the ids."""
        return self.batch([ids])[0]

    def batch(self, texts):
        """The logits after the last id of each of several texts.

        Args:
            texts: a list of lists of ids; they may differ in length.

        Returns:
            A float64 array `(texts, vocab)`.

        Raises:
            TypeError: as a call.
            ValueError: as a call, and for no texts.
        """
        if not len(texts):
            raise ValueError("there are no texts: give at least one")
        texts = [check_ids_row(ids, self._embedding.input_dim) for ids in texts]
        if self._embedding.mask_zero and any(ids[0] == 0 for ids in texts):
            raise ValueError("a text begins with 0, which is padding: there is nothing to read")
        known = len(self._read) == len(texts) and all(
            ids[: len(old)] == old for old, ids in zip(self._read, texts, strict=True)
        )
        if not known:
            self._forget(len(texts))
        new = [ids[len(old) :] for old, ids in zip(self._read, texts, strict=True)]
        for step in range(max(map(len, new))):
            self._step([ids[step] if step < len(ids) else None for ids in new])
        self._read = texts
        return self._logits.copy()

    def _forget(self, count):
        self._read, self._logits = [[]] * count, None
        self._states = [
            layer.get_initial_state(count) if _is_recurrent(layer) else None
            for layer in self._layers
        ]

    def _step(self, tokens):
        # None, and padding where it is masked: this text's state stays as it is.
        moves = np.array([token is not None for token in tokens])
        tokens = np.array([token or 0 for token in tokens])
        if self._embedding.mask_zero:
            moves &= tokens != 0
        x = ops.take(self._embedding.embeddings, tokens, axis=0)  # (B, C)
        for index, layer in enumerate(self._layers):
            if _is_recurrent(layer):
                x, after = layer.cell(x, self._states[index])  # (B, U)
                pairs = zip(after, self._states[index], strict=True)
                self._states[index] = [ops.where(moves[:, None], new, old) for new, old in pairs]
            else:
                x = layer(x)
        logits = ops.convert_to_numpy(x).astype("float64")  # (B, V)
        if self._logits is not None:
            logits[~moves] = self._logits[~moves]
        self._logits = logits


def _is_recurrent(layer):
    return isinstance(layer, keras.layers.RNN)


def _chain(model):
    """The layers of a model that can be fed one token at a time, and no others."""
    if not isinstance(model, keras.Model):
        raise TypeError(f"give a model such as lstm_lm, got {type(model).__name__}")
    chain = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
    kinds = keras.layers.RNN, keras.layers.Dropout, keras.layers.Dense
    if not chain or not isinstance(chain[0], keras.layers.Embedding):
        raise ValueError(f"the model must begin with an Embedding, {model.name!r} does not")
    for layer in chain[1:]:
        if not isinstance(layer, kinds) or getattr(layer, "go_backwards", False):
            raise ValueError(f"layer {layer.name!r} cannot be fed one token after the other")
    if getattr(chain[-1], "activation", None) is not keras.activations.linear:
        raise ValueError(f"layer {chain[-1].name!r} must give logits: a Dense, no activation")
    return chain


def _check_function(next_logits):
    if isinstance(next_logits, keras.Model):
        raise TypeError(
            "next_logits must be a next-token function, got a model: "
            "RecurrentDecoder(model) or TransformerDecoder(model) makes one of it"
        )
    if not callable(next_logits):
        raise TypeError(f"next_logits must be a function, got {type(next_logits).__name__}")


def check_prompts(prompts, vocab_size=math.inf):
    """Several texts' ids as lists, if they are what a model can read.

    Args:
        prompts: a list of rows of ids.
        vocab_size: ids run from 0 to `vocab_size - 1`.

    Returns:
        A list of lists of ints.

    Raises:
        TypeError: if it is no list, or as `check_ids_row`.
        ValueError: for no prompts, or as `check_ids_row`.

    Example:
        >>> check_prompts([np.array([3, 1]), [2]])
        [[3, 1], [2]]
    """
    if isinstance(prompts, str) or not isinstance(prompts, Iterable):
        raise TypeError(f"prompts must be a list of rows of ids, got {type(prompts).__name__}")
    texts = [check_ids_row(prompt, vocab_size) for prompt in prompts]
    if not texts:
        raise ValueError("there are no prompts: give at least one")
    return texts


def check_ids_row(ids, vocab_size=math.inf):
    """One text's ids as a list, if they are what a model can read.

    Args:
        ids: one row of whole numbers, at least one.
        vocab_size: ids run from 0 to `vocab_size - 1`.

    Returns:
        A list of ints.

    Raises:
        TypeError: if the ids are not one row of whole numbers.
        ValueError: for no ids, or one outside the vocabulary.

    Example:
        >>> check_ids_row(np.array([3, 1]), vocab_size=4)
        [3, 1]
    """
    row = as_ids(ids)
    if row.size == 0:
        raise ValueError("the prompt is empty: give at least one id")
    if row.ndim != 1 or row.dtype.kind not in "iu":
        raise TypeError(f"ids must be one row of whole numbers, got {row.dtype} of {row.shape}")
    outside = np.flatnonzero(outside_vocabulary(row, vocab_size))
    if outside.size:
        raise ValueError(
            f"id {row[outside[0]]} at position {outside[0]} is outside the vocabulary: "
            f"ids run from 0 to {vocab_size - 1}"
        )
    return row.tolist()


def check_share(top_k, top_p, vocab_size):
    """Says what is wrong with the limits of a draw.

    Args:
        top_k: a whole number from 1 to `vocab_size`, or None.
        top_p: a number above 0 and up to 1, or None.
        vocab_size: how many tokens there are.

    Raises:
        ValueError: if they are something else.

    Example:
        >>> check_share(top_k=40, top_p=None, vocab_size=65)
    """
    if top_k is not None:
        check_whole("top_k", top_k)
        if top_k > vocab_size:
            raise ValueError(f"top_k must be at most the vocabulary's {vocab_size}, got {top_k}")
    if top_p is not None and (not isinstance(top_p, numbers.Real) or not 0 < top_p <= 1):
        raise ValueError(f"top_p must be above 0 and at most 1, got {top_p!r}")


def check_temperature(temperature):
    """A temperature as a float, if it is one.

    Args:
        temperature: a number from 0.

    Returns:
        The same as a float.

    Raises:
        ValueError: if it is negative, infinite, NaN or no number.

    Example:
        >>> check_temperature(0)
        0.0
    """
    number = isinstance(temperature, numbers.Real) and not isinstance(temperature, bool)
    if not number or not 0 <= temperature < math.inf:
        raise ValueError(f"temperature must be a number of at least 0, got {temperature!r}")
    return float(temperature)


def _check_logits(logits):
    logits = as_array("logits", logits, "float64")
    if logits.ndim != 1 or logits.size == 0:
        raise ValueError(f"logits must be one row (vocab,), not empty, got shape {logits.shape}")
    if np.isnan(logits).any() or np.isposinf(logits).any():
        place = int(np.argmin(logits < math.inf))  # NaN is not below infinity either
        raise ValueError(f"logit {place} is {logits[place]}: no probability follows from it")
    if np.isneginf(logits).all():
        raise ValueError("every logit is minus infinity: no token is possible")
    return logits
