"""Rules that an upload or a build would be refused for, checked before: each a function of the folder.

A rule yields a sentence for everything that is wrong. Those of the Hub stand in hub.toml with their source.
"""

import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from importlib.resources import files as resources
from pathlib import Path

import yaml
from huggingface_hub import SpaceCard
from packaging.specifiers import SpecifierSet

from har_demo.research.space.folder import binary, files
from har_demo.research.space.requirements import listed

SUPPORTED = ">=3.11,<3.14"  # Pythons that constraints.txt has versions for


class Unchecked(Exception):
    """What a rule needs to know cannot be had now; the message says what."""


@dataclass(frozen=True)
class Finding:
    """What came of one rule.

    Attributes:
        rule: what it is about.
        problems: sentences; none when it is kept.
        unchecked: why it could not be checked, or ''.
    """

    rule: str
    problems: tuple[str, ...] = ()
    unchecked: str = ""


@cache
def hub() -> dict:
    """Return the table of what the Hub accepts."""
    return tomllib.loads((resources(__package__) / "hub.toml").read_text("utf-8"))


def check(folder: Path) -> list[Finding]:
    """Check every rule."""
    found = []
    for title, rule in RULES.items():
        try:
            found.append(Finding(title, tuple(rule(folder))))
        except Unchecked as why:
            found.append(Finding(title, unchecked=str(why)))
    return found


def front_matter(folder: Path) -> Iterator[str]:
    """Keys and values at the top of README.md."""
    known = hub()["front_matter"]
    try:
        card = SpaceCard.load(folder / "README.md").data.to_dict()
    except (OSError, ValueError, yaml.YAMLError) as error:
        yield f"README.md has no front matter that can be read: {error}."
        return
    for key in sorted(card.keys() - set(known["keys"])):
        yield f"Spaces know no key '{key}'."
    for key in known["needed"]:
        if not card.get(key):
            yield f"'{key}' is missing."
    for key in ("colorFrom", "colorTo"):
        if card.get(key) and card[key] not in known["colours"]:
            yield f"{key} is one of {', '.join(known['colours'])}, not '{card[key]}'."
    for key in ("python_version", "sdk_version"):
        if not isinstance(card.get(key, ""), str):
            yield f"{key} is not in quotes, and YAML reads {card[key]} as a number."
    if card.get("sdk") not in (None, "gradio"):
        yield f"ZeroGPU takes sdk gradio alone, not '{card['sdk']}'."
    if len(card.get("short_description") or "") > known["short_description"]:
        yield f"short_description is longer than {known['short_description']} characters."
    if card.get("suggested_hardware", "cpu-basic") not in known["hardware"]:
        yield f"No hardware to suggest is called '{card['suggested_hardware']}'."
    if card.get("app_file") and not (folder / card["app_file"]).is_file():
        yield f"app_file '{card['app_file']}' is not in the folder."
    if not str(card.get("thumbnail", "https://")).startswith("https://"):
        yield "thumbnail is no https address."
    for key in ("models", "datasets", "tags", "preload_from_hub"):
        if not all(isinstance(one, str) for one in card.get(key) or ()):
            yield f"{key} is not a list of words."
    for one in card.get("preload_from_hub") or ():
        if not re.fullmatch(r"[\w.-]+/[\w.-]+( [^ ]+( [0-9a-f]{40})?)?", str(one)):
            yield f"preload_from_hub takes 'repository file,file revision', not '{one}'."


def zero_gpu(folder: Path) -> Iterator[str]:
    """Python and torch against ZeroGPU's list."""
    known = hub()["zero_gpu"]
    card = SpaceCard.load(folder / "README.md").data
    python = ".".join(str(card.python_version).split(".")[:2])
    if python not in known["python"]:
        yield f"ZeroGPU has no Python {python}: it lists {', '.join(known['python'])}."
    if python not in SpecifierSet(SUPPORTED):
        yield f"The project runs on Python {SUPPORTED}, not on {python}."
    torch = _pinned(folder).get("torch", "")
    if torch not in known["torch"]:
        yield f"ZeroGPU has no torch {torch or 'without a version'}: it lists {', '.join(known['torch'])}."


def exact_versions(folder: Path) -> Iterator[str]:
    """One version of every package in requirements.txt, and that of gradio the page's own."""
    for one in listed(folder / "requirements.txt"):
        if not re.fullmatch(r"==[^*,]+", str(one.specifier)):
            yield f"requirements.txt leaves the version of {one.name} open."
        if one.name in ("pytest", "playwright", "ruff", "mypy"):
            yield f"requirements.txt installs {one.name}, which serves nobody."
    wanted = SpaceCard.load(folder / "README.md").data.sdk_version
    if (pinned := _pinned(folder).get("gradio")) != wanted:
        yield f"requirements.txt has gradio {pinned} and sdk_version is {wanted}: one would replace the other."


