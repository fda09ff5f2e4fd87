"""The workers that read and write text. work.py runs them."""

import time

import numpy as np
from peers import hub_model, our_lstm, our_model, torch_model

PROMPT = 8  # ids of every prompt, if nothing else is said


def prompts_of(sizes, length=PROMPT):
    """Random prompts, one for each text of the batch."""
    rng = np.random.default_rng(1)
    return rng.integers(1, sizes["vocab"], size=(sizes["batch"], length)).tolist()


def seconds_of(function):
    """How long a call takes, and what it returns."""
    started = time.perf_counter()
    result = function()
    return time.perf_counter() - started, result


# Tokens per second.


def per_second(write, sizes):
    """A turn that writes everything but the prompts."""
    count = (sizes["time"] - PROMPT) * sizes["batch"]

    def turn():
        seconds, texts = seconds_of(write)
        assert len(texts) == sizes["batch"], len(texts)
        assert all(len(ids) == sizes["time"] for ids in texts), [len(ids) for ids in texts]
        return {"tokens per second": count / seconds}

    return turn


def write_lmkit(sizes):
    """The course's `generate_batch`: the whole loop compiled."""
    from lmkit.decoding import generate_batch

    model, prompts = our_model(sizes), prompts_of(sizes)
    length = sizes["time"] - PROMPT
    return per_second(lambda: generate_batch(model, prompts, length, top_k=40), sizes)


def write_keras_hub(sizes):
    """KerasHub's generate, the whole loop compiled."""
    import keras_hub

    sampler = keras_hub.samplers.TopKSampler(k=40)
    return per_second(_hub_generate(sizes, sampler), sizes)


def _hub_generate(sizes, sampler):
    model = hub_model(sizes)
    model.compile(sampler=sampler, jit_compile=True)
    ids = np.zeros((sizes["batch"], sizes["time"]), "int32")
    ids[:, :PROMPT] = prompts_of(sizes)
    inputs = {"token_ids": ids, "padding_mask": (ids != 0).astype("int32")}
    return lambda: model.generate(inputs, stop_token_ids=None)["token_ids"]


def write_transformers(sizes):
    """The transformers library's generate with its cache."""
    return per_second(_torch_generate(sizes, do_sample=True, top_k=40), sizes)


def _torch_generate(sizes, **settings):
    import torch

    model, prompts = torch_model(sizes).eval(), torch.tensor(prompts_of(sizes))
    length = sizes["time"] - PROMPT
    settings |= {"use_cache": True, "pad_token_id": 0}
    settings |= {"max_new_tokens": length, "min_new_tokens": length}
    return lambda: model.generate(prompts, attention_mask=torch.ones_like(prompts), **settings)


# A recurrent model: the compiled loop beside one in Python.


def write_lstm(sizes):
    """`generate` with a RecurrentLM: the loop compiled."""
    from lmkit.decoding import generate

    model, (prompt, *_) = our_lstm(sizes), prompts_of(sizes)
    length = sizes["time"] - PROMPT
    return per_second(lambda: [generate(model, prompt, length, top_k=40)], sizes)


def write_lstm_in_python(sizes):
    """The same steps, each a call from Python, and the draw in NumPy."""
    from keras import ops

    from lmkit.decoding import sample_token

    model, (prompt, *_) = our_lstm(sizes), prompts_of(sizes)

    def write():
        ids, rng = list(prompt), np.random.default_rng(0)
        logits, state = model.step(np.array([ids], "int32"), model.start(1, sizes["time"]))
        while True:
            last = ops.convert_to_numpy(logits[0, -1])
            ids.append(sample_token(last, rng=rng, top_k=40))
            if len(ids) == sizes["time"]:
                return [ids]
            logits, state = model.step(np.array([ids[-1:]], "int32"), state)

    return per_second(write, sizes)


# The first token after a long prompt.


def first_token(model, sizes):
    """A turn: the first token after a prompt, and one `predict` of the same text."""
    from lmkit.decoding import generate

    (prompt,) = prompts_of(sizes | {"batch": 1}, sizes["time"] - 12)
    rows = np.array([prompt], "int32")

    def turn():
        first, _ = seconds_of(lambda: generate(model, prompt, 1, temperature=0))
        predicted, _ = seconds_of(lambda: model.predict(rows, verbose=0))
        return {"seconds": first, "seconds of predict": predicted}

    return turn


def first_token_lstm(sizes):
    """The course's recurrent model."""
    return first_token(our_lstm(sizes), sizes)


def first_token_transformer(sizes):
    """The course's Transformer."""
    return first_token(our_model(sizes), sizes)


# Beam search.

WIDTH = 4


def beam(search, calls=None):
    """A turn of one search; `calls` is a list that gets an entry at every call of the model."""

    def turn():
        if calls is not None:
            calls.clear()
        seconds, _ = seconds_of(search)
        return {"seconds": seconds} | ({} if calls is None else {"calls": len(calls)})

    return turn


