"""A heat map has the grid's own resolution and says where, in the clip's own pixels."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from har_demo.errors import ChoiceError
from har_demo.prompts import catalogue, online
from har_demo.prompts.heatmap import HeatMap, cells, heat
from tests.media import numbered_frames


def test_the_embedded_grid_tells_cells_apart(clip):
    found = heat(clip, "waving both hands", [0, 10])
    assert (found.grid, found.kind, found.values.shape) == ((7, 7), "similarity", (2, 7, 7))
    assert np.abs(found.values).max() <= 1.0001 and np.ptp(found.values[0]) > 0.01
    left, top, right, bottom = found.box
    assert (top, bottom) == (0, clip.height) and left > 0 and right < clip.width


def test_a_cell_changes_with_what_is_in_it():
    """A model's grid is not turned or mirrored: a bright corner shows up on that side."""
    loaded = catalogue.load("embedded", "cpu")
    grey = torch.zeros(2, 3, 224, 224)
    grey[1, :, :64, 160:] = torch.rand(3, 64, 64, generator=torch.manual_seed(0)) * 2 - 1
    grid = loaded.network.image.forward_features(grey)
    change = (grid[1] - grid[0]).abs().sum(dim=0)
    share = change / change.sum()
    row, column = (share.sum(dim=side) @ torch.arange(7.0) for side in (1, 0))
    assert row < 1.5 and column > 4


def test_a_vision_transformer_has_a_cell_for_each_patch(clip, tiny):
    found = heat(clip, "waving", [0, 5, 9], model=tiny)
    assert (found.grid, found.kind) == ((4, 4), "similarity")
    assert np.abs(found.values).max() <= 1.0001


def test_patches_are_those_of_the_picture(tiny):
    """The first patch's vector knows only what is in it, since the last layer mixes none."""
    import open_clip

    model = catalogue.load(tiny, "cpu").network
    one_layer = open_clip.CLIP(
        32,
        {"image_size": 32, "layers": 1, "width": 64, "head_width": 32, "patch_size": 8},
        {"context_length": 77, "vocab_size": 100, "width": 32, "heads": 2, "layers": 1},
    ).eval()
    loaded = catalogue.load(tiny, "cpu")
    pixels = torch.rand(1, 3, 32, 32, generator=torch.manual_seed(0))
    changed = pixels.clone()
    changed[:, :, :8, 24:] += 1
    from dataclasses import replace

    sentence = torch.nn.functional.normalize(torch.rand(32), dim=0)
    with_one = replace(loaded, network=one_layer)
    before, after = (cells(with_one, x, sentence)[0][0] for x in (pixels, changed))
    different = (before - after).abs() > 1e-6
    assert different[0, 3] and different.sum() == 1
    assert cells(replace(loaded, network=model), pixels, sentence)[0].shape == (1, 4, 4)


def test_other_models_show_gains(clip, tmp_path):
    """A network of convolutions, as open_clip's ResNets."""
    import open_clip

    config = {
        "embed_dim": 32,
        "vision_cfg": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 16, "head_width": 32},
        "text_cfg": {
            "context_length": 77,
            "vocab_size": 49408,
            "width": 32,
            "heads": 2,
            "layers": 1,
        },
    }
    torch.manual_seed(0)
    model = open_clip.CLIP(**config)
    save_file(model.state_dict(), tmp_path / "open_clip_model.safetensors")
    kept = {"model_cfg": config, "preprocess_cfg": {"size": 64}}
    (tmp_path / online.CONFIG).write_text(json.dumps(kept))
    found = heat(clip, "waving", [3], model=f"{online.LOCAL}{tmp_path}")
    assert (found.grid, found.kind) == ((2, 2), "relevance")
    assert (found.values >= 0).all()


def test_the_overlay_is_flat_in_every_cell_and_empty_outside():
    values = np.arange(4, dtype=np.float32).reshape(1, 2, 2)
    found = HeatMap("a", "b", values, "similarity", np.array([0]), (10, 0, 50, 40), (60, 40))
    drawn = found.overlay()
    assert drawn.shape == (1, 40, 60)
    assert np.isnan(drawn[0, :, :10]).all() and np.isnan(drawn[0, :, 50:]).all()
    assert (drawn[0, :20, 10:30] == 0).all() and (drawn[0, 20:, 30:50] == 1).all()
    assert drawn[0, 0, 49] == pytest.approx(1 / 3) and len(np.unique(drawn[0, :, 10:50])) == 4


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"prompt": " "}, "no prompt"),
        ({"frames": []}, "frames"),
        ({"frames": [10_000]}, "The clip has frames 0 to"),
        ({"frames": [-1]}, "The clip has frames 0 to"),
    ],
)
def test_what_cannot_be_shown(clip, tiny, wrong, says):
    with pytest.raises(ChoiceError, match=says):
        heat(clip, **({"prompt": "waving", "frames": [0], "model": tiny} | wrong))


def test_frames_of_any_clip(tiny):
    from har_demo.clips.clip import Clip, SourceFacts

    facts = SourceFacts("made", "none", "none", 96, 72, 25, 1, 0)
    made = Clip(None, 25, 25, 96, 72, "", facts)
    shown = numbered_frames(25, (96, 72))
    found = heat(made, "waving", [1, 2], model=tiny, read=lambda clip, numbers: shown[numbers])
    assert found.size == (96, 72) and found.frames.tolist() == [1, 2]
