"""The example clips of the page: `python -m har_demo.people.examples` renders them all again."""

import json
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from har_demo.clips.writer import open_mp4
from har_demo.people.figure import draw
from har_demo.people.motion import move_through

FOLDER = Path(__file__).resolve().parent.parent / "interface" / "examples"
SIZE, FPS = (384, 288), 25
# Smaller than an ingested clip: long groups of pictures, as the scene hardly changes.
X264 = {"preset": "slow", "crf": "22", "bf": "0", "g": "100"}


@dataclass(frozen=True)
class Example:
    """One clip: (action, seconds) after another, seen from `azimuth`, and what to look for."""

    name: str
    title: str
    look: str
    parts: tuple[tuple[str, float], ...]
    seed: int
    azimuth: float
    dark: bool = False


EXAMPLES = (
    Example(
        "waving_both_hands",
        "Waving both hands",
        "Only the arms move: do the models that see single frames and those that see motion agree?",
        (("wave_both_hands", 3.5),),
        *(4, 0.25),
    ),
    Example(
        "walking",
        "Walking",
        "Walking and running share poses; tempo and the flight between steps tell them apart.",
        (("walk", 3.2),),
        *(29, 1.4),
    ),
    Example(
        "running",
        "Running",
        "Round in a circle, so the view changes all the time while the action stays the same.",
        (("run", 3.0),),
        *(17, 0.4),
    ),
    Example(
        "jumping_jack",
        "Jumping jack",
        "The arms do what they do in waving: watch whether the legs make the difference.",
        (("jumping_jack", 3.5),),
        *(13, -0.2),
    ),
    Example(
        "bending_down",
        "Bending down",
        "Take few frames and the lowest point can be missed: then only a standing person is left.",
        (("bend", 4.0),),
        *(21, 0.9),
    ),
    Example(
        "standing_up",
        "Standing up",
        "Played backwards this is sitting down, so a model must use the order of the frames.",
        (("stand_up", 3.0),),
        *(9, -0.8),
    ),
    Example(
        "sitting_down_dark",
        "Sitting down, in the dark",
        "Little light and much noise: a model that leans on colour and texture loses its footing.",
        (("sit_down", 3.2),),
        *(44, 0.8),
        dark=True,
    ),
    Example(
        "several_actions",
        "Several actions in a row",
        "Twenty seconds, six actions, one scene: the timeline should change where the person does.",
        (
            *(("walk", 2.5), ("wave_one_hand", 3.5), ("jumping_jack", 4.0)),
            *(("bend", 4.0), ("wave_both_hands", 3.5), ("turn", 2.5)),
        ),
        *(34, 0.7),
    ),
)


def frames(example: Example) -> np.ndarray:
    """uint8 [T, height, width, 3] of an example, the same every time."""
    motion = move_through(example.parts, example.seed, FPS)
    return draw(motion, example.seed, SIZE, example.dark, example.azimuth)


def write(example: Example, path: Path) -> None:
    """The example as an H.264 mp4 small enough for the repository."""
    with open_mp4(path) as container:
        stream = container.add_stream("libx264", rate=FPS, options=X264)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for frame in frames(example):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for example in EXAMPLES:
        path = FOLDER / f"{example.name}.mp4"
        write(example, path)
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")
    index = [{"file": f"{e.name}.mp4", "title": e.title, "look": e.look} for e in EXAMPLES]
    (FOLDER / "index.json").write_text(json.dumps(index, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