def beam_lmkit(sizes):
    """`beam_search` with a model: the state follows the beams."""
    from lmkit.decoding import beam as module

    model, (prompt, *_), calls = our_model(sizes), prompts_of(sizes), []
    compiled_for = module.compiled_for

    def counted(*arguments):
        function = compiled_for(*arguments)
        return lambda *inputs: calls.append(1) or function(*inputs)

    module.compiled_for = counted
    length = sizes["time"] - PROMPT
    return beam(lambda: module.beam_search(model, prompt, length, WIDTH), calls)


def beam_function(sizes):
    """`beam_search` with a function, which reads every text from its beginning."""
    from keras import ops

    from lmkit.backend import compiled_for
    from lmkit.decoding import beam_search

    model, (prompt, *_), calls = our_model(sizes), prompts_of(sizes), []
    read = compiled_for(model, "whole text", lambda ids: model(ids))

    def next_logits(ids):
        calls.append(1)
        rows = np.zeros((1, sizes["time"]), "int32")  # one length: compiled once
        rows[0, : len(ids)] = ids
        return ops.convert_to_numpy(read(rows)[0, len(ids) - 1])

    length = sizes["time"] - PROMPT
    return beam(lambda: beam_search(next_logits, prompt, length, WIDTH), calls)


def beam_keras_hub(sizes):
    """KerasHub's sampler."""
    import keras_hub

    sizes = sizes | {"batch": 1}
    return beam(_hub_generate(sizes, keras_hub.samplers.BeamSampler(num_beams=WIDTH)))


def beam_transformers(sizes):
    """The transformers library's search."""
    return beam(_torch_generate(sizes | {"batch": 1}, num_beams=WIDTH, do_sample=False))


# Filters: one row of logits over a large vocabulary.

FILTERS = {
    "nothing": {},
    "top-k 40": {"top_k": 40},
    "top-p 0.9": {"top_p": 0.9},
    "both": {"top_k": 40, "top_p": 0.9},
}


def many_logits(sizes):
    """Rows of random logits, as wide as the vocabulary."""
    shape = (sizes["steps"], sizes["vocab"])
    return np.random.default_rng(0).normal(scale=3, size=shape).astype("float32")


def filtered(rows, draw):
    """A turn that draws from every row with each pair of limits; milliseconds per token."""

    def turn():
        found = {}
        for name, limits in FILTERS.items():
            started = time.perf_counter()
            for row in rows:
                draw(row, **limits)
            found[name] = 1e3 * (time.perf_counter() - started) / len(rows)
        return found

    return turn


def filters_lmkit(sizes):
    """`sample_token`, in NumPy."""
    from lmkit.decoding import sample_token

    rng = np.random.default_rng(0)
    return filtered(many_logits(sizes), lambda row, **limits: sample_token(row, 1.0, rng, **limits))


def filters_transformers(sizes):
    """The transformers library's filters and PyTorch's draw."""
    import torch
    from transformers import TopKLogitsWarper, TopPLogitsWarper

    def draw(row, top_k=None, top_p=None):
        row = row[None]
        if top_k is not None:
            row = TopKLogitsWarper(top_k)(None, row)
        if top_p is not None:
            row = TopPLogitsWarper(top_p)(None, row)
        return torch.multinomial(row.softmax(-1), 1)

    return filtered(torch.tensor(many_logits(sizes)), draw)


# Scoring texts over a large vocabulary.


def score_lmkit(sizes):
    """`score_tokens`; the peak of this process counts, so it is the only thing done here."""
    import resource

    from lmkit.metrics import score_tokens

    model, rng = our_model(sizes), np.random.default_rng(0)
    inputs, targets = rng.integers(1, sizes["vocab"], (2, sizes["batch"], sizes["time"]))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    def turn():
        seconds, losses = seconds_of(lambda: score_tokens(model, inputs, targets))
        assert losses.shape == targets.shape, losses.shape
        return {"seconds": seconds, "MiB before": round(before)}

    return turn


PEERS = {
    ("decoding", "lmkit"): write_lmkit,
    ("decoding", "KerasHub"): write_keras_hub,
    ("decoding", "transformers"): write_transformers,
    ("recurrent", "compiled"): write_lstm,
    ("recurrent", "Python"): write_lstm_in_python,
    ("first token", "RecurrentLM"): first_token_lstm,
    ("first token", "TransformerLM"): first_token_transformer,
    ("beam", "lmkit"): beam_lmkit,
    ("beam", "lmkit, a function"): beam_function,
    ("beam", "KerasHub"): beam_keras_hub,
    ("beam", "transformers"): beam_transformers,
    ("filters", "lmkit"): filters_lmkit,
    ("filters", "transformers"): filters_transformers,
    ("scoring", "lmkit"): score_lmkit,
}