def on_the_index(folder: Path) -> Iterator[str]:
    """Gradio and torch of these versions are on the package index."""
    card = SpaceCard.load(folder / "README.md").data
    for name, version in (("gradio", card.sdk_version), ("torch", _pinned(folder).get("torch"))):
        if str(version) not in _versions(name):
            yield f"The package index has no {name} {version}."


def names(folder: Path) -> Iterator[str]:
    """Names that every tool takes, and nothing that a Space does not need."""
    known = hub()["files"]
    for path in files(folder):
        parts = path.relative_to(folder).parts
        name = "/".join(parts)
        if not all(re.fullmatch(known["name"], part) for part in parts):
            yield f"The name of '{name}' has characters beyond {known['name']}."
        if set(parts) & set(known["refused"]):
            yield f"'{name}' is not to be uploaded."
        if path.is_symlink():
            yield f"'{name}' is a link, which the Hub does not follow."
        if name.startswith(("tests/", "har_demo/research/")):
            yield f"'{name}' serves nobody."
    lower = [str(path.relative_to(folder)).lower() for path in files(folder)]
    for name in sorted({name for name in lower if lower.count(name) > 1}):
        yield f"'{name}' is there in upper and in lower case."


def large_files(folder: Path) -> Iterator[str]:
    """Binaries and large files go to large-file storage, and the rest is small."""
    known = hub()["files"]
    stored = _stored(folder)
    small = 0
    for path in files(folder):
        size, name = path.stat().st_size, str(path.relative_to(folder))
        if any(fnmatch(path.name, pattern) for pattern in stored):
            continue
        small += size
        if binary(path):
            yield f"'{name}' is binary, and .gitattributes does not send it to large-file storage."
        elif size >= known["large_bytes"]:
            yield f"'{name}' has {size:,} bytes, and .gitattributes does not send it to large-file storage."
    if small > known["repository_bytes"]:
        yield f"Files outside large-file storage have {small:,} bytes together."
    for inside in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        if (count := sum(1 for _ in inside.iterdir())) > known["per_folder"]:
            yield f"'{inside.relative_to(folder)}' holds {count:,} entries."


def system_packages(folder: Path) -> Iterator[str]:
    """One name of a Debian package a line."""
    text = (folder / "packages.txt").read_text("utf-8")
    for line in text.splitlines():
        if not re.fullmatch(r"[a-z0-9][a-z0-9+.-]+", line):
            yield f"packages.txt: '{line}' is no name of a package."


def no_secrets(folder: Path) -> Iterator[str]:
    """Nothing of ours reads a token: a copy of the Space works without secrets, and asks its visitors for none."""
    for path in files(folder):
        if path.suffix != ".py":
            continue
        for word in re.findall(
            r"HF_TOKEN|HUGGING_FACE_HUB_TOKEN|OAuthToken|LoginButton", path.read_text("utf-8")
        ):
            yield f"'{path.relative_to(folder)}' reads {word}."


RULES: dict[str, Callable[[Path], Iterator[str]]] = {
    "front matter": front_matter,
    "Python and torch of ZeroGPU": zero_gpu,
    "exact versions": exact_versions,
    "versions on the package index": on_the_index,
    "file names": names,
    "large files": large_files,
    "system packages": system_packages,
    "no secrets": no_secrets,
}


def _pinned(folder: Path) -> dict[str, str]:
    """Return the version of each package in requirements.txt."""
    return {
        one.name: str(one.specifier).removeprefix("==")
        for one in listed(folder / "requirements.txt")
    }


def _stored(folder: Path) -> list[str]:
    """Return the patterns of .gitattributes that lead to large-file storage."""
    file = folder / ".gitattributes"
    lines = file.read_text("utf-8").splitlines() if file.is_file() else []
    return [line.split()[0] for line in lines if "filter=lfs" in line.split()[1:]]


@cache
def _versions(package: str) -> frozenset[str]:
    """Return the versions that pip's index has.

    Raises:
        Unchecked: it does not answer.
    """
    command = [
        sys.executable,
        "-m",
        "pip",
        "index",
        "versions",
        "--disable-pip-version-check",
        package,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    found = re.search(r"Available versions: (.*)", done.stdout)
    if done.returncode or not found:
        raise Unchecked(f"the package index says nothing of {package}")
    return frozenset(found[1].split(", "))
