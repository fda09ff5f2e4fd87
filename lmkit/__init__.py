"""lmkit: the small shared package of the course.

`import lmkit` is cheap: a module is loaded when it is first used.

Example:
    >>> import lmkit
    >>> lmkit.tokenizers.WordTokenizer.train(["A warm film.", "A dull film."]).tokens
    ['[PAD]', '[UNK]', 'a', 'film', 'dull', 'warm']
"""

import importlib
import importlib.abc
import importlib.machinery
import sys

__version__ = "0.2.0"
__all__ = [
    "backend", "batches", "callbacks", "checkpoints", "checks", "datasets", "decoding", "files",
    "layers", "metrics", "models", "ngrams", "plots", "stories", "tokenizers", "training",
    "vectors",
]  # fmt: skip


def __getattr__(name):
    if name in __all__:
        return importlib.import_module(f"lmkit.{name}")
    raise AttributeError(f"module 'lmkit' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__():
    return [*__all__, "__version__"]


# Keras finds the classes of a saved model only if they were imported before. Importing them
# here would import Keras, which takes seconds, and a tokenizer does not need it. So they are
# imported right after Keras, whoever imports that.
class _AfterKeras(importlib.abc.MetaPathFinder):
    """Imports lmkit's layers and models as soon as Keras has been imported."""

    def find_spec(self, name, path=None, target=None):
        """Finds Keras as Python would, and adds to what its import does."""
        if name != "keras":
            return None  # the other finders go on
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None:
            run = spec.loader.exec_module

            def run_and_register(module):
                run(module)
                importlib.import_module("lmkit.models")

            spec.loader.exec_module = run_and_register
        return spec


if "keras" in sys.modules:
    importlib.import_module("lmkit.models")
else:
    sys.meta_path.insert(0, _AfterKeras())
