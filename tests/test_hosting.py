"""What Hugging Face Spaces and a fresh machine read is true: README front matter and requirements."""

import ast
import re
import runpy
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest
import yaml
from huggingface_hub import SpaceCard
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
# Import names that differ from the name on the package index.
INDEX_NAMES = {
    "PIL": "pillow",
    "xdist": "pytest-xdist",
    "cv2": "opencv-contrib-python-headless",
    "sklearn": "scikit-learn",
    "open_clip": "open-clip-torch",
}
# The code asks whether these are there and goes on without them.
OPTIONAL = {"spaces", "pyarrow"}


@pytest.fixture(scope="module")
def card():
    return SpaceCard.load(ROOT / "README.md").data


@pytest.fixture(scope="module")
def requirements() -> dict[str, Requirement]:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    wanted = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {requirement.name.lower().replace("_", "-"): requirement for requirement in wanted}


def test_the_space_starts_the_app(card):
    assert card.sdk == "gradio"
    assert (ROOT / card.app_file).is_file()
    assert card.title
    assert card.license


@pytest.mark.parametrize("space", [True, False])
def test_a_space_fetches_weights_while_it_starts(monkeypatch, space):
    """Elsewhere `make` has done so, or a person does."""
    from har_demo.interface import app
    from har_demo.weights import package_index

    calls = []
    monkeypatch.setattr(app, "build", lambda: "pages")
    monkeypatch.setattr(app, "launch", calls.append)
    monkeypatch.setattr(package_index, "fetch_in_background", lambda: calls.append("fetching"))
    monkeypatch.delenv("SPACE_ID", raising=False)
    if space:
        monkeypatch.setenv("SPACE_ID", "somebody/action-atlas")
    runpy.run_path(str(ROOT / "app.py"), run_name="__main__")
    assert calls == (["fetching", "pages"] if space else ["pages"])


def test_the_gradio_version_is_the_tested_one(card):
    """The pin among them: a Space that installs another next to it would not build."""
    pins = (ROOT / "constraints.txt").read_text().splitlines()
    assert f"gradio=={card.sdk_version}" in pins


def test_the_python_version_is_supported(card):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert isinstance(card.python_version, str), "unquoted, YAML reads 3.10 as 3.1"
    assert Version(card.python_version) in SpecifierSet(project["requires-python"])


def test_the_short_description_fits(card):
    assert 0 < len(card.short_description) <= 60, "Spaces refuses more than 60 characters"


def test_torch_without_a_matching_torchvision_is_never_chosen(requirements):
    assert "2.13.0" not in requirements["torch"].specifier
    assert "2.13.0+cpu" not in requirements["torch"].specifier
    assert "0.28.0" not in requirements["torchvision"].specifier
    assert "2.15.0" in requirements["torch"].specifier


def test_every_import_is_required(requirements):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    tools = {
        Requirement(line).name.lower().replace("_", "-")
        for line in project["optional-dependencies"]["dev"]
    }
    missing = {}
    for folder, known in (
        ("har_demo", requirements.keys()),
        ("tests", requirements.keys() | tools),
    ):
        for module in [ROOT / "app.py", *(ROOT / folder).rglob("*.py")]:
            for name in _third_party(module):
                if INDEX_NAMES.get(name, name).replace("_", "-") not in known:
                    missing.setdefault(name, []).append(str(module.relative_to(ROOT)))
    assert not missing


def _third_party(module: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(node.module.split(".")[0])
    # gradio brings its client, packaging, pydantic, anyio and mcp with it, huggingface_hub yaml
    brought = {"gradio_client", "packaging", "pydantic", "anyio", "mcp", "yaml"}
    return names - _ours() - OPTIONAL - sys.stdlib_module_names - brought


@cache
def _ours() -> set[str]:
    tests = {path.stem for path in (ROOT / "tests").rglob("*.py")}
    tests |= {package.parent.name for package in (ROOT / "tests").rglob("__init__.py")}
    return {"har_demo", "app", "tests"} | tests


def test_system_packages_are_plain_names():
    names = (ROOT / "packages.txt").read_text().split("\n")
    assert names.pop() == "", "the last line ends"
    assert names
    for name in names:
        assert re.fullmatch(r"[a-z0-9][a-z0-9+.-]+", name), name


def test_the_models_named_are_those_that_come_from_the_hub(card):
    from har_demo.models.registry import cards

    urls = [source.url for model in cards().values() for source in model.weights]
    hub = {
        "/".join(url.split("/")[3:5]) for url in urls if url.startswith("https://huggingface.co/")
    }
    preloaded = {line.split()[0] for line in card.preload_from_hub}
    assert set(card.models or ()) == hub | preloaded


def test_clip_is_there_before_a_space_starts(card):
    """The default model's weights are fetched while the Space is built, as 'repository file,file'."""
    from open_clip.constants import HF_SAFE_WEIGHTS_NAME, HF_WEIGHTS_NAME

    from har_demo.prompts import online

    ((repository, files),) = (line.split() for line in card.preload_from_hub)
    assert online.model_card(online.DEFAULT) == f"https://huggingface.co/{repository}"
    assert set(files.split(",")) <= {HF_SAFE_WEIGHTS_NAME, HF_WEIGHTS_NAME}


def test_the_container_runs_as_a_user_who_may_write_to_its_caches_alone():
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    steps = [line.split(maxsplit=1) for line in lines if re.match(r"[A-Z]+ ", line)]
    kinds = [kind for kind, _ in steps]
    user = kinds.index("USER")
    assert steps[user][1] == "1000:1000" and kinds.count("USER") == 1
    assert not {"COPY", "RUN"} & set(kinds[user:]), "what it runs belongs to root"
    written = dict(re.findall(r"(HAR_CACHE|HF_HOME|GRADIO_TEMP_DIR)=(\S+)", "\n".join(lines)))
    assert len(written) == 3 and all(path.startswith("/cache/") for path in written.values())
    let_in = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    copied = {name for kind, rest in steps if kind == "COPY" for name in rest.split()[:-1]}
    assert copied == let_in and all((ROOT / name).exists() for name in copied)


def test_the_mirror_uploads_the_folder_that_was_checked_and_needs_one_secret():
    workflow = yaml.safe_load((ROOT / ".github/workflows/space.yml").read_text())
    job = workflow["jobs"]["mirror"]
    build, upload = (step for step in job["steps"] if "run" in step)
    assert build["run"] == "make space DRY=1" and "env" not in build
    assert "hf upload" in upload["run"] and "--repo-type space" in upload["run"]
    assert upload["env"] == {"HF_TOKEN": "${{ secrets.HF_TOKEN }}"}
    assert job["if"] == "vars.SPACE != ''" and workflow["permissions"] == {"contents": "read"}
