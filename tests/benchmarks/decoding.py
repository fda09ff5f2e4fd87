"""Tokens a second: 8 + 248 tokens, top-k 40, the same model with 256 positions.

    python tests/benchmarks/decoding.py

Batches of 1, 8 and 64 prompts; and the time of a token at each position of a longer text.
"""

import statistics
import time

import numpy as np
from alternate import alternate, worker, write
from peers import SIZES, our_model

NAMES = ("lmkit", "lmkit, CompiledDecoder", "KerasHub", "transformers")


def by_position(length=1024, texts=5):
    """Milliseconds a token around the 10th, 100th and 1,000th position, medians."""
    from lmkit.decoding import TransformerDecoder

    decoder, ids = TransformerDecoder(our_model(SIZES | {"time": length})), [1]
    seconds = np.zeros((texts, length))
    for text in range(texts):
        ids = [1 + text]
        while len(ids) < length:
            started = time.perf_counter()
            decoder(ids)
            seconds[text, len(ids)] = time.perf_counter() - started
            ids.append(1 + len(ids) % 60)
    places = {"10": slice(5, 15), "100": slice(90, 110), "1000": slice(990, 1010)}
    return {name: 1e3 * statistics.median(seconds[:, at].ravel()) for name, at in places.items()}


def main():
    """Measures and stores."""
    results = {}
    for batch in (1, 8, 64):
        sizes = {"time": 256, "batch": batch}
        commands = {name: worker("decoding", name, **sizes) for name in NAMES}
        results[str(batch)] = alternate(commands, turns=5)
    write("decoding", {"peers": results, "ms a token at position": by_position()})


if __name__ == "__main__":
    main()
