"""Plain text: Python's documentation, Shakespeare's plays, and a reader's own files."""

import importlib
import platform
from pathlib import Path

from lmkit.files import Remote, check_sha256, locate

TINY_SHAKESPEARE = Remote(
    name="tinyshakespeare.txt",
    url="https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
    size=1_115_394,
    sha256="86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
    variable="LMKIT_SHAKESPEARE",
)


def load_tiny_shakespeare(path=None):
    """Loads tiny Shakespeare: 1,115,394 characters of his plays.

    Args:
        path: a local copy. Without it: the environment variable LMKIT_SHAKESPEARE, else the
            cache, else a download (1 MB).

    Returns:
        The text.

    Raises: ValueError if the file is not exactly the published one, OSError if there is none.

    Source: Karpathy, 2015 (char-rnn).
    """
    file = locate(TINY_SHAKESPEARE, path)
    if file.is_dir():  # locate does not mind: other corpora are folders
        raise ValueError(f"{file} is a folder; path must name the text file itself")
    advice = f"An editor or git may have rewritten its line endings; see {TINY_SHAKESPEARE.url}"
    check_sha256(file, TINY_SHAKESPEARE.sha256, advice)
    return file.read_bytes().decode("utf-8")  # not read_text, which would change line endings


def load_python_docs():
    """Loads the texts behind Python's `help()`: technical English that every Python carries.

    They differ a little between versions (465,000 characters in 3.11, 511,000 in 3.13), so
    print `platform.python_version()` beside any number that rests on them.

    Returns:
        The topics in alphabetical order of their names, one blank line between two.

    Raises: ImportError if this Python came without them.

    Example:
        >>> load_python_docs().startswith('The "assert" statement')
        True

    Source: `pydoc_data.topics` in the standard library.
    """
    # By name, because a few Pythons lack the module, and none of them should lack lmkit.
    try:
        topics = importlib.import_module("pydoc_data.topics").topics
    except (ImportError, AttributeError) as error:
        raise ImportError(
            f"Python {platform.python_version()} came without pydoc_data.topics (some Linux "
            "packages leave it out); use Python from python.org, conda or Colab"
        ) from error
    return "\n\n".join(topics[name].strip("\n") for name in sorted(topics)) + "\n"


def read_text(path, encoding="utf-8"):
    r"""Reads a text file of your own.

    Args:
        path: the file.
        encoding: how its characters are written as bytes.

    Returns:
        The text, with line endings as `\n` and without a byte order mark.

    Raises: ValueError for an empty file, or one in another encoding; the message says what to try.

    Example:
        >>> text = read_text("novel.txt", encoding="gb18030")
    """
    path = Path(path).expanduser()
    if path.is_dir():
        raise ValueError(f"path must name a text file, {path} is a folder")
    data = path.read_bytes()
    try:
        # The byte order mark is one that some editors put in front, not a character of the text.
        text = data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is not {encoding} text: byte {data[error.start]:#04x} at position "
            f'{error.start:,}. Try encoding="gb18030" for Chinese, "latin-1" for Western '
            'European, "utf-16" for what Windows calls Unicode'
        ) from None
    except LookupError:
        raise ValueError(f"Python knows no encoding {encoding!r}; try utf-8") from None
    # Windows ends lines with both. A model would have to learn a character that nobody sees.
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise ValueError(f"{path} holds no text")
    return text


def read_lines(path, encoding="utf-8"):
    r"""Reads a file of your own with one text per line, empty lines left out.

    Args:
        path: the file.
        encoding: as for `read_text`.

    Example:
        >>> # With marks at both ends, where a text begins and ends are tokens as well.
        >>> texts = [f"\n{line}\n" for line in read_lines("names.txt")]
    """
    # Not splitlines, which takes a form feed and other characters for the end of a line.
    return [line for line in read_text(path, encoding).split("\n") if line.strip()]
