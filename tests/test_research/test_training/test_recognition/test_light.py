"""Dark clips become bright ones, all frames by one curve."""

import pytest
import torch

from har_demo.models.light import gamma
from har_demo.research.training.recognition.light import Relit, equalised

LIGHTS = pytest.mark.parametrize("light", [gamma, equalised])


def _clips(brightness):
    """Noise of a mean brightness, in 8 bits: [2, 3, 4, 16, 16]."""
    torch.manual_seed(0)
    noise = torch.rand(2, 3, 4, 16, 16) * 2 * brightness
    return noise.mul(255).round().div(255).clamp(max=1)


@LIGHTS
def test_dark_clips_come_near_bright_ones(light):
    dark, bright = light(_clips(0.03)), light(_clips(0.4))
    assert dark.shape == bright.shape
    for lit in (dark, bright):
        assert lit.min() >= 0
        assert lit.max() <= 1
    assert abs(dark.mean() - bright.mean()) < 0.1
    assert dark.mean() > 0.3


@LIGHTS
@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_one_colour_stays_one_colour(light, value):
    lit = light(torch.full((1, 3, 2, 4, 4), value))
    assert lit.isfinite().all()
    assert lit.unique().numel() == 1
    assert 0 <= lit.min() <= 1


@LIGHTS
def test_clips_of_a_batch_are_lit_alone_and_their_frames_together(light):
    dark, bright = _clips(0.05), _clips(0.3)
    both = light(torch.cat([dark, bright]))
    torch.testing.assert_close(both, torch.cat([light(dark), light(bright)]))
    flash = dark.clone()
    flash[:, :, 1] = 1.0  # one bright frame changes the curve of the others
    assert not torch.allclose(light(flash)[:, :, 0], light(dark)[:, :, 0])


def test_equalised_shades_are_equally_frequent_and_keep_their_order_and_colour():
    grey = _clips(0.05)[:, :1].expand(-1, 3, -1, -1, -1)
    lit = equalised(grey)
    counts = torch.histc(lit[0, 0], bins=4, min=0, max=1) / lit[0, 0].numel()
    torch.testing.assert_close(counts, torch.full((4,), 0.25), atol=0.03, rtol=0)
    order = grey[0, 0].flatten().argsort(stable=True)
    assert (lit[0, 0].flatten()[order].diff() >= -1e-6).all()

    coloured = _clips(0.05) * torch.tensor([1.0, 0.9, 0.8]).view(3, 1, 1, 1)
    lit = equalised(coloured)
    seen = (coloured.mean(1) > 0.02) & (lit.amax(1) < 1)
    before, after = coloured[:, 0] / coloured.mean(1), lit[:, 0] / lit.mean(1)
    torch.testing.assert_close(before[seen], after[seen])


def test_a_network_sees_standardised_views_of_lit_clips():
    network = Relit(torch.nn.Identity(), gamma)
    seen = network(_clips(0.03))
    torch.testing.assert_close(seen.mean((2, 3, 4)), torch.zeros(2, 3), atol=1e-4, rtol=0)
    torch.testing.assert_close(
        seen.var((2, 3, 4), correction=0), torch.ones(2, 3), atol=1e-2, rtol=0
    )
