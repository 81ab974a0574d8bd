"""The project's own example clips, rendered by har_demo.research.people.examples."""

import json
from dataclasses import dataclass
from functools import cache
from hashlib import file_digest
from itertools import islice
from pathlib import Path

import av

from har_demo import assets
from har_demo.clips.clip import Clip
from har_demo.interface.render import data_uri

FOLDER = assets.EXAMPLES


@dataclass(frozen=True)
class Example:
    """One shipped clip: its file name, a title, what to look for, and a picture of its middle."""

    file: str
    title: str
    look_for: str
    poster: str

    @property
    def path(self) -> Path:
        return FOLDER / self.file

    @property
    def url(self) -> str:
        return f"/gradio_api/file={self.path}"


def _poster(path: Path) -> str:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        middle = (stream.frames or 2) // 2
        picture = next(islice(container.decode(stream), middle, None))
        return data_uri(picture.to_ndarray(format="rgb24"), height=120, quality=75)


@cache
def examples() -> tuple[Example, ...]:
    """All shipped example clips, in the order of examples/index.json."""
    rows = json.loads((FOLDER / "index.json").read_text(encoding="utf-8"))
    return tuple(
        Example(row["file"], row["title"], row["look"], _poster(FOLDER / row["file"]))
        for row in rows
    )


def example(file: str) -> Example | None:
    """The example of that file name, or None."""
    return next((e for e in examples() if e.file == file), None)


def example_of(clip: Clip) -> str:
    """File name of the example this clip was made of, or ''."""
    return _by_hash().get(clip.sha256, "")


@cache
def _by_hash() -> dict[str, str]:
    hashes = {}
    for one in examples():
        with one.path.open("rb") as file:
            hashes[file_digest(file, "sha256").hexdigest()] = one.file
    return hashes
