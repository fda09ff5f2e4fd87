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
MAINTAINING = (ROOT / "MAINTAINING.md").read_text(encoding="utf-8")


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


def test_ci_runs_readmes_second_command():
    *_, command = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert f"\n{command}\n" in README
    assert "pytest" in command
    first = command.split(" && ")[0]
    assert f"{first} && .venv/bin/pip install -r requirements.txt && " in README


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


PAGES = (
    "README.md", "MAINTAINING.md", "chapters/README.md", "chapters/ARTICLES.md",
    "chapters/GLOSSARY.md", "tests/benchmarks/README.md",
)  # fmt: skip


def anchors(page):
    """The anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_links_lead_somewhere():
    found = 0
    for page in map(ROOT.joinpath, PAGES):
        text = page.read_text(encoding="utf-8")
        for target, anchor in re.findall(r"\]\(([^)#\s]*)#?([^)\s]*)\)", text):
            if not target.startswith("https://"):
                other = page.parent / target if target else page
                assert other.exists(), target
                assert not anchor or anchor in anchors(other), f"{target}#{anchor}"
                found += 1
    assert found > 40


def public_names():
    """Names that the modules of lmkit export, by the name of their module."""
    import lmkit

    modules = {name: getattr(lmkit, name) for name in lmkit.__all__}
    return {
        name: set(getattr(module, "__all__", None) or vars(module))
        for name, module in modules.items()
    }


def test_new_names_are_there_and_old_ones_are_gone():
    from lmkit.models import RecurrentLM, TransformerLM

    known, text = public_names(), "\n".join(re.findall(r"^\| `.*", MAINTAINING, flags=re.M))
    every = set().union(*known.values())
    models = [
        RecurrentLM(vocab_size=9, embed_dim=2, units=3),
        TransformerLM(vocab_size=9, max_length=6, embed_dim=4, num_heads=2, ff_dim=8, num_layers=1),
    ]
    rows = [line.strip("| ").split(" | ") for line in text.splitlines()]
    rows = [row for row in rows if len(row) == 3 or row[1] == "gone"]
    assert len(rows) >= 30
    for old, new, *_ in rows:
        for name in re.findall(r"(?<![\w.])([A-Za-z_]+)\(", new):
            assert name in every, f"lmkit has no {name}"
        for name in re.findall(r"\bmodel\.([a-z_]+)", new):
            assert name == "compile" or any(hasattr(model, name) for model in models), name
        for module, name in re.findall(r"`(?:lmkit\.)?([a-z]+)\.(\w+)", new):
            assert module not in known or name in known[module], f"lmkit.{module}.{name}"
        if new == "gone":
            for name in re.findall(r"`(?:lmkit\.)?(?:\w+\.)?([a-z_A-Z]{4,})`", old):
                assert name not in every, f"{name} is not gone"


def test_the_table_of_sizes_is_not_out_of_date():
    sizes = load_script(ROOT / "tests" / "benchmarks" / "sizes.py")
    texts = [path.read_text(encoding="utf-8") for path in sizes.files(ROOT / "lmkit")]
    row = sizes.row("lmkit 0.2", [sizes.measure(text) for text in texts])
    stored = re.search(r"^\| lmkit 0\.2 \| (.*) \|$", MAINTAINING, flags=re.M)[1].split(" | ")
    numbers = [[int(cells[at].replace(",", "")) for at in (1, 2)] for cells in (row[1:], stored)]
    # A tenth: not every change to the package has to change the page.
    assert numbers[1] == pytest.approx(numbers[0], rel=0.1), f"| {' | '.join(map(str, row))} |"


# How every page and docstring is written, as far as a pattern can tell.
HABITS = [
    r"\bslopes?\b",  # gradients
    r"\b(?:nats|bits|words|tokens|texts|numbers) an? (?:word|character|token|second|batch|step)\b",
    r"\btrainings\b",
    r"\w*[Cc]olour\w*",
    r"\w*(?:[Nn]ormal|[Ii]nitial|[Rr]egular)is(?:e|ation|ing)\w*",
    r"[Bb]uilt by hand in:?",
    r"(?<![\w*])[Aa]rticles? [A-E] \(0",
    r"(?:^|\. )Who (?:only|is|wants|changes|reads)\b",
    r"\bmend(?:s|ed|ing)?\b",
]


def habits(text):
    return [match[0] for pattern in HABITS for match in re.finditer(pattern, text, flags=re.M)]


@pytest.mark.parametrize("page", [*PAGES, "tests/BAD_INPUT.md"])
def test_pages_are_written_in_plain_american_english(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    # The old names are quoted, and names of other people's things stay.
    text = text.split("## Old names and new names")[0]
    assert habits(text) == []


def test_the_package_is_written_in_plain_american_english():
    for path in (ROOT / "lmkit").rglob("*.py"):
        assert habits(path.read_text(encoding="utf-8")) == [], path.name


@pytest.mark.parametrize(
    "text",
    [
        "0.3 nats a word", "the slopes of the loss", "two trainings", "any colour",
        "layer normalisation", "Source: article E (004)", "Who only wants to learn", "to mend it",
    ],
)  # fmt: skip
def test_a_habit_would_be_found(text):
    assert habits(text)
    assert not habits("0.3 nats per word; a training run; if you only want to learn; amend")


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
        "pairs = lmkit.datasets.load_review_pairs();"
        "help_pairs = lmkit.datasets.load_libreoffice_help('held_out');"
        "print(lmkit.__file__, len(texts), len(pairs), len(help_pairs))"
    )
    # -S -E would drop numpy as well; -P and an empty folder keep the checkout out.
    run = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    place, texts, pairs, help_pairs = run.stdout.split()
    assert pathlib.Path(place).parent == installed / "lmkit"
    assert int(texts) >= 1000
    assert int(pairs) >= 200
    assert int(help_pairs) >= 400


def test_wheel_carries_what_the_course_needs_and_no_more(installed):
    tops = {path.name for path in installed.iterdir()}
    assert {name.split("-")[0] for name in tops} == {"lmkit"}
    files = {path.relative_to(installed).as_posix() for path in installed.rglob("*")}
    assert "lmkit/data/reviews/train.csv" in files
    assert "lmkit/results/01_rnn_classifier.json" in files
    assert "lmkit/figures/02_lstm_cell.svg" in files
    assert {"lmkit/stories/english.txt", "lmkit/stories/chinese.txt"} <= files
    assert not [name for name in files if name.endswith((".ipynb", ".pyc"))]
