"""The project's own files agree with each other: commands, ranges, addresses, packaging."""

import importlib.util
import json
import pathlib
import re
import subprocess
import sys
import tomllib
import zipfile

import pytest
import yaml  # comes with jupyter

ROOT = pathlib.Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
README = (ROOT / "README.md").read_text(encoding="utf-8")


def requirements():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def load_script(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def repository():
    return load_script(ROOT / ".github" / "set_repository.py")


def test_requirements_hold_the_packages_ranges():
    assert set(PROJECT["project"]["dependencies"]) <= set(requirements())
    assert requirements()[-1] == "-e ."


def test_learners_install_nothing_of_the_maintainers():
    names = {re.split(r"[<>=\[ ]", line)[0] for line in requirements()} - {"-e"}
    assert names == {"tensorflow", "keras", "numpy", "matplotlib", "jupyter", "nbval", "pytest"}


def test_conda_installs_the_same_requirements():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    python, *rest = environment["dependencies"]
    assert re.fullmatch(r"python=3\.1[123]", python)
    assert rest == ["pip", {"pip": ["-r requirements.txt"]}]


def test_ci_runs_readmes_second_command_and_then_lanes():
    *_, command, lanes = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert f"\n{command}\n" in README
    assert "pytest" in command
    first = command.split(" && ")[0]
    assert f"{first} && .venv/bin/pip install -r requirements.txt && " in README
    assert lanes.startswith(".venv/bin/python tests/lanes/lanes.py ")
    assert "--minutes $((60 - SECONDS / 60))" in lanes


def test_versions_agree():
    import lmkit

    assert PROJECT["project"]["version"] == lmkit.__version__


def test_every_address_is_that_of_the_one_place(repository):
    place = repository.read_repository()
    for path in repository.pages():
        assert path.read_text(encoding="utf-8") == repository.rewritten(path, place), (
            f"{path.name} names another repository: run python .github/set_repository.py"
        )


def test_nothing_points_nowhere_while_no_repository_is_set(repository):
    owner, name, _ = repository.read_repository()
    for path in repository.pages():
        found = re.findall(r"github\.com/([\w.-]+/[\w.-]+)", path.read_text(encoding="utf-8"))
        mine = [address for address in found if address.endswith(("/lmkit", f"/{name or 'lmkit'}"))]
        assert mine == ([f"{owner}/{name}"] * len(mine) if owner else [])


def test_every_notebook_has_a_badge_and_installs_without_dependencies(repository):
    for path in repository.pages():
        if path.suffix != ".ipynb":
            continue
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        # An assignment's source leads to its release: that is what students open.
        relative = path.relative_to(ROOT).as_posix().replace("/source/", "/release/")
        assert f"<!-- colab: {relative} -->" in "".join(cells[0]["source"])
        first = "".join(next(cell for cell in cells if cell["cell_type"] == "code")["source"])
        assert 'if "google.colab" in sys.modules:\n    %pip install --quiet --no-deps ' in first


def make_checkout(tmp_path):
    (tmp_path / "chapters").mkdir()
    section = '[tool.lmkit.repository]\nowner = ""\nname = ""\nref = "main"\n'
    others = '[project]\nname = "x"\n\n', "\n[tool.other]\nname = 'kept'\n"
    (tmp_path / "pyproject.toml").write_text(section.join(others))
    badge = "<!-- colab: chapters/01.ipynb --><!-- /colab -->"
    (tmp_path / "README.md").write_text(f"Course\n\n| 01 | {badge} |\n")
    (tmp_path / "chapters" / "README.md").write_text("No badge.\n")
    code = 'if "google.colab" in sys.modules:\n    %pip install --quiet --no-deps lmkit-*.whl'
    cells = [
        {"cell_type": "markdown", "source": f"# Title\n\n{badge}".splitlines(True)},
        {"cell_type": "code", "source": code.splitlines(True), "outputs": []},
        {"cell_type": "code", "source": ["    %pip install other"], "outputs": []},
    ]
    notebook = tmp_path / "chapters" / "01.ipynb"
    notebook.write_text(json.dumps({"cells": cells}, indent=1) + "\n")
    return tmp_path


def test_a_fork_sets_its_address_and_unsets_it(repository, tmp_path, capsys):
    checkout = make_checkout(tmp_path)
    before = {path: path.read_text() for path in checkout.rglob("*") if path.is_file()}
    repository.set_repository(("ada", "course", "v1"), checkout)
    assert repository.read_repository(checkout) == ("ada", "course", "v1")
    assert "name = 'kept'" in (checkout / "pyproject.toml").read_text()
    text = (checkout / "chapters" / "01.ipynb").read_text()
    assert "--no-deps https://github.com/ada/course/archive/v1.zip" in text
    assert "github/ada/course/blob/v1/chapters/01.ipynb" in text
    assert "%pip install other" in text
    assert "github/ada/course/blob/v1/chapters/01.ipynb" in (checkout / "README.md").read_text()
    assert "rewritten: README.md" in capsys.readouterr().out
    repository.set_repository(("", "", "main"), checkout)
    for path, text in before.items():
        new = path.read_text()
        assert json.loads(new) == json.loads(text) if path.suffix == ".ipynb" else new == text


@pytest.mark.parametrize(
    "url",
    [
        "git@github.com:ada/course.git",
        "https://github.com/ada/course",
        "https://github.com/ada/course.git/",
    ],
)
def test_the_address_is_read_from_the_git_remote(repository, tmp_path, url):
    for command in (["init", "-q"], ["remote", "add", "origin", url]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    assert repository.from_git_remote(tmp_path) == ("ada", "course")


def test_no_remote_is_said(repository, tmp_path):
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    with pytest.raises(SystemExit, match="no remote 'origin' on GitHub: say owner/name"):
        repository.from_git_remote(tmp_path)


def test_readmes_links_lead_somewhere():
    for page in (ROOT / "README.md", ROOT / "chapters" / "README.md"):
        text = page.read_text(encoding="utf-8")
        targets = re.findall(r"\]\(([^)#\s]+)", text)
        assert targets
        for target in targets:
            assert target.startswith("https://") or (page.parent / target).exists(), target


def test_readmes_picture_is_the_chapters():
    import base64

    for picture in re.findall(r"\]\(chapters/results/(\w+)\.png\)", README):
        stored = (ROOT / "chapters" / "results" / f"{picture}.png").read_bytes()
        cells = [
            cell
            for path in ROOT.glob("chapters/*.ipynb")
            for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
            if f"picture:{picture}" in cell["metadata"].get("tags", [])
        ]
        (output,) = [o for o in cells[0]["outputs"] if "image/png" in o.get("data", {})]
        assert base64.b64decode(output["data"]["image/png"]) == stored


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The wheel, unpacked where no checkout is near."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", folder, ROOT]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = folder.glob("lmkit-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_wheel_loads_the_shipped_reviews_outside_the_checkout(installed, tmp_path):
    code = (
        f"import sys; sys.path.insert(0, {str(installed)!r}); import lmkit;"
        "texts, labels = lmkit.datasets.load_reviews('test');"
        "print(lmkit.__file__, len(texts), len(lmkit.datasets.load_review_pairs()))"
    )
    # -S -E would drop numpy as well; -P and an empty folder keep the checkout out.
    run = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    place, texts, pairs = run.stdout.split()
    assert pathlib.Path(place).parent == installed / "lmkit"
    assert int(texts) >= 1000
    assert int(pairs) >= 200


def test_wheel_carries_what_the_course_needs_and_no_more(installed):
    tops = {path.name for path in installed.iterdir()}
    assert {name.split("-")[0] for name in tops} == {"lmkit"}
    files = {path.relative_to(installed).as_posix() for path in installed.rglob("*")}
    assert "lmkit/data/reviews/train.csv" in files
    assert "lmkit/results/01_rnn_classifier.json" in files
    assert not [name for name in files if name.endswith((".ipynb", ".pyc"))]
