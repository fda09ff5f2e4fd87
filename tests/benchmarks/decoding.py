"""Tokens per second: 8 + 248 tokens, top-k 40, the same model with 256 positions.

    python tests/benchmarks/decoding.py [--quick]

Batches of 1, 8 and 64 prompts; the same for a recurrent model, whose loop is once compiled and
once Python's; and the time of a token at each position of a longer text.
"""

import statistics
import time

import numpy as np
from alternate import alternate, command_line, worker, write
from peers import SIZES, our_model

NAMES = ("lmkit", "KerasHub", "transformers")
QUICK = {"layers": 1, "width": 16, "time": 16}


def by_position(sizes, texts=9):
    """Milliseconds per token around the 10th, 100th and 1,000th position, medians."""
    from keras import ops

    from lmkit.backend import compiled_for

    model, length = our_model(sizes), sizes["time"]
    step = compiled_for(model, "one token", model.step)
    seconds = np.zeros((texts, length))
    for text in range(texts):
        state = model.start(1, length)
        for position in range(length):
            ids = np.array([[1 + position % 60]], "int32")
            started = time.perf_counter()
            logits, state = step(ids, state)
            ops.convert_to_numpy(logits)  # until it is there
            seconds[text, position] = time.perf_counter() - started
    places = {"10": slice(5, 15), "100": slice(90, 110), "1000": slice(990, 1010)}
    places = {name: place for name, place in places.items() if place.stop <= length}
    return {name: 1e3 * statistics.median(seconds[:, at].ravel()) for name, at in places.items()}


def main():
    """Measures and stores."""
    quick = command_line().quick
    sizes = {"time": 256} | (QUICK if quick else {})
    results = {}
    for batch in (1, 8, 64)[: 2 if quick else 3]:
        commands = {name: worker("decoding", name, **sizes, batch=batch) for name in NAMES}
        results[str(batch)] = alternate(commands, quick=quick)
    loops = {name: worker("recurrent", name, **sizes, batch=1) for name in ("compiled", "Python")}
    found = {"peers": results, "recurrent": alternate(loops, quick=quick)}
    found["ms per token at position"] = by_position(
        SIZES | (QUICK if quick else {"time": 1024}), texts=1 if quick else 9
    )
    write("decoding", found, quick)


if __name__ == "__main__":
    main()
