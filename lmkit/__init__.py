"""lmkit: the small shared package of the course.

`import lmkit` is cheap: a module is loaded when it is first used.

Example:
    >>> import lmkit
    >>> lmkit.tokenizers.WordTokenizer.train(["A warm film.", "A dull film."]).tokens
    ['[PAD]', '[UNK]', 'a', 'film', 'dull', 'warm']
"""

import importlib

__version__ = "0.1.0"
__all__ = [
    "backend",
    "callbacks",
    "checkpoints",
    "checks",
    "compiled_decoding",
    "datasets",
    "decoding",
    "files",
    "layers",
    "metrics",
    "models",
    "ngrams",
    "plots",
    "stories",
    "tokenizers",
    "windows",
]


def __getattr__(name):
    if name in __all__:
        return importlib.import_module(f"lmkit.{name}")
    raise AttributeError(f"module 'lmkit' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__():
    return [*__all__, "__version__"]
