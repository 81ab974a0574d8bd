"""Every rule that an upload or a build would be refused for is checked, and says what is wrong."""

import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest
from huggingface_hub import SpaceCard
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from har_demo.research.space import folder as making
from har_demo.research.space import requirements, rules, trial

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
PYTHON = SpaceCard(README).data.python_version


@pytest.fixture(scope="module")
def pins() -> str:
    return requirements.exact(ROOT, PYTHON)


@pytest.fixture
def space(tmp_path, pins, monkeypatch) -> Path:
    """A folder that nothing is wrong with, and an index that has the newest of everything."""
    place = tmp_path / "space"
    (place / "har_demo").mkdir(parents=True)
    (place / "app.py").write_text("print('hello')\n")
    (place / "packages.txt").write_text("ffmpeg\n")
    (place / "README.md").write_text(making.of_space(README, "someone/atlas"), "utf-8")
    (place / "requirements.txt").write_text(pins, "utf-8")
    (place / "har_demo" / "weights.safetensors").write_bytes(b"\0" * 100)
    (place / ".gitattributes").write_text(making.attributes(place))
    known = {name: {version} for name, version in rules._pinned(place).items()}
    monkeypatch.setattr(rules, "_versions", known.__getitem__)
    return place


def problems(space: Path) -> dict[str, tuple[str, ...]]:
    return {one.rule: one.problems for one in rules.check(space) if one.problems}


def test_nothing_is_wrong_with_what_we_upload(space):
    assert all(one.unchecked == "" for one in rules.check(space))
    assert problems(space) == {}


def test_what_is_uploaded_are_tracked_files_that_serve():
    try:
        names = making.served(ROOT)
    except subprocess.CalledProcessError:
        pytest.skip("this copy is no git checkout")
    assert {"app.py", "packages.txt", "checkpoints/manifest.json", making.PICTURE} <= set(names)
    assert "har_demo/interface/app.py" in names and "results/measured/tiny.csv" in names
    beside = ("tests/", "har_demo/research/", ".ci/", "docs/", ".git")
    assert not [name for name in names if name.startswith(beside)]


