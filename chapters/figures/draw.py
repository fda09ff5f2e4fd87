"""Writes every diagram as an SVG file beside the scripts.

python chapters/figures/draw.py
"""

import importlib.util
import pathlib
import sys

from lmkit.files import write_atomic

FOLDER = pathlib.Path(__file__).parent


def diagrams():
    """Loads the scripts of all chapters; returns the functions that draw, by file name."""
    sys.path.insert(0, str(FOLDER))
    found = {}
    for path in sorted(FOLDER.glob("[0-9]*.py")):
        spec = importlib.util.spec_from_file_location(f"figures_{path.stem}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found |= module.DIAGRAMS
    return found


def main():
    """Draws what there is."""
    for name, draw in diagrams().items():
        write_atomic(FOLDER / f"{name}.svg", draw().svg())
        print(f"{name}.svg")


if __name__ == "__main__":
    main()
