"""The grid against small networks of which it is known what they can tell."""

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from har_demo.errors import ChoiceError
from har_demo.explain.edits import EDITS, apply, asked, several
from har_demo.explain.edits_export import COLUMNS, grid_csv, grid_json
from har_demo.explain.film import MOST_SECONDS, Excerpt, Stretch, film
from har_demo.explain.sensitivity import (
    Cell,
    distance,
    grid,
    mirrored,
    ranking,
    rearranged,
    verdict,
)
from har_demo.recognize.plan import plan
from har_demo.recognize.prediction import ModelError, Prediction, Request
from har_demo.recognize.recognize import recognize
from tests.media import acted
from tests.test_recognize.conftest import Tiny, clip, make_clip, zoo

__all__ = ["clip", "zoo"]


class Bag(nn.Module):
    """Looks at frames one by one and averages: it cannot know their order."""

    def __init__(self, classes: int = 4):
        super().__init__()
        torch.manual_seed(5)
        self.each = nn.Linear(3 * 16, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        frames = nn.functional.adaptive_avg_pool3d(x, (x.shape[2], 4, 4))
        return self.each(frames.transpose(1, 2).flatten(2)).mul(4).relu().mean(dim=1)


class Pace(nn.Module):
    """Knows nothing but how much changes from frame to frame."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        change = (x[:, :, 1:] - x[:, :, :-1]).abs().mean(dim=(1, 2, 3, 4))
        return torch.stack([change * 40, *[torch.zeros_like(change) + 1] * 3], dim=1)


@pytest.fixture(scope="module")
def walk(tmp_path_factory) -> Excerpt:
    """A rendered walk of two seconds."""
    frames = acted("walk")
    source = make_clip(tmp_path_factory.mktemp("walk") / "walk.mp4", len(frames), size=(128, 96))
    return Excerpt(Stretch(source, 0, len(frames)), frames)


def last(film: Excerpt, models: list[str], edits: list[str]):
    *_, done = grid(film, models, several(edits))
    return done


def test_who_only_averages_frames_cannot_tell_their_order(zoo, walk):
    zoo.add("bag", Bag())
    zoo.add("pace", Pace())
    zoo.add("order", Tiny(4))
    done = last(walk, ["bag", "pace", "order"], ["reverse", "shuffle", "darken=0.3", "single"])
    bag, pace, order = done.rows
    assert bag.order == pytest.approx(0, abs=1e-6)
    assert bag.temporal > 0.001  # a single frame lacks what the others show
    assert pace.cells[0].distance == pytest.approx(0, abs=1e-6)  # changes as much backwards
    assert pace.cells[1].distance > 0.05 and pace.cells[3].distance > 0.05
    assert pace.temporal == pytest.approx(np.mean([pace.cells[n].distance for n in (0, 1, 3)]))
    assert order.cells[0].distance > 1e-4
    assert pace.picture == pace.cells[2].distance
    said = " ".join(verdict(done))
    assert "Bag answers the same backwards and shuffled" in said
    assert "Pace answers the same" not in said
    assert [row.model for row in ranking(done)] == ["pace", "bag"]


def test_the_answer_to_the_clip_is_that_of_recognition(zoo, walk):
    done = last(walk, ["first", "second"], ["mirror"])
    straight = recognize(walk.clip, [Request("first"), Request("second")], read=walk.read)
    for row, answer in zip(done.rows, straight, strict=True):
        assert (row.plain.scores == answer.scores).all()


def test_an_edited_picture_is_what_the_model_gets(zoo, walk):
    for text in ("jpeg=5", "noise=40", "background"):
        cell = last(walk, ["first"], [text]).rows[0].cells[0]
        changed = apply(walk.frames, asked(text), walk.clip.fps)
        (answer,) = recognize(walk.clip, [Request("first")], read=lambda c, i, x=changed: x[i])
        assert np.allclose(cell.scores, answer.overall, atol=1e-6), text
        assert cell.distance == pytest.approx(distance(cell.scores, last_plain(walk)), abs=1e-6)


def last_plain(walk: Excerpt) -> np.ndarray:
    (answer,) = recognize(walk.clip, [Request("first")], read=walk.read)
    return answer.overall


def test_edits_of_time_rearrange_the_frames_of_every_window(zoo, walk):
    one = plan(walk.clip, Request("first", windows=3))
    back = rearranged(walk, one, asked("reverse"))
    assert (back.indices == one.indices[:, ::-1]).all() and (back.moments == one.indices).all()
    fast = rearranged(walk, plan(walk.clip, Request("first")), asked("speed=2"))
    assert (np.diff(fast.indices, axis=1) == 4).all() and (np.diff(fast.moments) == 2).all()


def test_models_of_flow_and_of_differences_take_part(zoo, walk):
    zoo.add_flow("moving")
    zoo.add("changing", modality="difference")
    zoo.add_two_stream("both")
    done = last(walk, ["moving", "changing", "both"], ["reverse", "single", "mirror", "speed=0.5"])
    assert done.complete
    for row in done.rows:
        assert all(isinstance(cell, Cell) for cell in row.cells), row
        assert row.temporal > 0


class Later(nn.Module):
    """Says whether it gets brighter or darker."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        rise = (x[:, :, -1] - x[:, :, 0]).mean(dim=(1, 2, 3))
        return torch.stack([9 * rise, -9 * rise], dim=1)


def test_the_verdict_names_what_an_action_becomes_backwards(zoo, walk):
    zoo.add("later", Later(), classes=("dawn", "dusk"))
    light = np.linspace(0.3, 1, len(walk.frames))[:, None, None, None]
    dawn = replace(walk, frames=(walk.frames * light).astype(np.uint8))
    said = verdict(last(dawn, ["later"], ["shuffle", "reverse"]))
    assert any("Backwards, with the very same pictures, Later says 'dusk'" in line for line in said)
    assert any("in place of 'dawn'" in line for line in said)


class Watch(nn.Module):
    """Keeps the flow it is given."""

    def forward(self, flow: torch.Tensor) -> torch.Tensor:
        self.seen = flow.clone()
        return torch.zeros(len(flow), 4)


def test_flow_of_rearranged_frames_is_not_thinned_by_where_they_were_filmed(zoo, walk):
    """Backwards every motion is as large as forwards, and a frozen picture stands still."""
    for text, most in (("reverse", 1.6), ("single", 0.0)):
        watch = Watch()
        zoo.add_flow(f"w{text}", build=Watch)
        zoo.networks[f"w{text}"] = watch
        last(walk, [f"w{text}"], ["mirror", text])
        mirrored_flow = watch.seen.abs().mean()  # edits of the picture come last
        zoo.networks[f"w{text}"] = watch
        last(walk, [f"w{text}"], [text])
        ratio = float(watch.seen.abs().mean() / mirrored_flow)
        assert ratio <= most and (most == 0 or ratio > 1 / most)


def test_left_and_right_change_places_in_a_mirror(zoo, walk):
    assert mirrored(("a", "Moving left to right", "b", "Moving right to left")).tolist() == [
        *(0, 3, 2, 1)
    ]
    assert mirrored(
        ("drawing a circle clockwise", "drawing a circle counter-clockwise", "leftover")
    ).tolist() == [1, 0, 2]
    assert mirrored(("turning left", "walking")).tolist() == [0, 1]  # the other one is not known

    class Side(nn.Module):
        """Says on which side it is brighter."""

        def forward(self, x):
            left, right = x[..., :16].mean(dim=(1, 2, 3, 4)), x[..., 16:].mean(dim=(1, 2, 3, 4))
            return torch.stack([9 * left, 9 * right, 0 * left], dim=1)

    zoo.add("side", Side(), classes=("swiping left", "swiping right", "walking"))
    frames = walk.frames.copy()
    frames[:, :, :64] //= 2
    row = last(replace(walk, frames=frames), ["side"], ["mirror"]).rows[0]
    (cell,) = row.cells
    assert row.plain.top(1)[0][0] == "swiping right" and cell.answer == "swiping left"
    assert cell.same and cell.distance < 0.02 and abs(cell.change) < 0.02


def test_what_cannot_answer_says_so_and_the_others_go_on(zoo, walk):
    still = replace(walk, frames=walk.frames[:1].repeat(len(walk.frames), axis=0))
    done = last(still, ["bare", "first"], ["reverse", "background"])
    bare, first = done.rows
    assert isinstance(bare.plain, ModelError) and all(isinstance(c, ModelError) for c in bare.cells)
    assert isinstance(first.cells[0], Cell) and "Nothing moves" in first.cells[1].message
    assert done.complete and bare.temporal is None and first.picture is None
    assert grid_json(done)["models"][0]["message"].startswith("weights of Bare")
    assert "Nothing moves" in grid_csv(done)


def test_the_grid_grows_with_every_answer_and_progress_never_falls(zoo, walk):
    told = []
    grids = list(
        grid(walk, ["first", "second"], several(["reverse", "blur"]), lambda *t: told.append(t))
    )
    filled = [sum(x is not None for row in g.rows for x in (row.plain, *row.cells)) for g in grids]
    assert filled == list(range(7))
    shares = [share for share, _ in told]
    assert shares == sorted(shares) and shares[-1] == pytest.approx(1)
    assert zoo.loads == ["first", "second"]
    assert verdict(grids[2]) == []


@pytest.mark.parametrize(
    ("models", "edits", "sentence"),
    [
        ([], ["reverse"], "No model is chosen"),
        (["nobody"], ["reverse"], "no model named 'nobody'"),
    ],
)
def test_what_cannot_be_asked_gets_a_sentence(zoo, walk, models, edits, sentence):
    with pytest.raises(ChoiceError, match=sentence):
        grid(walk, models, several(edits))
    with pytest.raises(ChoiceError, match="No edit is chosen"):
        grid(walk, ["first"], [])


def test_a_film_is_at_most_ten_seconds_and_starts_where_asked(clip):
    taken = film(clip, 2.0)
    assert taken.stretch.start == 50 and len(taken.frames) == 70
    assert taken.stretch.seconds == (2.0, 4.8)
    assert film(replace(clip, fps=5.0)).frames.shape[0] == MOST_SECONDS * 5
    for start in (-1, 4.8, 1e9, float("nan"), "0"):
        with pytest.raises(ChoiceError, match=r"The clip lasts 4\.8 s"):
            film(clip, start)


def test_the_table_and_the_json_say_the_same(zoo, walk):
    done = last(walk, ["first", "second"], ["reverse", "darken=0.5"])
    table = list(csv.DictReader(io.StringIO(grid_csv(done))))
    told = json.loads(json.dumps(grid_json(done)))
    assert tuple(table[0]) == COLUMNS and len(table) == 6
    for model, rows in zip(told["models"], (table[:3], table[3:]), strict=True):
        assert model["answer"] == rows[0]["answer"] and rows[0]["edit"] == ""
        assert [r["edit"] for r in rows[1:]] == [e["edit"] for e in model["edits"]]
        for row, cell in zip(rows[1:], model["edits"], strict=True):
            assert float(row["distance"]) == cell["distance"] and row["answer"] == cell["answer"]
            assert float(row["temporal_sensitivity"]) == model["temporal_sensitivity"]
    assert told["edits"][1] == {
        "edit": "darken",
        "strength": 0.5,
        "group": "picture",
        "title": "Darkened, 50 %",
        "does": EDITS["darken"].does,
    }
    assert isinstance(done.rows[0].plain, Prediction)
