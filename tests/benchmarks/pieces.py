"""Seconds of byte-pair training and encoding, beside the `tokenizers` library and minbpe.

    python tests/benchmarks/pieces.py [--quick] [MINBPE]

MINBPE is a checkout of minbpe; without it that peer is left out. The texts are Python's own
documentation, the help corpus in both languages, and the source code of what is installed.
(A program called tokenizers.py would hide the library from everything in this folder.)
"""

import json
import os
import pathlib
import pydoc_data.topics
import resource
import site
import sys
import sysconfig
import tempfile
import time

from alternate import alternate, command_line, write

import lmkit
from lmkit.tokenizers import BytePairTokenizer

RULE = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
# Peers of a task; bytes of its text; pieces (in the encoding, those that were learned before).
TASKS = {
    "training, 133 KB, 500 pieces": (("lmkit", "tokenizers"), 133_000, 500),
    "training, 1 MB, 276 pieces": (("lmkit", "tokenizers", "minbpe"), 1_000_000, 276),
    "training, 20 MB, 8,192 pieces": (("lmkit",), 20_000_000, 8_192),
    "encoding, 1 MB, 8,192 pieces": (("lmkit", "tokenizers", "minbpe"), 1_000_000, 8_192),
    "encoding, 1 MB again": (("lmkit", "tokenizers"), 1_000_000, 8_192),
}
QUICK = 20_000, 300


def text_of(size):
    """So many bytes of text: English alone if they are few, then all kinds."""
    texts = ["\n".join(pydoc_data.topics.topics.values())]
    if size > 200_000:
        pairs = lmkit.datasets.load_libreoffice_help("train")
        texts = ["".join(f"{p.english}\n{p.chinese}\n" for p in pairs)[: size // 3], *texts]
    left = size - sum(len(text.encode()) for text in texts)
    folders = [sysconfig.get_path("stdlib"), *site.getsitepackages()]
    for file in (file for folder in folders for file in sorted(pathlib.Path(folder).rglob("*.py"))):
        if left <= 0:
            break
        texts.append(file.read_text(encoding="utf-8", errors="ignore"))
        left -= len(texts[-1].encode())
    return "\n".join(texts).encode()[:size].decode(errors="ignore")


def library_training(text, size):
    """The library's trainer with the same rules."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    byte_level = pre_tokenizers.ByteLevel
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = byte_level(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=size, show_progress=False, initial_alphabet=byte_level.alphabet()
    )
    made.train_from_iterator([text], trainer)
    return made


def minbpe_with(tokenizer=None):
    """minbpe's tokenizer with GPT-2's rule, and with the merges of another one."""
    sys.path.insert(0, os.environ["MINBPE"])
    from minbpe import RegexTokenizer

    made = RegexTokenizer(pattern=RULE)
    if tokenizer:
        ids = {bytes([byte]): byte for byte in range(256)}
        for first, second in tokenizer.merges:
            made.merges[ids[first], ids[second]] = ids[first + second] = len(ids)
    return made


def encoder(peer, path):
    """A function that encodes, with nothing in a cache yet."""
    if peer == "tokenizers":
        from tokenizers import Tokenizer

        made = Tokenizer.from_file(path)
        return lambda text: len(made.encode(text).ids)
    tokenizer = BytePairTokenizer.load(path)
    encode = tokenizer.encode if peer == "lmkit" else minbpe_with(tokenizer).encode_ordinary
    return lambda text: len(encode(text))


def one_turn(task, peer, text, size, path):
    """Does it once; returns the seconds, and a number that all peers must share."""
    if task.startswith("training"):
        start = time.perf_counter()
        if peer == "lmkit":
            found = len(BytePairTokenizer.train([text], size))
        elif peer == "tokenizers":
            found = library_training(text, size).get_vocab_size()
        else:
            made = minbpe_with()
            start = time.perf_counter()
            made.train(text, size)
            found = len(made.vocab)
    else:
        encode = encoder(peer, path)
        if task.endswith("again"):
            encode(text)
        start = time.perf_counter()
        found = encode(text)
    return {"seconds": time.perf_counter() - start, "pieces": found}


def work(task, peer, size, pieces, path):
    """A worker: see work.py, which would load TensorFlow."""
    text = text_of(int(size))
    for _ in sys.stdin:
        found = one_turn(task, peer, text, int(pieces), path)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps(found | {"peak MiB": round(peak)}), flush=True)


def main():
    """Measures and stores."""
    options = command_line("minbpe")
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    os.environ["RAYON_NUM_THREADS"] = "1"
    os.environ["MINBPE"] = str(pathlib.Path(options.minbpe or "").resolve())
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/pieces.json"
        size, pieces = QUICK if options.quick else (1_000_000, 8_192)
        BytePairTokenizer.train([text_of(size)], pieces).save(path)
        for task, (peers, *sizes) in TASKS.items():
            size, pieces = QUICK if options.quick else sizes
            arguments = [str(size), str(pieces), path]
            commands = {
                peer: [sys.executable, "pieces.py", "work", task, peer, *arguments]
                for peer in peers
                if peer != "minbpe" or options.minbpe
            }
            results[task] = alternate(commands, turns=5, warm_up=0, quick=options.quick)
            assert len({found["pieces"] for found in results[task].values()}) == 1, results
    write("pieces", results, options.quick)


if __name__ == "__main__":
    work(*sys.argv[2:]) if sys.argv[1:2] == ["work"] else main()
