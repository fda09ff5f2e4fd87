"""One model of the same size from each library, and the workers that train them.

Each worker prepares its model and returns a function that does one turn and returns what it
measured, a dict. Libraries are imported in it, so that a process loads only its own. work.py
runs the workers.
"""

import sys
import time

import numpy as np

# nanoGPT's setting for a CPU: 0.8 M parameters.
SIZES = {
    "layers": 4,
    "heads": 4,
    "width": 128,
    "time": 64,
    "batch": 12,
    "vocab": 65,
    "steps": 60,  # per turn
}


def random_batches(sizes):
    """Inputs and targets of a turn, `(steps * batch, time)`; ids from 1, as 0 is padding."""
    rng = np.random.default_rng(0)
    shape = (sizes["steps"] * sizes["batch"], sizes["time"] + 1)
    ids = rng.integers(1, sizes["vocab"], size=shape, dtype="int32")
    return ids[:, :-1], ids[:, 1:]


def our_model(sizes):
    """The course's Transformer."""
    from lmkit.models import TransformerLM

    model = TransformerLM(
        vocab_size=sizes["vocab"],
        max_length=sizes["time"],
        embed_dim=sizes["width"],
        num_heads=sizes["heads"],
        ff_dim=4 * sizes["width"],
        num_layers=sizes["layers"],
    )
    model(np.zeros((1, sizes["time"]), "int32"))  # makes the weights
    return model


def our_lstm(sizes):
    """The course's recurrent model, as wide as the Transformer."""
    from lmkit.models import RecurrentLM

    width = sizes["width"]
    model = RecurrentLM(vocab_size=sizes["vocab"], embed_dim=width, units=width)
    model(np.zeros((1, 2), "int32"))
    return model


def hub_model(sizes):
    """KerasHub's GPT-2."""
    import keras_hub

    backbone = keras_hub.models.GPT2Backbone(
        vocabulary_size=sizes["vocab"],
        num_layers=sizes["layers"],
        num_heads=sizes["heads"],
        hidden_dim=sizes["width"],
        intermediate_dim=4 * sizes["width"],
        dropout=0.0,
        max_sequence_length=sizes["time"],
    )
    return keras_hub.models.GPT2CausalLM(backbone, preprocessor=None)


def torch_model(sizes):
    """The transformers library's GPT-2, in PyTorch."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    none = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
    config = GPT2Config(
        vocab_size=sizes["vocab"],
        n_positions=sizes["time"],
        n_embd=sizes["width"],
        n_layer=sizes["layers"],
        n_head=sizes["heads"],
        bos_token_id=None,
        eos_token_id=None,
        **none,
    )
    return GPT2LMHeadModel(config)


def compiled(model):
    """Adam and the cross-entropy, compiled by XLA."""
    import keras

    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss=loss, jit_compile=True)
    return model


def fit(model, inputs, targets, sizes, callbacks=()):
    """One turn of `model.fit`, seconds per step.

    Counted is the epoch, from its first batch to the end of its callbacks. After it tf.data's
    tuner may let `fit` wait for its next look, 10 ms times 2, 4, 8, ... after its start.
    """
    import keras

    seconds = []
    clock = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda *_: seconds.append(-time.perf_counter()),
        on_epoch_end=lambda *_: seconds.append(time.perf_counter()),
    )
    model.fit(
        inputs,
        targets,
        batch_size=sizes["batch"],
        shuffle=False,
        verbose=0,
        callbacks=[*callbacks, clock],
    )
    return {"seconds per step": sum(seconds) / sizes["steps"]}


def train_lmkit(sizes):
    """The course's model."""
    model, (inputs, targets) = compiled(our_model(sizes)), random_batches(sizes)
    return lambda: fit(model, inputs, targets, sizes)


def compiled_as_in_chapters(model):
    """Warmup, a cosine, gradients clipped to norm 1, and targets that may be ignored."""
    import keras

    from lmkit.training import lm_loss, warmup_cosine

    optimizer = keras.optimizers.Adam(
        warmup_cosine(1e-3, 100_000), beta_2=0.98, global_clipnorm=1.0
    )
    model.compile(optimizer, lm_loss(), jit_compile=True)
    return model


def train_lmkit_course(sizes):
    """The course's model, compiled as the chapters do it."""
    model, (inputs, targets) = compiled_as_in_chapters(our_model(sizes)), random_batches(sizes)
    return lambda: fit(model, inputs, targets, sizes)


def train_lmkit_callbacks(sizes):
    """The same with the course's callbacks."""
    import contextlib

    from lmkit.callbacks import EpochReport, TextSample
    from lmkit.decoding import generate

    model, (inputs, targets) = compiled_as_in_chapters(our_model(sizes)), random_batches(sizes)
    length = min(40, sizes["time"] - 1)
    sample = TextSample(lambda: str(generate(model, [1], length, top_k=40)))

    def turn():
        with contextlib.redirect_stdout(sys.stderr):
            return fit(model, inputs, targets, sizes, [EpochReport(), sample])

    return turn


def train_keras_hub(sizes):
    """KerasHub's GPT-2."""
    model, (ids, targets) = compiled(hub_model(sizes)), random_batches(sizes)
    inputs = {"token_ids": ids, "padding_mask": np.ones_like(ids)}
    return lambda: fit(model, inputs, targets, sizes)


def train_torch(sizes, compile_it=False):
    """PyTorch, eager."""
    import torch

    model, (inputs, targets) = torch_model(sizes), random_batches(sizes)
    run = torch.compile(model) if compile_it else model
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    pairs = [
        [torch.tensor(part[start : start + sizes["batch"]], dtype=torch.long) for part in pair]
        for pair in [(inputs, targets)]
        for start in range(0, len(inputs), sizes["batch"])
    ]

    def turn():
        started = time.perf_counter()
        for ids, wanted in pairs:
            logits = run(input_ids=ids, use_cache=False).logits
            loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), wanted.flatten())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            loss.item()  # what every training loop looks at
        return {"seconds per step": (time.perf_counter() - started) / len(pairs)}

    return turn


def train_torch_compile(sizes):
    """PyTorch, compiled."""
    return train_torch(sizes, compile_it=True)


PEERS = {
    ("training", "lmkit"): train_lmkit,
    ("training", "lmkit, as in the chapters"): train_lmkit_course,
    ("training", "lmkit, with callbacks"): train_lmkit_callbacks,
    ("training", "KerasHub"): train_keras_hub,
    ("training", "PyTorch"): train_torch,
    ("training", "PyTorch, torch.compile"): train_torch_compile,
}
