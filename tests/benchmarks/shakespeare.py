"""Tiny Shakespeare in nanoGPT's setting for a CPU: 2,000 steps, three seeds.

    python tests/benchmarks/shakespeare.py [--quick] [input.txt]

4 blocks, 4 heads, 128 wide, 64 characters, batches of 12 windows from random places, no
dropout. The last tenth of the text is held out, and all of it is scored, in windows. The
learning rate was chosen once, with a seed that is not among the three.
"""

import time

import keras
import numpy as np
from alternate import command_line, write
from peers import SIZES, our_model

from lmkit.batches import IGNORE, random_windows, windows
from lmkit.datasets import load_tiny_shakespeare
from lmkit.metrics import score_tokens
from lmkit.tokenizers import CharTokenizer
from lmkit.training import lm_loss, warmup_cosine

SEEDS = (0, 1, 2)
STEPS, LEARNING_RATE = 2_000, 3e-3
BATCH, TIME = SIZES["batch"], SIZES["time"]


def run(seed, train, held_out, vocab_size, steps=STEPS):
    """Trains with one seed; the loss in nats per character on all held-out windows."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    model = our_model(SIZES | {"vocab": vocab_size})
    rate = warmup_cosine(LEARNING_RATE, steps)
    optimizer = keras.optimizers.Adam(rate, beta_2=0.98, global_clipnorm=1.0)
    model.compile(optimizer, lm_loss(), jit_compile=True)
    inputs, targets = random_windows(train, TIME, steps * BATCH, seed)
    started = time.perf_counter()
    model.fit(inputs, targets, batch_size=BATCH, shuffle=False, verbose=0)
    seconds = time.perf_counter() - started
    inputs, targets = windows(held_out, TIME)
    losses = score_tokens(model, inputs, targets)
    return {"loss": losses[targets != IGNORE].mean(), "seconds": seconds}


def main():
    """Trains with every seed and stores."""
    options = command_line("path")
    text = "To be, or not to be. " * 200 if options.quick else load_tiny_shakespeare(options.path)
    cut = len(text) * 9 // 10
    tokenizer = CharTokenizer.train([text])
    train, held_out = (np.array(tokenizer.encode(part)) for part in (text[:cut], text[cut:]))
    results, steps = {}, 3 if options.quick else STEPS
    for seed in SEEDS[: 1 if options.quick else None]:
        found = run(seed, train, held_out, tokenizer.vocab_size, steps)
        results[str(seed)] = {name: round(float(value), 4) for name, value in found.items()}
        print(seed, results[str(seed)], flush=True)
    settings = {"steps": steps, "batch": BATCH, "time": TIME, "learning rate": LEARNING_RATE}
    write("shakespeare", {"settings": settings, "runs": results}, options.quick)


if __name__ == "__main__":
    main()
