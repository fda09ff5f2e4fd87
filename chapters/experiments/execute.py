"""Executes notebooks from top to bottom and stores their outputs.

    python chapters/experiments/execute.py chapters/01_rnn_classifier.ipynb

Needs the package's `tests` extra (nbclient). A figure in a cell tagged `picture:NAME` is also
written to chapters/results/NAME.png, for README.md.
"""

import argparse
import base64
import io
import pathlib
import re
import time

import nbformat
from nbclient import NotebookClient
from PIL import Image  # comes with matplotlib

from lmkit.files import write_atomic

RESULTS = pathlib.Path(__file__).parents[1] / "results"


def run(path):
    """Runs a notebook in its own folder; the file stays as it is."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=900,  # seconds per cell; none should take more than sixty
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        # TensorFlow writes log lines to the process's own error stream when it is imported.
        # A kernel that leaves that stream alone keeps them out of the notebook.
        extra_arguments=["--IPKernelApp.capture_fd_output=False"],
        record_timing=False,  # times would change with every execution
        coalesce_streams=True,
    )
    client.execute()
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                output["data"]["image/png"] = smaller(output["data"]["image/png"])
    return notebook


def smaller(png):
    """Stores a figure with 256 colors, which is all it has: about a third of the bytes."""
    image = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    file = io.BytesIO()
    # No dithering: it would turn plain areas into dots.
    image.quantize(256, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return min(base64.b64encode(file.getvalue()).decode(), png, key=len)


def execute(path):
    """Runs a notebook and writes it back, outputs included."""
    notebook = run(path)
    # The same metadata for everybody, whichever Python executed it.
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    write_atomic(path, nbformat.writes(notebook) + "\n")
    return notebook


def pictures(notebook):
    """Names and PNG bytes of the tagged figures."""
    for cell in notebook.cells:
        for tag in cell.metadata.get("tags", []):
            match = re.fullmatch(r"picture:(\w+)", tag)
            # A cell may print before it draws: only images are pictures.
            for output in cell.get("outputs", []) if match else []:
                if "image/png" in output.get("data", {}):
                    yield match[1], base64.b64decode(output["data"]["image/png"])


def main():
    """Executes the notebooks that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="+", type=pathlib.Path)
    for path in parser.parse_args().notebooks:
        started = time.perf_counter()
        for name, png in pictures(execute(path)):
            write_atomic(RESULTS / f"{name}.png", png)
        print(f"{path}: {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
