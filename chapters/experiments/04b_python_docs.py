"""Bits per character on real prose: the Transformer on notebook 02b's text, five seeds.

    python chapters/experiments/04b_python_docs.py       # one command line for all: see runner.py

The text, the split and the windows are those of 02b_python_docs.py, and a training run costs
what the LSTM's costs there (see --calibrate). The settings are the best of a few tried at that
cost, with seed 9.
"""

import importlib

from runner import Experiment, Fit, compile_language_model, main

from lmkit.batches import windows
from lmkit.models import TransformerLM

docs = importlib.import_module("02b_python_docs")  # a name that begins with a digit
SETTINGS = {
    "WINDOW": 128,
    "BATCH_SIZE": 8,
    "EMBED_DIM": 128,
    "NUM_HEADS": 4,
    "FF_DIM": 512,
    "NUM_LAYERS": 2,
    "PASSES": 8,
    "LEARNING_RATE": 3e-3,
    "DROPOUT": 0.0,  # eight passes are too few for it to help
}
VARIANTS = {"runs": None}  # one model only, under the name by which chapter 04b finds it


def build(variant, data, seed):
    """A model with the notebook's sizes, and its training."""
    model = TransformerLM(
        vocab_size=data.vocab_size,
        max_length=SETTINGS["WINDOW"],
        embed_dim=SETTINGS["EMBED_DIM"],
        num_heads=SETTINGS["NUM_HEADS"],
        ff_dim=SETTINGS["FF_DIM"],
        num_layers=SETTINGS["NUM_LAYERS"],
        dropout=SETTINGS["DROPOUT"],
    )
    rows = windows(data.train, SETTINGS["WINDOW"])  # (N, 128) inputs and targets
    fit = Fit(*rows, SETTINGS["BATCH_SIZE"], SETTINGS["PASSES"])
    return compile_language_model(model, fit, SETTINGS["LEARNING_RATE"])


def measure(model, variant, data, history):
    """Bits per character on both texts, in windows."""
    # One row is out of reach: a Transformer reads no further than its positions.
    parts = {"training": data.train, "held out, windows": data.held_out}
    return {
        name: docs.bits(model, *windows(ids, SETTINGS["WINDOW"])) for name, ids in parts.items()
    }


def contenders(data):
    """The Transformer beside notebook 02b's LSTM; their batches differ in size."""
    return {"lstm": docs.build(None, data, 0), "transformer": build(None, data, 0)}


EXPERIMENT = Experiment(
    "04b_python_docs", SETTINGS, VARIANTS, docs.load, build, measure, contenders=contenders
)

if __name__ == "__main__":
    main(EXPERIMENT)
