"""The folder that is uploaded: tracked files that a Space needs, its README, requirements and .gitattributes.

git ls-files ──those in SERVED──▶ folder   + requirements.txt, exact
                                           + README.md, its front matter and first section
                                           + .gitattributes, which sends binaries to large-file storage
"""

import shutil
import subprocess
from pathlib import Path

from huggingface_hub import SpaceCard

from har_demo.research.space.requirements import exact

SERVED = (
    *("app.py", "packages.txt", "LICENSE", "NOTICE", "har_demo/", "checkpoints/"),
    *(
        "results/published/",
        "results/measured/",
        "results/lecture_errata.csv",
        "results/screenshots/recognise.png",
    ),
)
"""Files, and folders with all that is in them."""
LEFT_OUT = ("har_demo/research/",)
PICTURE = "results/screenshots/recognise.png"
FRONT_MATTER = "---\n"


def build(root: Path, folder: Path, space: str | None = None) -> None:
    """Build the folder anew.

    Args:
        root: the repository; tracked files are taken as they lie there.
        folder: is emptied first, unless it holds something that is no folder of ours.
        space: 'user/name' of the Space, for the address of its picture.

    Raises:
        FileExistsError: the folder holds other files.
        LookupError: as `requirements.exact`.
        subprocess.CalledProcessError: the repository is no git checkout.
    """
    if folder.exists() and any(folder.iterdir()):
        if not (folder / ".gitattributes").is_file() or (folder / ".git").exists():
            raise FileExistsError(f"{folder} holds other files: name an empty folder.")
        shutil.rmtree(folder)
    for name in served(root):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / name, target)
    readme = (root / "README.md").read_text("utf-8")
    (folder / "README.md").write_text(of_space(readme, space), "utf-8")
    python = SpaceCard(readme).data.python_version
    (folder / "requirements.txt").write_text(exact(root, python), "utf-8")
    (folder / ".gitattributes").write_text(attributes(folder), "utf-8")


def served(root: Path) -> list[str]:
    """Return the paths of tracked files that a Space needs."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", *SERVED], cwd=root, check=True, capture_output=True, text=True
    )
    names = [name for name in listed.stdout.split("\0") if name]
    return [name for name in names if not name.startswith(LEFT_OUT)]


def of_space(readme: str, space: str | None) -> str:
    """Return the Space's README: front matter, and the text before the first section, whose links would lead nowhere.

    A thumbnail is an absolute address, so that it can be named for one Space only.
    """
    _, front, text = readme.split(FRONT_MATTER, 2)
    if space:
        front += f"thumbnail: https://huggingface.co/spaces/{space}/resolve/main/{PICTURE}\n"
    return FRONT_MATTER + front + FRONT_MATTER + text.partition("\n## ")[0].rstrip() + "\n"


def attributes(folder: Path) -> str:
    """Return .gitattributes: the suffixes of binary files go to large-file storage."""
    suffixes = sorted({path.suffix for path in files(folder) if binary(path)})
    return "".join(f"*{suffix} filter=lfs diff=lfs merge=lfs -text\n" for suffix in suffixes)


def files(folder: Path) -> list[Path]:
    """Return every file below a folder, sorted."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def binary(path: Path) -> bool:
    """Return whether git takes a file for binary: there is a zero among its first 8000 bytes."""
    with path.open("rb") as file:
        return b"\0" in file.read(8000)
