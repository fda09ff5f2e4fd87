"""LibreOffice's help in English and Chinese, paragraph beside paragraph, as it ships."""

from pathlib import Path
from typing import NamedTuple

from lmkit import _arguments
from lmkit.datasets.shipped import read_rows, shipped_folder


class HelpPair(NamedTuple):
    """One paragraph in both languages, and where it stands."""

    page: str
    id: str
    english: str
    chinese: str


def load_libreoffice_help(split, folder=None):
    """Loads paragraphs of LibreOffice's help, each in English and in Chinese.

    Args:
        split: `"train"` or `"held_out"`. No page is in both, and no paragraph.
        folder: a folder with other files of the same form; by default the shipped one.

    Returns:
        A list of `HelpPair(page, id, english, chinese)`, in the order of the pages.

    Example:
        >>> texts = [pair.chinese for pair in load_libreoffice_help("train")]

    Source: `data/libreoffice_help/README.md`
    """
    _arguments.choice("split", split, ["train", "held_out"])
    shipped = "data/libreoffice_help"
    folder = Path(folder) if folder else shipped_folder(shipped, shipped)
    # The order of the columns is that of the tuple.
    return [HelpPair(*row) for _, row in read_rows(folder, f"{split}.csv", HelpPair._fields)]
