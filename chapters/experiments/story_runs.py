"""What the scripts of the many-seed runs share: stories, training, measures, results."""

import json
import time

import numpy as np

from lmkit import stories
from lmkit.callbacks import EpochReport, GapToFloor
from lmkit.files import write_atomic
from lmkit.metrics import token_losses

KINDS = ("free", "local", "middle", "long")
DISTANCES = (0, 1, 3, 6, 10, 20, 40, 80)  # a bucket reaches to the next number


def floors(texts):
    """-log p_true of every token of every story, one row after the other."""
    return -np.concatenate([stories.log_probabilities(text) for text in texts])


def where_the_gap_is(model, rows, texts):
    """The loss above the floor by kind and by distance of what the token depends on."""
    losses = token_losses(model.predict(rows[:, :-1], batch_size=250, verbose=0), rows[:, 1:])
    excess = losses[rows[:, 1:] != 0] - floors(texts)
    kinds, distances = map(np.concatenate, zip(*map(stories.token_kinds, texts), strict=True))
    buckets = np.digitize(distances, DISTANCES) - 1
    return {
        "gap": excess.mean(),
        # These four add up to the gap.
        "kinds": {kind: excess[kinds == kind].sum() / len(excess) for kind in KINDS},
        # These are means of the tokens of each bucket that depend on something.
        "distances": [
            excess[chosen].mean()
            for chosen in ((buckets == b) for b in range(1, len(DISTANCES) - 1))
        ],
        "tokens": [int((buckets == b).sum()) for b in range(1, len(DISTANCES) - 1)],
    }


def rounded(value):
    """Four significant digits, wherever a number stands."""
    if isinstance(value, dict):
        return {name: rounded(part) for name, part in value.items()}
    if isinstance(value, list):
        return [rounded(part) for part in value]
    return float(f"{value:.4g}") if isinstance(value, float | np.floating) else value


def load(settings):
    """Rows of training and test stories, and the test stories' texts."""
    train = stories.sample_stories(settings["TRAIN_STORIES"], seed=1)
    test = stories.sample_stories(settings["TEST_STORIES"], seed=2)
    return stories.encode(train), stories.encode(test), test


def train_on(model, passes, train, test, texts, batch_size=32):
    """Trains a compiled model and measures it on the test stories."""
    started = time.perf_counter()
    history = model.fit(
        train[:, :-1],
        train[:, 1:],
        batch_size=batch_size,
        epochs=passes,
        verbose=0,
        callbacks=[GapToFloor(test, floors(texts).mean()), EpochReport()],
    )
    seconds = time.perf_counter() - started
    measured = where_the_gap_is(model, test, texts)
    return {"seconds": seconds, "gaps": history.history["val_gap"], **measured}


def seconds_a_step(models, train, steps=64):
    """Seconds of a training step: medians of five turns, alternating.

    `models` is a dict from a name to a compiled model and the size of its batches.
    """
    seconds = {name: [] for name in models}
    for turn in range(6):
        for name, (model, batch_size) in models.items():
            some = train[: steps * batch_size]
            started = time.perf_counter()
            model.fit(some[:, :-1], some[:, 1:], batch_size=batch_size, verbose=0)
            if turn:  # the first one compiles
                seconds[name].append((time.perf_counter() - started) / steps)
    return {name: float(np.median(values)) for name, values in seconds.items()}


def store(path, settings, **parts):
    """Adds to a results file, which another process may have changed meanwhile."""
    results = json.loads(path.read_text()) if path.exists() else {"settings": settings}
    for name, part in parts.items():
        results[name] = {**results.get(name, {}), **rounded(part)}
    write_atomic(path, json.dumps(results, indent=1) + "\n")
    return results
