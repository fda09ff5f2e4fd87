"""Makes train.csv and held_out.csv from LibreOffice's help in English and Chinese.

    apt-get download libreoffice-help-en-us libreoffice-help-zh-cn    # on Debian 12
    dpkg -x libreoffice-help-en-us_*.deb help && dpkg -x libreoffice-help-zh-cn_*.deb help
    python make_libreoffice_help.py help/usr/share/libreoffice/help

Only the standard library is needed. README.md says what is kept and what is not.
"""

import csv
import hashlib
import re
import sys
import unicodedata
from html.parser import HTMLParser
from pathlib import Path

HERE = Path(__file__).parent
LANGUAGES = ("en-US", "zh-CN")
HAN = re.compile(r"[\u4e00-\u9fff]")
LETTER = re.compile(r"[A-Za-z]")
VOID = {"img", "br", "hr", "input", "meta", "link", "wbr"}  # tags that have no end


class Paragraphs(HTMLParser):
    """Collects the text of every paragraph and heading of a page that has an id."""

    def __init__(self):
        super().__init__(convert_charrefs=True)  # &lt; and its like become characters
        self.found, self._id, self._parts, self._hidden = {}, None, [], 0

    def handle_starttag(self, tag, attrs):
        """Opens a paragraph, or skips what only users of macOS see."""
        attrs = dict(attrs)
        if re.match(r"(par|hd)_id", attrs.get("id") or "") and tag in ("p", "h1", "h2", "h3", "h4"):
            self._id, self._parts, self._hidden = attrs["id"], [], 0
        elif self._id and tag in VOID:
            self._parts.append(" ")  # a picture of a button, or a line break
        elif self._id and (self._hidden or attrs.get("class") == "MAC"):
            self._hidden += 1

    def handle_endtag(self, tag):
        """Closes a paragraph."""
        if self._hidden:
            self._hidden -= 1
        elif self._id and tag in ("p", "h1", "h2", "h3", "h4"):
            self.found.setdefault(self._id, clean("".join(self._parts)))
            self._id = None

    def handle_data(self, data):
        """Keeps text inside a paragraph."""
        if self._id and not self._hidden:
            self._parts.append(data)


def clean(text):
    """One line of text: composed characters, plain spaces, nothing invisible."""
    text = unicodedata.normalize("NFC", text)
    text = "".join(char for char in text if unicodedata.category(char) not in ("Cf", "Co", "Cn"))
    text = re.sub(r"\s+", " ", text).strip()  # no-break spaces and line ends too
    text = re.sub(r" (?=[.,;:!?)])", "", text)  # left where a picture was taken out
    return re.sub(r" ?([\u3001\u3002\uff0c\uff1a\uff1b\uff01\uff1f\u300c\u300d]) ?", r"\1", text)


def broken(text):
    """Whether bytes of the text were lost before it came here: control characters tell."""
    return any(unicodedata.category(char) == "Cc" for char in text) or "\u00bb\u00b6" in text


def translated(english, chinese):
    """Whether a pair is English on one side and mostly Chinese on the other."""
    han, latin = len(HAN.findall(chinese)), len(LETTER.findall(chinese))
    return bool(LETTER.search(english)) and not HAN.search(english) and han > latin


def pages(folder):
    """The names of all pages that guide a user through a task, in both languages."""
    found = [
        {path.relative_to(folder / language).as_posix() for path in
         (folder / language / "text").glob("*/guide/*.html")}
        for language in LANGUAGES
    ]  # fmt: skip
    return sorted(found[0] & found[1])


def held_out(page):
    """Whether a page is held out: one of ten, by its name, so that it never changes."""
    return hashlib.sha256(page.encode()).digest()[0] % 10 == 0


def read(path):
    """A page's paragraphs, a dict from their ids."""
    parser = Paragraphs()
    parser.feed(path.read_text(encoding="utf-8"))
    return parser.found


def main(folder):
    """Writes both tables and their checksums."""
    seen, tables = set(), {"train.csv": [], "held_out.csv": []}
    # Training pages first: what they hold is left out of the held-out pages, never vice versa.
    for page in sorted(pages(folder), key=lambda page: (held_out(page), page)):
        english, chinese = (read(folder / language / page) for language in LANGUAGES)
        name = page.removeprefix("text/").removesuffix(".html").replace("/guide/", "/")
        for key in (key for key in english if key in chinese):  # in the order of the page
            pair = english[key], chinese[key]
            # Numbers apart, many sentences occur on several pages.
            alike = [re.sub(r"\W|\d", "", text.lower()) for text in pair]
            if not translated(*pair) or any(map(broken, pair)) or seen.intersection(alike):
                continue
            seen.update(alike)
            tables["held_out.csv" if held_out(page) else "train.csv"].append((name, key, *pair))
    sums = []
    for name, rows in sorted(tables.items()):
        with open(HERE / name, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerows([("page", "id", "english", "chinese"), *rows])
        digest = hashlib.sha256((HERE / name).read_bytes()).hexdigest()
        sums.append(f"{digest}  {name}\n")
        sizes = [sum(len(row[column].encode()) for row in rows) for column in (2, 3)]
        characters = [sum(len(row[column]) for row in rows) for column in (2, 3)]
        count = len({row[0] for row in rows})
        print(f"{name}: {len(rows):,} pairs, {count} pages, {characters} characters, {sizes} bytes")
    (HERE / "SHA256SUMS").write_text("".join(sums), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
