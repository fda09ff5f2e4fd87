"""The texts: reviews, help pages, IMDB, documentation, plays, a reader's own, stored results."""

from lmkit.datasets.docstrings import load_docstrings
from lmkit.datasets.help import HelpPair, load_libreoffice_help
from lmkit.datasets.imdb import load_imdb
from lmkit.datasets.results import load_results, results_file
from lmkit.datasets.reviews import ReviewPair, load_review_pairs, load_reviews
from lmkit.datasets.text import load_python_docs, load_tiny_shakespeare, read_lines, read_text

__all__ = [
    "HelpPair", "ReviewPair", "load_docstrings", "load_imdb", "load_libreoffice_help",
    "load_python_docs", "load_results", "load_review_pairs", "load_reviews",
    "load_tiny_shakespeare", "read_lines", "read_text", "results_file",
]  # fmt: skip