def test_the_folder_is_built_anew_and_spares_what_is_not_ours(tmp_path):
    root = tmp_path / "repository"
    for name, content in {
        "app.py": "import har_demo\n",
        "har_demo/__init__.py": "",
        "har_demo/untracked.py": "",
        "har_demo/research/train.py": "",
        "tests/test_app.py": "",
        "checkpoints/model.safetensors": "\0\0",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    for name in ("README.md", "requirements.txt", "constraints.txt"):
        shutil.copy(ROOT / name, root)
    for words in (["init", "-q"], ["add", "."], ["rm", "-q", "--cached", "har_demo/untracked.py"]):
        subprocess.run(["git", *words], cwd=root, check=True)
    target = tmp_path / "space"
    making.build(root, target, "someone/atlas")
    (target / "left from before.txt").write_text("")
    making.build(root, target, "someone/atlas")
    assert [str(path.relative_to(target)) for path in making.files(target)] == [
        ".gitattributes",
        "README.md",
        "app.py",
        "checkpoints/model.safetensors",
        "har_demo/__init__.py",
        "requirements.txt",
    ]
    assert "*.safetensors filter=lfs" in (target / ".gitattributes").read_text()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("")
    with pytest.raises(FileExistsError, match="name an empty folder"):
        making.build(root, tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").exists()


def test_the_readme_of_a_space_has_no_links_that_lead_nowhere():
    text = making.of_space(README, "someone/atlas")
    card = SpaceCard(text)
    assert card.data.thumbnail.startswith("https://huggingface.co/spaces/someone/atlas/")
    assert "thumbnail" not in SpaceCard(making.of_space(README, None)).data.to_dict()
    assert making.PICTURE in card.text and "docs/" not in card.text
    assert (ROOT / making.PICTURE).is_file()


def test_versions_are_exact_serve_and_keep_to_the_repositorys_ranges(pins):
    found = {one.name: one for one in map(Requirement, pins.splitlines()[1:])}
    asked = requirements.listed(ROOT / "requirements.txt")
    assert {one.name.lower().replace("_", "-") for one in asked} <= found.keys()
    for one in asked:
        (pin,) = found[one.name.lower().replace("_", "-")].specifier
        assert pin.operator == "==" and pin.version in one.specifier, one
        assert one.extras == found[one.name.lower().replace("_", "-")].extras
    assert "starlette" in found, "what others need is there too"
    assert not found.keys() & {"pytest", "ruff", "mypy", "playwright", "hatchling", "audioop-lts"}


def test_a_package_without_a_version_is_named(tmp_path):
    (tmp_path / "requirements.txt").write_text("torch\nnew-one>=2\n")
    (tmp_path / "constraints.txt").write_text("numpy==2.0\n")
    with pytest.raises(LookupError, match="new-one"):
        requirements.exact(tmp_path, PYTHON)


BREAKS = (
    # rule, file, what stands there, what takes its place, words of the problem
    ("front matter", "README.md", "---\ntitle", "title", "no front matter|'title' is missing"),
    ("front matter", "README.md", "pinned: false", "pined: false", "no key 'pined'"),
    ("front matter", "README.md", "license: mit\n", "", "'license' is missing"),
    ("front matter", "README.md", "colorTo: yellow", "colorTo: teal", "colorTo is one of"),
    ("front matter", "README.md", '"3.12"', "3.12", "not in quotes"),
    ("front matter", "README.md", "sdk: gradio", "sdk: docker", "sdk gradio alone"),
    ("front matter", "README.md", "short_description: ", f"short_description: {'x' * 60}", "60"),
    ("front matter", "README.md", "cpu-basic", "h900", "'h900'"),
    ("front matter", "README.md", "app_file: app.py", "app_file: main.py", "'main.py' is not"),
    ("front matter", "README.md", "thumbnail: https:", "thumbnail: ftp:", "no https address"),
    ("front matter", "README.md", "  - education", "  - 3", "tags is not a list of words"),
    ("front matter", "README.md", "_model.bin", "_model.bin b c d", "preload_from_hub takes"),
    ("Python and torch of ZeroGPU", "README.md", '"3.12"', '"3.11"', "has no Python 3.11"),
    ("Python and torch of ZeroGPU", "README.md", '"3.12"', '"3.10"', "project runs on Python"),
    ("Python and torch of ZeroGPU", "requirements.txt", "torch==2.12.1", "torch==2.14.1", "2.14.1"),
    (
        "exact versions",
        "requirements.txt",
        "numpy==",
        "numpy>=",
        "leaves the version of numpy open",
    ),
    ("exact versions", "requirements.txt", "numpy==", "pytest==9\nnumpy==", "installs pytest"),
    ("exact versions", "README.md", "sdk_version: 6", "sdk_version: 7", "would replace the other"),
    (
        "versions on the package index",
        "README.md",
        "sdk_version: 6",
        "sdk_version: 7",
        "no gradio 7",
    ),
    ("system packages", "packages.txt", "ffmpeg", "# ffmpeg", "no name of a package"),
    ("no secrets", "app.py", "print", "import os; os.environ['HF_TOKEN']; print", "reads HF_TOKEN"),
    ("large files", ".gitattributes", "*.safetensors", "*.bin", "weights.safetensors' is binary"),
)


def test_every_rule_says_what_is_wrong(space):
    for rule, name, old, new, words in BREAKS:
        whole = (space / name).read_text("utf-8")
        assert old in whole, (name, old)
        (space / name).write_text(whole.replace(old, new, 1), "utf-8")
        found = problems(space)
        (space / name).write_text(whole, "utf-8")
        assert rule in found, (rule, new, found)
        with pytest.raises(AssertionError, match=words):
            raise AssertionError(found[rule])
    assert problems(space) == {}


def test_names_and_sizes_that_are_refused(space, monkeypatch):
    for name, words in (
        ("a file.txt", "characters beyond"),
        ("ünder.txt", "characters beyond"),
        (".env", "not to be uploaded"),
        ("tests/test_app.py", "serves nobody"),
        ("APP.py", "upper and in lower case"),
    ):
        (space / name).parent.mkdir(exist_ok=True)
        (space / name).write_text("")
        (said,) = problems(space)["file names"]
        (space / name).unlink()
        assert words in said
    (space / "link.txt").symlink_to(space / "app.py")
    assert "a link" in problems(space)["file names"][0]
    (space / "link.txt").unlink()
    monkeypatch.setitem(rules.hub()["files"], "large_bytes", 10)
    assert any("'app.py' has" in said for said in problems(space)["large files"])
    monkeypatch.setitem(rules.hub()["files"], "large_bytes", 10**9)
    monkeypatch.setitem(rules.hub()["files"], "repository_bytes", 10)
    monkeypatch.setitem(rules.hub()["files"], "per_folder", 3)
    first, second = problems(space)["large files"]
    assert "together" in first and "entries" in second


def test_without_an_index_that_rule_is_called_unchecked(space, monkeypatch):
    def silent(package):
        raise rules.Unchecked("the package index says nothing")

    monkeypatch.setattr(rules, "_versions", silent)
    (one,) = [one for one in rules.check(space) if one.unchecked]
    assert one.rule == "versions on the package index" and one.problems == ()


def test_the_table_says_when_and_where_it_was_read():
    for name, table in rules.hub().items():
        assert isinstance(table["read"], date) and table["read"] <= date.today(), name
        assert "https://huggingface.co/docs/hub" in table["source"], name
    assert requirements.TORCH["torch"] in rules.hub()["zero_gpu"]["torch"]
    assert PYTHON in rules.hub()["zero_gpu"]["python"] and PYTHON in SpecifierSet(rules.SUPPORTED)


def test_an_app_that_does_not_start_is_refused_with_its_last_words(tmp_path):
    (tmp_path / "app.py").write_text("raise SystemExit('no torch here')\n")
    with pytest.raises(RuntimeError, match="no torch here"):
        trial.ask(tmp_path, Path(shutil.which("python3")), 2)
    with pytest.raises(FileNotFoundError, match=r"There is no python2\.0"):
        trial.environment(tmp_path, "2.0", tmp_path / "environment", print)


def test_a_trial_with_other_versions_leaves_the_folder_as_it_is(space):
    with trial.with_ranges(space, ROOT / "requirements.txt") as copy:
        assert "torch>=" in (copy / "requirements.txt").read_text()
        assert (copy / "app.py").read_text() == (space / "app.py").read_text()
    assert "torch==" in (space / "requirements.txt").read_text() and not copy.exists()
