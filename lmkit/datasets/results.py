"""What the scripts of `chapters/experiments` have measured and stored."""

import json
from pathlib import Path

from lmkit.datasets.shipped import shipped_folder


def load_results(name, folder=None):
    """Loads what a script of `chapters/experiments` measured over several seeds.

    Args:
        name: the file's name without its ending, such as `"01_rnn_classifier"`.
        folder: where the files are; by default the shipped ones.

    Returns:
        The JSON file's content, a dictionary.

    Raises: FileNotFoundError if there are no such results, ValueError if they are not JSON.

    Example:
        >>> results = load_results("01_rnn_classifier")
    """
    file = results_file(f"{name}.json", folder)
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:  # the second: brackets nested by the thousand
        reason = f"{file} is not JSON (truncated or altered): {error}; fetch it again"
        raise ValueError(reason) from None


def results_file(name, folder=None):
    """Finds a file that a script of `chapters/experiments` wrote, such as a model's weights.

    Args:
        name: the file's name, such as `"02_lstm.weights.h5"`.
        folder: where the files are; by default the shipped ones.

    Returns:
        Its `Path`.

    Raises: FileNotFoundError if there is no such file; the message lists the ones there are.

    Example:
        >>> results_file("01_rnn_classifier.json").name
        '01_rnn_classifier.json'
    """
    # In the installed package the results have a folder of their own, without the chapters.
    folder = Path(folder) if folder else shipped_folder("results", "chapters/results")
    file = folder / name
    if not file.is_file():
        # Names with the same ending: weights among weights, numbers among numbers.
        alike = (path for path in folder.glob(f"*{file.suffix}") if path.is_file())
        known = ", ".join(sorted(path.name for path in alike))
        raise FileNotFoundError(f"no results {name!r} in {folder}; there are: {known or 'none'}")
    return file
