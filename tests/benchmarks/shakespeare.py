"""Tiny Shakespeare in nanoGPT's setting for a CPU: 2,000 steps, three seeds.

    python tests/benchmarks/shakespeare.py [input.txt]

4 blocks, 4 heads, 128 wide, 64 characters, batches of 12 windows from random places, no
dropout. The last tenth of the text is held out, and all of it is scored, in windows. The
learning rate was chosen once, with a seed that is not among the three.
"""

import sys
import time

import keras
import numpy as np
from alternate import write

from lmkit.datasets import load_tiny_shakespeare
from lmkit.metrics import token_losses
from lmkit.models import TransformerLM, compile_lm
from lmkit.tokenizers import CharTokenizer
from lmkit.windows import cut_windows

SEEDS = (0, 1, 2)
STEPS, BATCH, TIME, LEARNING_RATE = 2_000, 12, 64, 3e-3


def run(seed, train, held_out, vocab_size, steps=STEPS):
    """Trains with one seed; the loss in nats a character on all held-out windows."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    model = TransformerLM(vocab_size, TIME, 128, 4, 512, 4)
    compile_lm(model, LEARNING_RATE, steps)
    starts = np.random.default_rng(seed).integers(0, len(train) - TIME, steps * BATCH)
    rows = train[starts[:, None] + np.arange(TIME + 1)]  # (windows, T + 1)
    started = time.perf_counter()
    model.fit(rows[:, :-1], rows[:, 1:], batch_size=BATCH, shuffle=False, verbose=0)
    seconds = time.perf_counter() - started
    windows = cut_windows(held_out, TIME)
    losses = token_losses(model.predict(windows[:, :-1], verbose=0), windows[:, 1:])
    return {"loss": losses.sum() / np.count_nonzero(windows[:, 1:]), "seconds": seconds}


def main():
    """Trains with every seed and stores."""
    text = load_tiny_shakespeare(*sys.argv[1:])
    cut = len(text) * 9 // 10
    tokenizer = CharTokenizer.train([text])
    train, held_out = (np.array(tokenizer.encode(part)) for part in (text[:cut], text[cut:]))
    results = {}
    for seed in SEEDS:
        found = run(seed, train, held_out, tokenizer.vocab_size)
        results[str(seed)] = {name: round(float(value), 4) for name, value in found.items()}
        print(seed, results[str(seed)], flush=True)
    settings = {"steps": STEPS, "batch": BATCH, "time": TIME, "learning rate": LEARNING_RATE}
    write("shakespeare", {"settings": settings, "runs": results})


if __name__ == "__main__":
    main()
