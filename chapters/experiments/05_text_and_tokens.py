"""Bits per byte of characters, words and byte pairs in English and Chinese, five seeds.

    python chapters/experiments/05_text_and_tokens.py    # one command line for all: see runner.py

The same small Transformer reads LibreOffice's help through eight tokenizers. All training runs
cost the same number of multiplications: a larger vocabulary makes a token more expensive, so
there are fewer steps. Takes an hour on one core. The learning rate is the better one of
2e-3 and 4e-3, tried with characters in both languages and 1,024 byte pairs in English, seed 9.
"""

import re
from collections import Counter
from typing import NamedTuple

import numpy as np
from runner import Experiment, Fit, compile_language_model, main

from lmkit.batches import IGNORE, random_windows, windows
from lmkit.datasets import load_libreoffice_help
from lmkit.metrics import score_tokens
from lmkit.models import TransformerLM
from lmkit.tokenizers import BytePairTokenizer

SETTINGS = {
    "WINDOW": 128,
    "STRIDE": 64,  # when the held-out text is scored, at least 64 tokens precede a target
    "BATCH_SIZE": 4,
    "EMBED_DIM": 64,
    "NUM_HEADS": 4,
    "FF_DIM": 256,
    "NUM_LAYERS": 2,
    "MULTIPLICATIONS": 4e10,  # of a training run's forward passes
    "LEARNING_RATE": 4e-3,
}
WORD = re.compile(r" ?\w+| ?[^\w\s]|\s")  # a space belongs to what follows it


class Variant(NamedTuple):
    """A language, and how its text becomes tokens."""

    language: str
    tokens: str
    vocab_size: int | None = None  # of byte pairs; the others take what the text holds


KINDS = [("characters", None), ("words", None)]
KINDS += [("byte pairs", 2**power) for power in range(8, 14)]  # 256: bytes, and no pair
VARIANTS = {
    f"{language}, {tokens}" + (f" {size}" if size else ""): Variant(language, tokens, size)
    for language in ("english", "chinese")
    for tokens, size in KINDS
}


class FallbackTokenizer:
    """The chapter's tokenizer: a part it knows is one token, any other is spelled in bytes."""

    def __init__(self, split, texts, least):
        counts = Counter(part for text in texts for part in split(text))
        pieces = sorted(part for part, count in counts.items() if count >= least)
        self.split, self.ids = split, {piece: 256 + i for i, piece in enumerate(pieces)}

    def __len__(self):
        return 256 + len(self.ids)

    def encode(self, text):
        """Ids below 256 are bytes, the others are known parts."""
        parts = ([self.ids[p]] if p in self.ids else p.encode() for p in self.split(text))
        return [id_ for part in parts for id_ in part]


def read(split, language):
    """All paragraphs of one language as one text, a line each."""
    return "\n" + "".join(getattr(pair, language) + "\n" for pair in load_libreoffice_help(split))


def make_tokenizer(variant, text):
    """The tokenizer of a variant, made from the training text."""
    if variant.tokens == "byte pairs":
        return BytePairTokenizer.train([text], vocab_size=variant.vocab_size)
    if variant.tokens == "words":
        return FallbackTokenizer(WORD.findall, [text], least=2)
    return FallbackTokenizer(list, [text], least=1)


class Tokens(NamedTuple):
    """Both texts as ids, and what the tokenizer made of them."""

    train: np.ndarray
    held_out: np.ndarray
    vocab_size: int
    held_out_bytes: int


def tokens_of(variant):
    """A variant's tokens; nothing depends on the held-out text but its own ids."""
    train, held_out = read("train", variant.language), read("held_out", variant.language)
    tokenizer = make_tokenizer(variant, train)
    ids = [np.array(tokenizer.encode(text)) for text in (train, held_out)]
    return Tokens(*ids, len(tokenizer), len(held_out.encode()))


def load():
    """The tokens of all variants, a dict from the variants."""
    return {variant: tokens_of(variant) for variant in VARIANTS.values()}


def multiplications(vocab_size):
    """Multiplications of one token's way through the model: blocks, attention, output."""
    width, layers = SETTINGS["EMBED_DIM"], SETTINGS["NUM_LAYERS"]
    block = 4 * width**2 + 2 * width * SETTINGS["FF_DIM"] + 2 * width * SETTINGS["WINDOW"]
    return layers * block + width * vocab_size


def training_rows(vocab_size):
    """How many windows a training run reads at the given cost."""
    per_step = SETTINGS["WINDOW"] * SETTINGS["BATCH_SIZE"] * multiplications(vocab_size)
    return round(SETTINGS["MULTIPLICATIONS"] / per_step) * SETTINGS["BATCH_SIZE"]


def build(variant, data, seed):
    """The same Transformer for all, and as many steps as the multiplications allow."""
    tokens = data[variant]
    model = TransformerLM(
        vocab_size=tokens.vocab_size,
        max_length=SETTINGS["WINDOW"],
        embed_dim=SETTINGS["EMBED_DIM"],
        num_heads=SETTINGS["NUM_HEADS"],
        ff_dim=SETTINGS["FF_DIM"],
        num_layers=SETTINGS["NUM_LAYERS"],
        dropout=0.0,
    )
    rows = training_rows(tokens.vocab_size)
    inputs, targets = random_windows(tokens.train, SETTINGS["WINDOW"], rows, seed)
    fit = Fit(inputs, targets, SETTINGS["BATCH_SIZE"])
    return compile_language_model(model, fit, SETTINGS["LEARNING_RATE"])


def measure(model, variant, data, history):
    """Bits per byte and per token of the held-out text, and what its tokens are."""
    tokens = data[variant]
    inputs, targets = windows(tokens.held_out, SETTINGS["WINDOW"], SETTINGS["STRIDE"])
    nats = score_tokens(model, inputs, targets)
    return {
        "vocab_size": tokens.vocab_size,
        "passes": SETTINGS["WINDOW"] * training_rows(tokens.vocab_size) / len(tokens.train),
        "train tokens": len(tokens.train),
        "tokens": int((targets != IGNORE).sum()),
        "bytes": tokens.held_out_bytes,
        "from bytes": int((tokens.held_out < 256).sum()),
        "bits per token": nats.sum() / (targets != IGNORE).sum() / np.log(2),
        "bits per byte": nats.sum() / np.log(2) / tokens.held_out_bytes,
    }


EXPERIMENT = Experiment("05_text_and_tokens", SETTINGS, VARIANTS, load, build, measure)

if __name__ == "__main__":
    main(EXPERIMENT)
