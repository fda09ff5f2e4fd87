"""Says where this course lives: rewrites every Colab badge and install line.

The address stands in one place, `[tool.lmkit.repository]` in pyproject.toml. This
command changes it there and everywhere it is used, README.md and the notebooks:

    python .github/set_repository.py                 # read it from `git remote`
    python .github/set_repository.py owner/name      # or say it
    python .github/set_repository.py owner/name --ref v1.0
    python .github/set_repository.py --unset         # back to no address at all

While no repository is set, nothing points to an address that does not exist.
"""

import argparse
import json
import pathlib
import re
import subprocess
import tomllib

ROOT = pathlib.Path(__file__).parents[1]

# A badge stands between two comments that name its notebook.
BADGE = re.compile(r"<!-- colab: (?P<path>\S+) -->.*?<!-- /colab -->")
INSTALL = re.compile(r"^ +%pip install .*$", re.MULTILINE)


def read_repository(root=ROOT):
    """Owner, name and ref as pyproject.toml has them; empty strings while unset."""
    with open(root / "pyproject.toml", "rb") as file:
        place = tomllib.load(file)["tool"]["lmkit"]["repository"]
    return place["owner"], place["name"], place["ref"]


def badge(path, owner, name, ref):
    """What stands between the comments for the notebook at `path`."""
    if not owner:
        return f"<!-- colab: {path} --><!-- /colab -->"
    address = f"https://colab.research.google.com/github/{owner}/{name}/blob/{ref}/{path}"
    picture = "https://colab.research.google.com/assets/colab-badge.svg"
    return f"<!-- colab: {path} -->[![Open in Colab]({picture})]({address})<!-- /colab -->"


def install_line(owner, name, ref):
    """The line of a notebook's first cell that installs the course in Colab."""
    what = f"https://github.com/{owner}/{name}/archive/{ref}.zip" if owner else "lmkit-*.whl"
    return f"    %pip install --quiet --no-deps {what}"


def rewrite_text(text, place):
    """A page or a markdown cell with its badges for this place."""
    return BADGE.sub(lambda match: badge(match["path"], *place), text)


def rewrite_notebook(notebook, place):
    """Changes badges and install lines of a notebook, given as a dictionary, in place."""
    first_code = True
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            source = rewrite_text(source, place)
        elif first_code:
            source, first_code = INSTALL.sub(install_line(*place), source), False
        cell["source"] = source.splitlines(keepends=True)


def pages(root=ROOT):
    """Every file that holds a badge or an install line."""
    notebooks = [*root.glob("chapters/*.ipynb"), *root.glob("chapters/solutions/*.ipynb")]
    notebooks += root.glob("chapters/assignments/*/*/*.ipynb")  # source and release
    return [root / "README.md", root / "chapters" / "README.md", *sorted(notebooks)]


def rewritten(path, place):
    """The text of a file as it should be for this place."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return rewrite_text(text, place)
    notebook = json.loads(text)
    rewrite_notebook(notebook, place)
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def from_git_remote(root=ROOT):
    """Owner and name out of `git remote get-url origin`, if that is on GitHub."""
    command = ["git", "remote", "get-url", "origin"]
    answer = subprocess.run(command, cwd=root, capture_output=True, text=True)
    match = re.search(r"github\.com[:/]([\w.-]+)/([\w.-]+?)(?:\.git)?/?$", answer.stdout.strip())
    if not match:
        raise SystemExit("git knows no remote 'origin' on GitHub: say owner/name on the line")
    return match.groups()


def main():
    """Reads the command line, then rewrites pyproject.toml, README.md and the notebooks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("repository", nargs="?", help="owner/name; from git's remote if left out")
    parser.add_argument("--ref", default="main", help="branch, tag or commit")
    parser.add_argument("--unset", action="store_true", help="remove the address")
    options = parser.parse_args()
    if options.repository and not re.fullmatch(r"[\w.-]+/[\w.-]+", options.repository):
        parser.error(f"the repository must be owner/name, got {options.repository!r}")
    if not re.fullmatch(r"[\w./-]+", options.ref):
        parser.error(f"the ref must be a branch, tag or commit, got {options.ref!r}")
    owner, name = "", ""
    if not options.unset:
        owner, name = options.repository.split("/") if options.repository else from_git_remote()
    set_repository((owner, name, options.ref))


def set_repository(place, root=ROOT):
    """Writes the place into pyproject.toml and every page."""
    project = root / "pyproject.toml"
    text = project.read_text(encoding="utf-8")
    for key, value in zip(("owner", "name", "ref"), place, strict=True):
        section, rest = text.split("[tool.lmkit.repository]\n")
        rest = re.sub(rf'^{key} = ".*"$', f'{key} = "{value}"', rest, count=1, flags=re.MULTILINE)
        text = section + "[tool.lmkit.repository]\n" + rest
    changed = {project: text} | {path: rewritten(path, place) for path in pages(root)}
    for path, new in changed.items():
        if path.read_text(encoding="utf-8") != new:
            path.write_text(new, encoding="utf-8", newline="\n")
            print(f"rewritten: {path.relative_to(root)}")


if __name__ == "__main__":
    main()
