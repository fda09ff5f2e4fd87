"""Bits a character on real prose: the Transformer on notebook 02b's text, five seeds.

    python chapters/experiments/04b_python_docs.py

The text, the split and the windows are those of 02b_python_docs.py, and a training costs
what the LSTM's costs there (see --calibrate). The settings are the best of a few tried at
that cost, with seed 9. Writes, after every run, chapters/results/04b_python_docs.json.

`--calibrate` measures the seconds of a training step beside the LSTM's, alternating.
"""

import argparse
import importlib
import pathlib
import platform
import time

import keras
import numpy as np
from story_runs import seconds_a_step, store

from lmkit.callbacks import EpochReport
from lmkit.models import TransformerLM, compile_lm, lstm_lm
from lmkit.tokenizers import CharTokenizer
from lmkit.windows import cut_windows

docs = importlib.import_module("02b_python_docs")
RESULTS = pathlib.Path(__file__).parents[1] / "results" / "04b_python_docs.json"
SEEDS = range(5)
SETTINGS = {
    "WINDOW": 128,
    "BATCH_SIZE": 8,
    "EMBED_DIM": 128,
    "NUM_HEADS": 4,
    "FF_DIM": 512,
    "NUM_LAYERS": 2,
    "PASSES": 8,
    "LEARNING_RATE": 3e-3,
    "DROPOUT": 0.0,
}


def build(settings, vocab_size, steps):
    """A compiled model with the notebook's sizes."""
    sizes = ("WINDOW", "EMBED_DIM", "NUM_HEADS", "FF_DIM", "NUM_LAYERS", "DROPOUT")
    model = TransformerLM(vocab_size, *(settings[name] for name in sizes))
    model.build((None, settings["WINDOW"]))
    return compile_lm(model, settings["LEARNING_RATE"], steps)


def run(seed, settings, train, held_out, vocab_size):
    """Trains with one seed and measures on both texts."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    rows, held_out_rows = (cut_windows(ids, settings["WINDOW"]) for ids in (train, held_out))
    steps = settings["PASSES"] * -(-len(rows) // settings["BATCH_SIZE"])
    model = build(settings, vocab_size, steps)
    started = time.perf_counter()
    model.fit(
        rows[:, :-1],
        rows[:, 1:],
        batch_size=settings["BATCH_SIZE"],
        epochs=settings["PASSES"],
        verbose=0,
        callbacks=[EpochReport()],
    )
    return {
        "parameters": model.count_params(),
        "steps": steps,
        "seconds": time.perf_counter() - started,
        "training": docs.bits(model, rows),
        "held out, windows": docs.bits(model, held_out_rows),
    }


def main():
    """Runs the seeds that the results file does not hold yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calibrate", action="store_true", help="measure the seconds of a step")
    parser.add_argument("--seeds", nargs="*", type=int, default=list(SEEDS))
    arguments = parser.parse_args()
    texts = docs.load()
    tokenizer = CharTokenizer.train([texts[0]])
    train, held_out = (np.array(tokenizer.encode(text)) for text in texts)
    if arguments.calibrate:
        lstm = lstm_lm(tokenizer.vocab_size, docs.SETTINGS["EMBED_DIM"], docs.SETTINGS["UNITS"])
        ours = build(SETTINGS, tokenizer.vocab_size, 10_000)
        models = {"lstm": (compile_lm(lstm, 1e-3, 10_000), docs.SETTINGS["BATCH_SIZE"])}
        models["transformer"] = (ours, SETTINGS["BATCH_SIZE"])
        seconds = seconds_a_step(models, cut_windows(train, SETTINGS["WINDOW"]), steps=16)
        return store(RESULTS, SETTINGS, **{"seconds a step": seconds})
    for seed in arguments.seeds:
        if str(seed) not in store(RESULTS, SETTINGS).get("runs", {}):
            found = run(seed, SETTINGS, train, held_out, tokenizer.vocab_size)
            python = {"version": platform.python_version()}
            store(RESULTS, SETTINGS, runs={str(seed): found}, python=python)
            print(seed, found, flush=True)


if __name__ == "__main__":
    main()
