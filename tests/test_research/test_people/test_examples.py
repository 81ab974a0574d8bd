"""The example clips of the page are there, small, playable, and what the script renders."""

import json
from dataclasses import replace
from itertools import islice

import av
import numpy as np
import pytest

from har_demo.research.people.examples import EXAMPLES, FOLDER, FPS, SIZE, ExampleSpec, scene, write
from har_demo.research.people.shoot import frames
from har_demo.research.training.prompts import features
from har_demo.research.training.recognition.protocol import FILE, read_protocol


def test_the_index_names_exactly_the_clips():
    index = json.loads((FOLDER / "index.json").read_text())
    assert {entry["file"] for entry in index} == {path.name for path in FOLDER.glob("*.mp4")}
    assert [entry["file"] for entry in index] == [f"{example.name}.mp4" for example in EXAMPLES]
    for entry, example in zip(index, EXAMPLES, strict=True):
        assert entry == {"file": entry["file"], "title": example.title, "look": example.look}
    assert all(entry["look"].endswith((".", "?")) for entry in index)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_the_clip_is_small_h264_and_whole(example):
    path = FOLDER / f"{example.name}.mp4"
    assert path.stat().st_size < 300_000
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat"), "the index comes first, so it plays at once"
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert (stream.width, stream.height) == SIZE
        assert stream.average_rate == FPS
        count = sum(1 for _ in container.decode(stream))
    assert count == round(FPS * sum(seconds for _, seconds in example.parts))


@pytest.mark.parametrize(
    "name", [pytest.param("walking", marks=pytest.mark.nightly), "sitting_down_dark"]
)
def test_the_clip_is_what_the_script_renders(name):
    example = next(example for example in EXAMPLES if example.name == name)
    with av.open(str(FOLDER / f"{name}.mp4")) as container:
        stored = [f.to_ndarray(format="rgb24") for f in islice(container.decode(video=0), 3)]
    whole = scene(example)
    begin = replace(whole, stage=whole.stage.frames(slice(3)))
    assert np.abs(np.stack(stored).astype(int) - frames(begin, SIZE)).mean() < 4


def test_nothing_was_trained_or_tested_with_their_seeds():
    """Each seed is a person, a place and a motion: a model must not have met them before."""
    protocol = read_protocol(FILE)
    taken = {protocol.rendered_seed + n for n in range(protocol.rendered_clips)}
    taken |= {protocol.test_seed + n for n in range(protocol.test_clips)}
    taken |= {one.seed for one in (*features.people(1170), *features.calm(1170))}
    assert taken.isdisjoint(example.seed for example in EXAMPLES)


def test_writing_an_example(tmp_path):
    short = ExampleSpec("short", "Short", "Nothing.", (("bend", 0.08),), 1)
    write(short, tmp_path / "short.mp4")
    with av.open(str(tmp_path / "short.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == 2
