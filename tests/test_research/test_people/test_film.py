"""Light becomes pixels: gamma, noise that belongs to a frame, darkness, traces of compression."""

import pytest
import torch

from har_demo.research.people.film import Recording, develop, noise


def grey(value, frames=1, side=16):
    return torch.full((frames, 3, side, side), value)


@pytest.mark.parametrize(
    ("light", "pixel"), [(0.0, 0), (0.002, 7), (0.5, 188), (1.0, 255), (3, 255)]
)
def test_gamma_is_that_of_srgb(light, pixel):
    assert (develop(grey(float(light)), Recording()) == pixel).all()


def test_exposure_tint_and_gain_are_factors():
    tint = torch.tensor([1.0, 0.5, 0.25]).view(3, 1, 1)
    twice = develop(grey(0.25), Recording(exposure=0.5, tint=tint, gain=2.0))
    assert torch.equal(twice, develop(grey(0.25) * tint, Recording()))


def test_noise_is_a_bell_and_a_frames_own():
    many = noise(torch.arange(40) + 1000, (3, 32, 32))
    assert many.mean() == pytest.approx(0, abs=0.02)
    assert many.std() == pytest.approx(1, abs=0.01)
    assert (many.abs() > 2).float().mean() == pytest.approx(0.045, abs=0.02)
    assert torch.equal(many[7:9], noise(torch.tensor([1007, 1008]), (3, 32, 32)))
    flat = many.flatten(1)
    apart = torch.corrcoef(flat) - torch.eye(40)
    assert apart.abs().max() < 0.1, "frames have nothing in common"
    beside = (many[..., 1:] * many[..., :-1]).mean()
    above = (many[..., 1:, :] * many[..., :-1, :]).mean()
    assert abs(beside) < 0.02 and abs(above) < 0.02


def test_darkness_drowns_in_noise():
    seeds = torch.tensor([5])
    night = Recording(exposure=0.02, grain=0.01, read_noise=0.002, gain=3.0)
    dark, light = develop(grey(0.5), night, seeds), develop(grey(0.5), Recording(grain=0.01), seeds)
    assert dark.float().mean() < 0.5 * light.float().mean()
    assert dark.float().std() > 2 * light.float().std()


def test_one_number_a_frame():
    light = torch.rand(3, 3, 10, 12, generator=torch.Generator().manual_seed(0))
    values = torch.tensor([0.2, 1.0, 1.5]).view(3, 1, 1, 1)
    strengths = torch.tensor([0.5, 1.0, 2.0]).view(3, 1, 1, 1)
    together = develop(light, Recording(exposure=values, compression=strengths))
    for i in range(3):
        alone = Recording(exposure=values[i].item(), compression=strengths[i].item())
        assert torch.equal(together[i : i + 1], develop(light[i : i + 1], alone))


def test_compression_takes_detail_and_keeps_what_is_flat():
    light = torch.rand(1, 3, 20, 28, generator=torch.Generator().manual_seed(0))
    whole = develop(light, Recording())
    losses = [
        (develop(light, Recording(compression=c)).float() - whole).abs().mean() for c in (0.3, 1, 3)
    ]
    assert 0 < losses[0] < losses[1] < losses[2]
    flat = develop(grey(0.5), Recording(compression=1.0)).float()
    assert flat.std() < 1e-6
    assert (flat - 188).abs().max() < 5
