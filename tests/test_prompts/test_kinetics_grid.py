"""Heat maps from I3D: a cell is classified as the whole clip is, and bright where an action meant is recognised."""

import numpy as np
import pytest
import torch
from torch import nn

from har_demo.clips.clip import Clip, SourceFacts
from har_demo.models.label_sets import KINETICS400
from har_demo.prompts import catalogue, kinetics, kinetics_grid
from har_demo.prompts.answer import embed_texts
from har_demo.prompts.heatmap import IMAGE_ENCODER, heat
from har_demo.prompts.words import PLAIN
from tests.test_prompts.conftest import in_place_of_i3d

ARCHERY = KINETICS400.index("archery")


class RedIsArchery(nn.Module):
    """I3D's two parts without its training: a cell is archery as far as it is red."""

    def __init__(self):
        super().__init__()
        self.trunk = nn.AvgPool3d((8, 32, 32))
        self.logits = nn.Conv3d(3, 400, 1)
        nn.init.zeros_(self.logits.weight)
        nn.init.zeros_(self.logits.bias)
        with torch.no_grad():
            self.logits.weight[ARCHERY, 0] = 20.0


def red_corner(count: int = 40) -> tuple[Clip, np.ndarray]:
    """A square clip, red at its upper right and blue elsewhere."""
    frames = np.zeros((count, 256, 256, 3), np.uint8)
    frames[..., 2] = 255
    frames[:, 16:48, 208:240] = (255, 0, 0)
    facts = SourceFacts("made", "none", "none", 256, 256, 25, count / 25, 0)
    return Clip(None, 25, count, 256, 256, "", facts), frames


def test_the_mean_of_the_cells_is_the_networks_answer(small_i3d):
    pixels = torch.randn(1, 3, 32, 224, 224, generator=torch.manual_seed(0))
    cells = kinetics_grid.cell_logits(small_i3d, pixels)
    assert cells.shape == (7, 7, 400)
    with torch.inference_mode():
        whole = small_i3d(pixels)[0]
    assert torch.allclose(cells.mean(dim=(0, 1)), whole, atol=1e-5)
    assert cells.std(dim=(0, 1)).max() > 10 * (cells.mean(dim=(0, 1)) - whole).abs().max()


def test_the_map_is_bright_where_the_action_meant_is(monkeypatch, bare_networks):
    in_place_of_i3d(monkeypatch, RedIsArchery())
    made, frames = red_corner()
    found = heat(made, "archery", [3, 20], "embedded", read=lambda clip, numbers: frames[numbers])
    assert (found.model, found.grid_of, found.kind) == ("embedded", "I3D (RGB)", "similarity")
    assert found.values.shape == (2, 7, 7) and found.box == (16, 16, 240, 240)
    # A cell of logit 20 and 399 of 0, then softened: the share that the sentence means of both.
    names = kinetics.load()
    sentence = embed_texts(catalogue.load("embedded"), ["archery"], PLAIN)
    meant = names.meant(sentence)[0]
    logits = torch.zeros(400)
    logits[ARCHERY] = 20.0
    wanted = float(names.softened(logits.softmax(0)) @ meant)
    assert found.values[:, 0, 6] == pytest.approx(wanted, rel=0.02)
    others = found.values.reshape(2, 49)[:, [i for i in range(49) if i != 6]]
    assert wanted > 0.5 > 0.01 > others.max() and others.min() >= 0
    drawn = found.overlay()
    assert drawn[0, 20, 230] == 1 and np.isnan(drawn[0, 0, 0])


def test_another_action_is_nowhere(monkeypatch, bare_networks):
    in_place_of_i3d(monkeypatch, RedIsArchery())
    made, frames = red_corner()
    read = lambda clip, numbers: frames[numbers]  # noqa: E731
    found = heat(made, "bowling", [20], "embedded", read=read)
    assert found.values[0, 0, 6] < 0.01 and found.values.max() < 0.05


def test_frames_near_each_other_share_a_window(clip):
    assert clip.frames == 50
    windows, window_of = kinetics_grid.windows_around(clip, np.array([20, 22, 40, 0, 49]))
    assert window_of.tolist() == [0, 0, 1, 0, 1]
    assert windows.indices.tolist() == [list(range(32)), list(range(18, 50))]
    every = np.arange(clip.frames)
    windows, window_of = kinetics_grid.windows_around(clip, every)
    assert len(windows.indices) == 4
    assert all(
        frame in windows.indices[which] for frame, which in zip(every, window_of, strict=True)
    )


def test_a_clip_shorter_than_a_window(small_i3d, clip):
    made, frames = red_corner(5)
    windows, _ = kinetics_grid.windows_around(made, np.array([4]))
    assert windows.indices.tolist() == [[0, 1, 2, 3, *[4] * 28]]
    found = heat(made, "archery", [4], "embedded", read=lambda clip, numbers: frames[numbers])
    assert found.values.shape == (1, 7, 7) and np.isfinite(found.values).all()


def test_without_i3d_the_image_encoder_draws(clip):
    assert not kinetics.here()
    assert heat(clip, "waving", [3], "embedded").grid_of == IMAGE_ENCODER


def test_i3d_draws_for_the_embedded_model_alone(small_i3d, clip, tiny):
    found = heat(clip, "waving", [3], tiny)
    assert (found.grid_of, found.grid) == (IMAGE_ENCODER, (4, 4))
