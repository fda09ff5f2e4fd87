"""Do TensorFlow, JAX and PyTorch compute the same with the same weights? One table.

    python tests/lanes/agreement.py --python jax=PATH --python torch=PATH

Each backend works in a process of its own, with the interpreter named for it (this one if
none is). All of them get chapter 02's and chapter 04's models with the same random weights and
the same stories, and report the logits, the loss, its gradients, a text drawn with a seed, and
the weights after ten steps of SGD. What is compared is the largest difference, divided by the
largest number. A float32 keeps 6e-8 of a number; sums of hundreds to thousands of products in
another order lose about ten times that, and a dozen layers forward and backward ten times that
again: 1e-5. The ids of a drawn text are whole numbers below 168: below 1e-5 they are equal.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np

ALLOWED = 1e-5
BACKENDS = ("tensorflow", "jax", "torch")
PAGE = pathlib.Path(__file__).parents[2] / "MAINTAINING.md"


def models():
    """Chapter 02's and chapter 04's model, by name."""
    from lmkit import stories
    from lmkit.models import RecurrentLM, TransformerLM

    words = stories.tokenizer().vocab_size
    transformer = {"embed_dim": 64, "num_heads": 4, "ff_dim": 256, "num_layers": 2}
    return {
        "LSTM, chapter 02": RecurrentLM(vocab_size=words, embed_dim=64, units=128),
        "Transformer, chapter 04": TransformerLM(vocab_size=words, max_length=96, **transformer),
    }


def measure(model, inputs, targets):
    """What a backend makes of a model, inputs and targets: a dict of arrays."""
    import keras
    from keras import ops

    from lmkit.backend import value_and_gradients
    from lmkit.training import lm_loss

    model(inputs)  # makes the weights
    rng = np.random.default_rng(0)
    for weight in model.weights:
        weight.assign(rng.normal(scale=0.1, size=weight.shape).astype("float32"))

    def loss_of(*values):
        logits, _ = model.stateless_call(list(values), others, inputs, training=False)
        return lm_loss()(targets, logits)

    others = [ops.convert_to_tensor(one.numpy()) for one in model.non_trainable_variables]
    values = [ops.convert_to_tensor(weight.numpy()) for weight in model.trainable_variables]
    value, gradients = value_and_gradients(loss_of, *values)
    found = {
        "logits": ops.convert_to_numpy(model(inputs)),
        "loss": ops.convert_to_numpy(value),
        "gradients": _flat(gradients),
        "drawn text": np.array(_drawn_text(model, inputs[0, :1])),
    }
    model.compile(keras.optimizers.SGD(0.1), lm_loss())
    ten = [np.concatenate([rows] * 10) for rows in (inputs, targets)]
    model.fit(*ten, batch_size=len(inputs), shuffle=False, verbose=0)
    return found | {"ten steps": _flat(model.trainable_variables)}


def _drawn_text(model, prompt):
    """40 ids drawn with seed 0, as chapters 02 and 04 draw them."""
    from lmkit.decoding import generate

    return generate(model, prompt, length=40, temperature=1.0, seed=0)


def _flat(parts):
    from keras import ops

    return np.concatenate([ops.convert_to_numpy(part).ravel() for part in parts])


def work(path):
    """Measures on the backend of this process and stores everything in one file."""
    from lmkit import stories
    from lmkit.batches import next_tokens

    rows = stories.encode(stories.sample_stories(16, seed=0))
    found = {
        f"{name}/{what}": part
        for name, model in models().items()
        for what, part in measure(model, *next_tokens(rows)).items()
    }
    np.savez(path, **found)


def difference(ours, theirs):
    """The largest difference, as a share of the largest number."""
    ours, theirs = (np.asarray(part, "float64") for part in (ours, theirs))
    if ours.shape != theirs.shape:
        raise ValueError(f"shapes differ: {ours.shape} and {theirs.shape}")
    return float(np.abs(ours - theirs).max() / np.abs(ours).max())


def collect(pythons, folder):
    """What each backend found: a dict of dicts."""
    found = {}
    for backend, python in pythons.items():
        path = pathlib.Path(folder) / f"{backend}.npz"
        environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
        subprocess.run([python, __file__, "--work", path], check=True, env=environment)
        with np.load(path, allow_pickle=False) as stored:
            found[backend] = dict(stored)
    return found


def table(found):
    """Markdown: for each model and quantity the other backends' difference from the first."""
    first, *others = found
    lines = [["", "", *others], ["---"] * (2 + len(others))]
    for name in found[first]:
        row = [f"{difference(found[first][name], found[other][name]):.0e}" for other in others]
        lines.append([*name.split("/"), *row])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def largest(found):
    """The largest difference in the table."""
    first, *others = found
    return max(
        difference(part, found[other][name])
        for other in others
        for name, part in found[first].items()
    )


def main():
    """Reads the command line; exits with 1 if a difference is over what is allowed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", action="append", default=[], metavar="BACKEND=PATH")
    parser.add_argument("--store", action="store_true", help=f"write the table into {PAGE.name}")
    parser.add_argument("--work", type=pathlib.Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        return work(options.work)
    given = dict(pair.split("=", 1) for pair in options.python)
    pythons = {backend: given.get(backend, sys.executable) for backend in BACKENDS}
    with tempfile.TemporaryDirectory() as folder:
        found = collect(pythons, folder)
    print(table(found))
    if options.store:
        marks = r"(<!-- agreement -->\n).*?(\n<!-- /agreement -->)"
        page = PAGE.read_text(encoding="utf-8")
        page, count = re.subn(marks, lambda m: m[1] + table(found) + m[2], page, flags=re.S)
        assert count == 1, f"{PAGE.name} has no place for the table"
        PAGE.write_text(page, encoding="utf-8", newline="\n")
    if largest(found) > ALLOWED:
        raise SystemExit(f"{largest(found):.1e} is over the allowed {ALLOWED:.0e}")


if __name__ == "__main__":
    main()
