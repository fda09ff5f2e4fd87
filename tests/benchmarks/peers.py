"""The workers: one model of the same size from each library, trained or decoded for a turn.

python peers.py TASK PEER '{"layers": 4, ...}'

Each function below prepares its model and returns a function that does one turn. Libraries
are imported in it, so that a process loads only its own.
"""

import json
import os
import resource
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
    "steps": 60,  # a turn
}


def random_batches(sizes):
    """Inputs and targets of a turn, `(steps * batch, time)`; ids from 1, as 0 is padding."""
    rng = np.random.default_rng(0)
    shape = (sizes["steps"] * sizes["batch"], sizes["time"] + 1)
    ids = rng.integers(1, sizes["vocab"], size=shape, dtype="int32")
    return ids[:, :-1], ids[:, 1:]


def our_model(sizes):
    """The course's model."""
    from lmkit.models import TransformerLM

    width = sizes["width"]
    shape = (sizes["vocab"], sizes["time"], width, sizes["heads"], 4 * width, sizes["layers"])
    model = TransformerLM(*shape)
    model.build((None, sizes["time"]))
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
    """One turn of `model.fit`, seconds a step.

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
    return {"seconds a step": sum(seconds) / sizes["steps"]}


def train_lmkit(sizes):
    """The course's model."""
    model, (inputs, targets) = compiled(our_model(sizes)), random_batches(sizes)
    return lambda: fit(model, inputs, targets, sizes)


def train_lmkit_course(sizes):
    """The course's model, compiled as the chapters do it: `compile_lm`."""
    from lmkit.models import compile_lm

    model, (inputs, targets) = our_model(sizes), random_batches(sizes)
    compile_lm(model, 1e-3, steps=100_000)
    return lambda: fit(model, inputs, targets, sizes)


def train_lmkit_callbacks(sizes):
    """The same with the course's callbacks."""
    import contextlib

    from lmkit.callbacks import EpochReport, TextSample
    from lmkit.decoding import TransformerDecoder, generate
    from lmkit.models import compile_lm

    model, (inputs, targets) = our_model(sizes), random_batches(sizes)
    compile_lm(model, 1e-3, steps=100_000)
    decoder = TransformerDecoder(model)
    sample = TextSample(lambda: str(generate(decoder, [1], 40, top_k=40)))

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
        return {"seconds a step": (time.perf_counter() - started) / len(pairs)}

    return turn


def train_torch_compile(sizes):
    """PyTorch, compiled."""
    return train_torch(sizes, compile_it=True)


def prompts_of(sizes):
    """Eight ids each."""
    rng = np.random.default_rng(1)
    return rng.integers(1, sizes["vocab"], size=(sizes["batch"], 8)).tolist()


def per_second(decode, sizes):
    """A turn that decodes all but the eight ids of the prompts."""
    count = (sizes["time"] - 8) * sizes["batch"]

    def turn():
        started = time.perf_counter()
        decoded = decode()
        seconds = time.perf_counter() - started
        assert len(decoded) == sizes["batch"], len(decoded)
        assert all(len(ids) == sizes["time"] for ids in decoded), [len(ids) for ids in decoded]
        return {"tokens a second": count / seconds}

    return turn


def decode_lmkit(sizes):
    """The course's decoder: its cache, the loop and the draw in Python."""
    from lmkit.decoding import TransformerDecoder, generate_batch

    decoder, prompts = TransformerDecoder(our_model(sizes)), prompts_of(sizes)
    length = sizes["time"] - 8
    return per_second(lambda: generate_batch(decoder.batch, prompts, length, top_k=40), sizes)


def decode_lmkit_compiled(sizes):
    """The course's decoder with the loop compiled."""
    from lmkit.compiled_decoding import CompiledDecoder

    decoder, prompts = CompiledDecoder(our_model(sizes)), prompts_of(sizes)
    return per_second(lambda: decoder(prompts, sizes["time"] - 8, top_k=40), sizes)


def decode_keras_hub(sizes):
    """KerasHub's generate, the whole loop compiled."""
    import keras_hub

    model, prompts = hub_model(sizes), np.array(prompts_of(sizes), "int32")
    model.compile(sampler=keras_hub.samplers.TopKSampler(k=40), jit_compile=True)
    ids = np.zeros((sizes["batch"], sizes["time"]), "int32")
    ids[:, :8] = prompts
    inputs = {"token_ids": ids, "padding_mask": (ids != 0).astype("int32")}
    return per_second(lambda: model.generate(inputs, stop_token_ids=None)["token_ids"], sizes)


def decode_transformers(sizes):
    """The transformers library's generate with its cache."""
    import torch

    model, prompts = torch_model(sizes).eval(), torch.tensor(prompts_of(sizes))
    settings = {"do_sample": True, "top_k": 40, "use_cache": True, "pad_token_id": 0}
    length = sizes["time"] - 8

    def decode():
        return model.generate(
            prompts,
            attention_mask=torch.ones_like(prompts),
            max_new_tokens=length,
            min_new_tokens=length,
            **settings,
        )

    return per_second(decode, sizes)


PEERS = {
    ("training", "lmkit"): train_lmkit,
    ("training", "lmkit, compile_lm"): train_lmkit_course,
    ("training", "lmkit, compile_lm, callbacks"): train_lmkit_callbacks,
    ("training", "KerasHub"): train_keras_hub,
    ("training", "PyTorch"): train_torch,
    ("training", "PyTorch, torch.compile"): train_torch_compile,
    ("decoding", "lmkit"): decode_lmkit,
    ("decoding", "lmkit, CompiledDecoder"): decode_lmkit_compiled,
    ("decoding", "KerasHub"): decode_keras_hub,
    ("decoding", "transformers"): decode_transformers,
}


def main():
    """Prepares, then does a turn for every line that comes in."""
    task, peer, arguments = sys.argv[1:]
    answers, sys.stdout = sys.stdout, sys.stderr  # what libraries print goes elsewhere
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    turn = PEERS[task, peer](SIZES | json.loads(arguments))
    for _ in sys.stdin:
        found = turn()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps(found | {"peak MiB": round(peak)}), file=answers, flush=True)


if __name__ == "__main__":
    main()
