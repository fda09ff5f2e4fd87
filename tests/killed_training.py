"""Training runs with everything that has to be restored, to be killed by the tests.

"small" is quick; "lstm" and "transformer" are the models of chapters 02 and 04 at their sizes,
with dropout besides, on stories.

As a script: `python killed_training.py KIND FOLDER RESULT` trains and writes the result.
"""

import random
import sys
import time

import keras
import numpy as np

from lmkit import stories
from lmkit.batches import next_tokens
from lmkit.callbacks import EpochReport
from lmkit.checkpoints import fit_with_backup
from lmkit.decoding import generate
from lmkit.models import RecurrentLM, TransformerLM
from lmkit.training import lm_loss, warmup_cosine

VOCAB, LENGTH, ROWS, BATCH_SIZE = 20, 8, 100, 8  # 13 batches per epoch, the last one of 4 rows
STORY_LENGTH = 79  # words, not counting the last
IDS = np.random.default_rng(0).integers(1, VOCAB, (ROWS, LENGTH + 1)).astype("int32")


class Slow(keras.callbacks.Callback):
    """Draws random numbers, counts, and takes its time, so that a kill interrupts something."""

    def __init__(self, seconds=0.0):
        super().__init__()
        self.seconds, self.drawn, self.batches = seconds, [], np.zeros(2, "int64")
        self.began = []

    def on_epoch_begin(self, epoch, logs=None):
        self.began.append(epoch)  # in place; a resumed epoch begins a second time

    def on_train_batch_end(self, batch, logs=None):
        self.drawn = [*self.drawn[-3:], random.random(), np.random.random(), np.float32(batch)]
        self.batches += (1, batch)  # in place
        time.sleep(self.seconds)
        if self.batches[0] == 1 or self.seconds:
            print("batch", flush=True)


def new_model(kind, jit_compile=True):
    """A model with dropout and a metric, compiled as the chapters do it."""
    words = stories.tokenizer().vocab_size
    if kind == "lstm":
        model = RecurrentLM(vocab_size=words, embed_dim=64, dropout=0.3)
    elif kind == "small":
        sizes = [keras.layers.Embedding(VOCAB, 4), keras.layers.Dropout(0.3)]
        model = keras.Sequential([keras.Input((None,)), *sizes, keras.layers.Dense(VOCAB)])
    else:
        sizes = {"embed_dim": 64, "num_heads": 4, "ff_dim": 256, "num_layers": 2}
        model = TransformerLM(vocab_size=words, max_length=STORY_LENGTH, **sizes, dropout=0.3)
    optimizer = keras.optimizers.Adam(warmup_cosine(8e-3, 2_000, 10), global_clipnorm=1.0)
    metrics = [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]
    model.compile(optimizer, lm_loss(), metrics=metrics, jit_compile=jit_compile)
    return model


def rows_for(kind):
    """What a kind of model reads, and what it predicts."""
    if kind == "small":
        return next_tokens(IDS)
    rows = stories.encode(stories.sample_stories(ROWS, seed=0))
    return next_tokens([row[: STORY_LENGTH + 1] for row in rows])


def train(kind, folder, epochs=3, seconds=0.0, save_freq=4, more=(), jit_compile=True):
    """Trains and returns everything that must not depend on interruptions."""
    keras.utils.set_random_seed(7)
    model, (inputs, targets) = new_model(kind, jit_compile), rows_for(kind)
    slow = Slow(seconds)
    stopping = keras.callbacks.EarlyStopping("val_loss", patience=epochs)
    history = fit_with_backup(
        model,
        inputs,
        targets,
        folder,
        batch_size=BATCH_SIZE,
        epochs=epochs,
        seed=3,
        callbacks=[EpochReport(), slow, stopping, *more],
        validation_data=(inputs[:20], targets[:20]),
        save_freq=save_freq,
    )
    return everything(model, history, slow, stopping, inputs[:4])


def everything(model, history, slow, stopping, ids):
    """A dictionary of arrays: equal dictionaries, equal runs."""
    found = [*model.variables, *model.optimizer.variables, *model.metrics_variables]
    arrays = {f"variable {n}": keras.ops.convert_to_numpy(each) for n, each in enumerate(found)}
    arrays |= {f"history {name}": np.array(values) for name, values in history.history.items()}
    return {
        **arrays,
        "epochs": np.array(history.epoch),
        "drawn": np.array(slow.drawn),
        "batches": slow.batches,
        "began": np.array(slow.began),
        "stopping": np.array([stopping.wait, stopping.best, stopping.best_epoch]),
        "next": np.array([random.random(), np.random.random()]),
        "dropout": keras.ops.convert_to_numpy(model(ids, training=True)),
        "text": np.array(next_text(model, ids[0, :2])),
    }


def next_text(model, prompt, length=6):
    """Ids that the model draws."""

    def next_logits(so_far):
        return keras.ops.convert_to_numpy(model(np.array([so_far], "int32"))[0, -1])

    return generate(next_logits, prompt, length, seed=0)


if __name__ == "__main__":
    kind, folder, result, epochs, seconds, jit_compile = sys.argv[1:]
    made = train(kind, folder, int(epochs), float(seconds), jit_compile=jit_compile == "jit")
    np.savez(result, **made)
