"""Files that ship with the course: where they are, and whether they are still the same."""

import re
from pathlib import Path

from lmkit.files import check_sha256

PACKAGE = Path(__file__).parents[1]


def shipped_folder(in_wheel, in_checkout, package=PACKAGE):
    """Finds a folder of shipped files.

    Args:
        in_wheel: its path inside the installed package.
        in_checkout: its path beside the package.
        package: where the package is.

    Returns:
        Its `Path`.

    Example:
        >>> shipped_folder("data/reviews", "data/reviews").name
        'reviews'
    """
    # An installed wheel carries its files inside the package, a checkout beside it.
    places = [package / in_wheel, package.parent / in_checkout]
    for place in places:
        if place.is_dir():
            return place
    raise FileNotFoundError(f"neither {places[0]} nor {places[1]} exists: install the course again")


def check_listed(folder, name):
    """Compares a file with its line in SHA256SUMS, the form that `sha256sum` writes.

    Args:
        folder: where both are.
        name: the file's name.

    Raises: FileNotFoundError if one is missing, ValueError if the file was altered.
    """
    sums = folder / "SHA256SUMS"
    for file in (sums, folder / name):
        if not file.is_file():
            raise FileNotFoundError(f"{file} is missing; it ships with the course: fetch it again")
    # What it lists need not be text if the file was altered: that is the message's to say.
    text = sums.read_text(encoding="utf-8", errors="replace")
    # A star instead of the second space marks binary mode, which is the same on Linux.
    listed = re.search(rf"^([0-9a-f]{{64}}) [ *]{re.escape(name)}$", text, flags=re.MULTILINE)
    if not listed:
        raise ValueError(f"{sums} does not list {name}: fetch it again")
    advice = "Fetch it again; on Windows, git may have rewritten the line endings (LF is right)."
    check_sha256(folder / name, listed[1], advice)
