"""Beam search: looking for a probable text instead of drawing one."""

import numpy as np
from keras import ops, tree

from lmkit import _arguments
from lmkit.backend import compiled_for
from lmkit.decoding.compiled import sizes
from lmkit.decoding.loop import check_model, room, stop_ids, whole_reader
from lmkit.decoding.sampling import check_logits


def beam_search(model, prompt, length, width, stop=None, length_power=1.0, return_all=False):
    """Searches for a probable text: keeps the `width` best beginnings, token after token.

    A text scores log p / (number of added ids) ** length_power: with 0 short texts win, with 1
    it is the mean per token. A text that has ended leaves its place in the beam.

    Args:
        model, prompt, length, stop: as for `generate`.
        width: how many beginnings are kept; 1 is greedy decoding.
        length_power: how much longer texts are favored, 0 or larger.
        return_all: True for a list of the `width` best texts instead of the best one.

    Returns:
        The best text, a list of ids, and its score; with `return_all` such pairs, best first.

    Example:
        >>> beam_search(lambda ids: np.log([0.4, 0.6]), [0], length=2, width=2)[0]
        [0, 1, 1]

    Source: Lowerre, 1976; Wu et al., 2016 (the length).
    """
    vocab_size = check_model(model)
    begin = _arguments.ids("prompt", prompt, 1, vocab_size).tolist()
    length = _arguments.whole("length", length)
    width = _arguments.whole("width", width)
    power = _arguments.real("length_power", length_power, least=0)
    stops = stop_ids(stop, vocab_size)
    if vocab_size is not None and length <= room(model, [begin]):
        reader = _ModelBeams(model, begin, length, width)
    else:
        function = model if vocab_size is None else whole_reader(model)
        reader = _FunctionBeams(function, begin, stops)
    found = _search(reader, length, width, stops, power)
    texts = [(begin + added, score) for added, score in found[:width]]
    return texts if _arguments.flag("return_all", return_all) else texts[0]


def _search(reader, length, width, stops, power):
    """Runs the search; returns all kept texts, the best first, as (added ids, score)."""
    beams, ended = [([], 0.0)], []
    logits = reader.first()
    for added in range(1, length + 1):
        rows, tokens, totals = _best(logits, beams, 2 * width if stops else width)
        longer = [([*beams[row][0], token], total)
                  for row, token, total in zip(rows, tokens, totals, strict=True)]  # fmt: skip
        # Only what is among the best `width` may end here: a text that ends further down is
        # worse than texts that go on. Twice as many were kept, so that `width` go on.
        ended += [(ids, total / added**power) for ids, total in longer[:width] if ids[-1] in stops]
        going = [n for n, (ids, _) in enumerate(longer) if ids[-1] not in stops][:width]
        beams = [longer[n] for n in going]
        ended = sorted(ended, key=_score)[:width]
        # Totals only fall, so no open text can end better than this.
        hope = beams[0][1] / length**power if beams else -np.inf
        if not beams or (len(ended) == width and ended[-1][1] >= hope):
            return ended
        if added < length:
            logits = reader.after([rows[n] for n in going], [tokens[n] for n in going])
    return sorted([*ended, *((ids, total / length**power) for ids, total in beams)], key=_score)


def _score(text):
    return -text[1]


def _best(logits, beams, count):
    """Finds the most probable continuations: their beams, their tokens, their log p."""
    if len(beams[0][0]) == 0:
        logits = logits[:1]
    logits = np.array([check_logits(row) for row in logits[: len(beams)]])  # (beams, V)
    shifted = logits - logits.max(axis=1, keepdims=True)
    logp = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    totals = (logp + np.array([[total] for _, total in beams])).ravel()
    # Impossible tokens would be beams that can never be said.
    count = min(count, int(np.isfinite(totals).sum()))
    best = np.argpartition(-totals, count - 1)[:count]
    best = best[np.lexsort((best, -totals[best]))]
    rows, tokens = np.divmod(best, logits.shape[1])
    return rows.tolist(), tokens.tolist(), totals[best].tolist()


class _FunctionBeams:
    """Reads beams with a plain function, each text as a whole."""

    def __init__(self, function, prompt, stops):
        self.function, self.texts, self.stops = function, [prompt], stops

    def first(self):
        logits = self._read()
        # Only the answer tells how large a function's vocabulary is.
        _arguments.ids("prompt", [*self.texts[0], *self.stops], 1, logits.shape[1])
        return logits

    def after(self, rows, tokens):
        texts = self.texts
        self.texts = [[*texts[row], token] for row, token in zip(rows, tokens, strict=True)]
        return self._read()

    def _read(self):
        return np.array([check_logits(self.function(list(text))) for text in self.texts])


class _ModelBeams:
    """Reads beams with a language model: one step per token, the states follow the beams."""

    def __init__(self, model, prompt, length, width):
        self.model, self.prompt, self.length, self.width = model, prompt, length, width

    def first(self):
        width, steps = sizes(self.model, len(self.prompt), self.length)
        gap = width - len(self.prompt)
        ids = np.array([[0] * gap + self.prompt], "int32")
        start = self.model.start(1, width + steps - 1, np.array([gap], "int32"))
        return self._step(np.zeros(1, "int32"), ids, start)

    def after(self, rows, tokens):
        # Always `width` rows, so that one compiled function serves every step.
        spare = [0] * (self.width - len(rows))
        ids = np.array([[token] for token in tokens + spare], "int32")
        return self._step(np.array(rows + spare, "int32"), ids, self.state)

    def _step(self, rows, ids, state):
        compiled = compiled_for(self.model, "beam", self._reordered)
        logits, self.state = compiled(rows, ids, state)
        return ops.convert_to_numpy(ops.cast(logits[:, -1], "float32")).astype("float64")

    def _reordered(self, rows, ids, state):
        def follow(part):  # scalars belong to all beams
            return ops.take(part, rows, axis=0) if len(part.shape) else part

        return self.model.step(ids, tree.map_structure(follow, state))
