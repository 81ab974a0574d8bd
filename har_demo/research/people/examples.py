"""The example clips of the page: `python -m har_demo.research examples` renders them all again.

Their seeds are of a range that nothing was trained or tested with, so models see these people, places and
motions for the first time. Of the first eight seeds each clip has one that is good to look at, in the dark one
with so little noise that the file stays small; of three that walk and two that run, the one that more models
can tell.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import av

from har_demo import assets
from har_demo.clips.writer import open_mp4
from har_demo.research.people.motion import move, move_through
from har_demo.research.people.shoot import ShotSettings, Take, pictures, take_of

FOLDER = assets.EXAMPLES
SIZE, FPS = (384, 288), 25
UNSEEN = 2_000_000
CALM = ShotSettings(dark=False, calm=True, aspect=4 / 3)
# Smaller than an ingested clip: long groups of pictures, as the scene hardly changes.
X264 = {"preset": "slow", "crf": "22", "bf": "0", "g": "100"}
SMALLER = {"crf": "25"}  # what is grainy or long would take too much room at 22


@dataclass(frozen=True)
class ExampleSpec:
    """One clip: what it is called, what to look for, (action, seconds) after another, and how shown."""

    name: str
    title: str
    look: str
    parts: tuple[tuple[str, float], ...]
    seed: int
    shown: ShotSettings = CALM


EXAMPLES = (
    ExampleSpec(
        "waving_both_hands",
        "Waving both hands",
        "Only the arms move: do the models that see single frames and those that see motion agree?",
        (("wave_both_hands", 3.5),),
        UNSEEN + 7,
    ),
    ExampleSpec(
        "waving_both_hands_dark",
        "Waving both hands, in the dark",
        "The same person, room and moment with almost no light: nothing else differs.",
        (("wave_both_hands", 3.5),),
        UNSEEN + 7,
        replace(CALM, dark=True),
    ),
    ExampleSpec(
        "walking",
        "Walking",
        "Walking and running share poses; tempo and the flight between steps tell them apart.",
        (("walk", 3.2),),
        UNSEEN + 3,
    ),
    ExampleSpec(
        "running",
        "Running",
        "Round in a circle, so the view changes all the time while the action stays the same.",
        (("run", 3.0),),
        UNSEEN + 7,
    ),
    ExampleSpec(
        "running_treadmill",
        "Running, filmed from beside",
        "As on a treadmill: arms and legs run, yet nobody gets ahead. What do models follow?",
        (("run", 3.0),),
        UNSEEN + 6,
        replace(CALM, azimuth=1.4),
    ),
    ExampleSpec(
        "jumping_jack",
        "Jumping jack",
        "The arms do what they do in waving: watch whether the legs make the difference.",
        (("jumping_jack", 3.5),),
        UNSEEN + 1,
    ),
    ExampleSpec(
        "bending_down",
        "Bending down",
        "Take few frames and the lowest point can be missed: then only a standing person is left.",
        (("bend", 4.0),),
        UNSEEN + 0,
    ),
    ExampleSpec(
        "standing_up",
        "Standing up",
        "Played backwards this is sitting down, so a model must use the order of the frames.",
        (("stand_up", 3.0),),
        UNSEEN + 5,
    ),
    ExampleSpec(
        "sitting_down_dark",
        "Sitting down, in the dark",
        "Next to no light: a model that leans on colour and texture loses its footing.",
        (("sit_down", 3.2),),
        UNSEEN + 4,
        replace(CALM, dark=True),
    ),
    ExampleSpec(
        "several_actions",
        "Several actions in a row",
        "Twenty seconds, six actions, one scene: the timeline should change where the person does.",
        (
            *(("walk", 2.5), ("wave_one_hand", 3.5), ("jumping_jack", 4.0)),
            *(("bend", 4.0), ("wave_both_hands", 3.5), ("turn", 2.5)),
        ),
        UNSEEN + 3,
        replace(CALM, azimuth=0.7),
    ),
)


def scene(example: ExampleSpec) -> Take:
    """The example before it is rendered."""
    (action, seconds), *more = example.parts
    motion = move(action, example.seed, seconds, FPS)
    if more:
        motion = move_through(example.parts, example.seed, FPS)
    actions = dict.fromkeys(action for action, _ in example.parts)
    return take_of(motion, "+".join(actions), example.seed, FPS, example.shown)


def write(example: ExampleSpec, path: Path) -> None:
    """The example as an H.264 mp4 small enough for the repository."""
    large = example.shown.dark or len(example.parts) > 1
    options = X264 | (SMALLER if large else {})
    with open_mp4(path) as container:
        stream = container.add_stream("libx264", rate=FPS, options=options)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for frame in pictures(scene(example), SIZE):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))


def write_all() -> Iterator[Path]:
    """Write every example and then the index of them; yield each clip when it is written."""
    FOLDER.mkdir(exist_ok=True)
    for example in EXAMPLES:
        path = FOLDER / f"{example.name}.mp4"
        write(example, path)
        yield path
    index = [{"file": f"{e.name}.mp4", "title": e.title, "look": e.look} for e in EXAMPLES]
    (FOLDER / "index.json").write_text(json.dumps(index, indent=2, ensure_ascii=False) + "\n")
