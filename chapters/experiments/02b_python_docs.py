"""Bits a character on real prose: chapter 02's model on Python's documentation, five seeds.

    python chapters/experiments/02b_python_docs.py

Every paragraph is kept once, the last tenth is held out, and only then are windows cut.
Writes, after every run, chapters/results/02b_python_docs.json. Takes twenty minutes
on two cores. The text differs a little between Python versions; the version is stored.
"""

import json
import pathlib
import platform
import time

import keras
import numpy as np

from lmkit.callbacks import EpochReport
from lmkit.datasets import load_python_docs
from lmkit.files import write_atomic
from lmkit.metrics import token_losses
from lmkit.models import compile_lm, lstm_lm
from lmkit.tokenizers import CharTokenizer
from lmkit.windows import cut_windows

RESULTS = pathlib.Path(__file__).parents[1] / "results" / "02b_python_docs.json"
SEEDS = range(5)
RATES = (0.0, 0.1, 0.3, 1.0)  # of the model that learns on while it is tested; 0 stands still
SETTINGS = {
    "WINDOW": 128,
    "BATCH_SIZE": 32,
    "EMBED_DIM": 64,
    "UNITS": 256,
    "PASSES": 10,
    "LEARNING_RATE": 8e-3,
}


def load():
    """The training and the held-out text: paragraphs that occur once, split at nine tenths."""
    paragraphs = list(dict.fromkeys(load_python_docs().split("\n\n")))
    text = "\n\n".join(paragraphs)
    cut = text.index("\n\n", len(text) * 9 // 10)
    return text[:cut], text[cut:]


def bits(model, rows):
    """Bits a character on rows of ids."""
    logits = model.predict(rows[:, :-1], batch_size=64, verbose=0)
    losses = token_losses(logits, rows[:, 1:])
    return losses.sum() / np.count_nonzero(rows[:, 1:]) / np.log(2)


def bits_while_learning(model, rows, rates):
    """Bits a character on rows, each predicted first and learned from afterwards, in order.

    For every rate on the first third, on which the rate may be chosen, and on the rest.
    """
    start, found = model.get_weights(), {}
    words, third = np.count_nonzero(rows[:, 1:], axis=1), len(rows) // 3
    model.compile(keras.optimizers.SGD(0.1, clipnorm=1.0), model.loss, jit_compile=True)
    for rate in rates:
        model.optimizer.learning_rate = rate
        nats = [
            float(model.train_on_batch(row[None, :-1], row[None, 1:], return_dict=True)["loss"])
            for row in rows
        ]
        model.set_weights(start)
        found[str(rate)] = [
            round(float(np.average(nats[part], weights=words[part]) / np.log(2)), 4)
            for part in (slice(third), slice(third, None))
        ]
    return found


def run(seed, settings, train, held_out, vocab_size):
    """Trains with one seed and measures on both texts."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    model = lstm_lm(vocab_size, settings["EMBED_DIM"], settings["UNITS"])
    rows = cut_windows(train, settings["WINDOW"])
    steps = settings["PASSES"] * -(-len(rows) // settings["BATCH_SIZE"])
    compile_lm(model, settings["LEARNING_RATE"], steps)
    started = time.perf_counter()
    model.fit(
        rows[:, :-1],
        rows[:, 1:],
        batch_size=settings["BATCH_SIZE"],
        epochs=settings["PASSES"],
        verbose=0,
        callbacks=[EpochReport()],
    )
    seconds = time.perf_counter() - started
    held_out_rows = cut_windows(held_out, settings["WINDOW"])
    return {
        "parameters": model.count_params(),
        "steps": steps,
        "seconds": round(seconds, 1),
        "training": round(float(bits(model, rows)), 4),
        "held out, windows": round(float(bits(model, held_out_rows)), 4),
        # Read as one text: the state is carried from the first character to the last.
        "held out, one row": round(float(bits(model, held_out[None])), 4),
        # The last: it compiles the model anew.
        "held out, learning on": bits_while_learning(model, held_out_rows, RATES),
    }


def main():
    """Runs the seeds that the results file does not hold yet."""
    train_text, held_out_text = load()
    tokenizer = CharTokenizer.train([train_text])
    train, held_out = (np.array(tokenizer.encode(text)) for text in (train_text, held_out_text))
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"runs": {}}
    results |= {"settings": SETTINGS, "python": platform.python_version()}
    for seed in [seed for seed in SEEDS if str(seed) not in results["runs"]]:
        found = run(seed, SETTINGS, train, held_out, tokenizer.vocab_size)
        results["runs"][str(seed)] = found
        print(seed, found, flush=True)
        write_atomic(RESULTS, json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
