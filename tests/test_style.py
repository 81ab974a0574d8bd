"""The repository keeps its own rules: clean code, arrows that point down, small files."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "har_demo"
MODULES = sorted(PACKAGE.rglob("*.py"))

# What each folder may import of the others; errors and assets may be used anywhere.
BELOW = {
    "assets": set(),
    "device": set(),
    "errors": set(),
    "storage": set(),
    "threads": set(),
    "installed": set(),
    "labels": set(),
    "clips": {"labels"},
    "models": {"labels"},
    "weights": {"models", "labels"},
    "flow": {"clips", "models", "weights"},
    "recognize": {"clips", "models", "weights", "labels", "flow", "tables"},
    "prompts": {"clips", "models", "weights", "labels", "flow", "recognize"},
    "explain": {"clips", "models", "weights", "labels", "flow", "recognize", "profiling"},
    "tables": {"models", "weights", "labels"},
    "profiling": {"models", "weights", "labels", "tables"},
}
ANYWHERE = {"errors", "assets", "child", "device", "storage", "threads"}
# Records that any part may name: what a model wants of its input.
RECORDS = ("har_demo.models.card.",)


def part(module: Path) -> str:
    """The folder (or single file) of har_demo that a module belongs to."""
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


@cache
def imports(module: Path) -> set[str]:
    """Full dotted names of everything a file imports, wherever in the file."""
    names = set()
    package = module.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            base = ".".join(filter(None, [base, node.module]))
            # `from har_demo import weights` imports har_demo.weights
            names |= {f"{base}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=["lint", "format"])
def test_ruff(command):
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *command, "."], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_types():
    done = subprocess.run([sys.executable, "-m", "mypy"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_only_the_interface_knows_gradio():
    outside = [m for m in MODULES if part(m) != "interface"]
    guilty = [m for m in outside if any(n.split(".")[0].startswith("gradio") for n in imports(m))]
    assert not guilty


def test_nothing_below_imports_the_interface_or_the_command_line():
    guilty = [
        (module, name)
        for module in MODULES
        if part(module) in {*BELOW, "research"}
        for name in imports(module)
        if name.split(".")[0] == "app"
        or name.split(".")[:2] == ["har_demo", "interface"]
        # Nothing imports research, so that its own commands may share helpers with the others.
        or (name.split(".")[:2] == ["har_demo", "cli"] and part(module) != "research")
    ]
    assert not guilty


@pytest.mark.parametrize("name", BELOW)
def test_arrows_point_down(name):
    allowed = BELOW[name] | {name} | ANYWHERE
    for module in MODULES:
        if part(module) != name:
            continue
        for imported in imports(module):
            top, *rest = imported.split(".")
            if top != "har_demo" or not rest or imported.startswith(RECORDS):
                continue
            assert rest[0] in allowed, f"{module.relative_to(ROOT)} imports {imported}"


def test_what_is_served_imports_nothing_of_research():
    guilty = [
        (str(module.relative_to(ROOT)), name)
        for module in MODULES
        if part(module) != "research"
        for name in imports(module)
        if name.split(".")[:2] == ["har_demo", "research"]
    ]
    assert not guilty


def test_the_arrow_check_sees_imports(tmp_path, monkeypatch):
    """Relative, aliased and late imports are all found: the checks above rest on it."""
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    module = tmp_path / "har_demo" / "models" / "late.py"
    module.parent.mkdir(parents=True)
    module.write_text(
        "from ..weights import load\nfrom . import card\nfrom har_demo import recognize as r\n"
        "def f():\n    import gradio as gr\n"
    )
    assert imports(module) == {
        "har_demo.weights.load",
        "har_demo.models.card",
        "har_demo.recognize",
        "gradio",
    }


def test_no_tracked_file_is_over_ten_megabytes():
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("this copy is not a git checkout")
    files = [ROOT / name for name in listed.stdout.split("\0") if name]
    large = [f for f in files if f.is_file() and f.stat().st_size > 10_000_000]
    assert not large
