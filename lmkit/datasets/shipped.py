"""Files that ship with the course: where they are, and whether they are still the same."""

import csv
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


def read_rows(folder, name, columns):
    """Reads a shipped CSV file, every field of which holds text.

    Args:
        folder: where it is, beside a SHA256SUMS that lists it.
        name: the file's name.
        columns: the names that its first line must hold.

    Returns:
        A list of `(line number, fields)`, so that a message can say where a row is.

    Raises: FileNotFoundError if it is missing, ValueError if it was altered or has another form.
    """
    check_listed(folder, name)
    # newline="", or Python would change a line break that stands inside quotes.
    with open(folder / name, encoding="utf-8", newline="") as file:
        reader = csv.reader(file, strict=True)  # refuses quotes that are never closed
        try:
            rows = [(reader.line_num, row) for row in reader]
        except (csv.Error, UnicodeDecodeError) as error:
            raise ValueError(f"{name}, after line {reader.line_num}: {error}") from error
    if not rows or tuple(rows[0][1]) != tuple(columns):
        found = ",".join(rows[0][1]) if rows else "an empty file"
        raise ValueError(f"{name} must start with the line {','.join(columns)}; got {found}")
    for line, row in rows[1:]:  # a field may hold spaces, but not only spaces
        if len(row) != len(columns) or not all(field.strip() for field in row):
            raise ValueError(f"{name}, line {line}: expected {','.join(columns)}; got {row}")
    return rows[1:]
