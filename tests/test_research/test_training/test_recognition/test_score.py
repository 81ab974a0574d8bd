"""Scores come from the right frames."""

from dataclasses import replace

import numpy as np
import torch

from har_demo.labels import EVERYDAY
from har_demo.research.training.recognition.data import footage
from har_demo.research.training.recognition.score import probabilities


class Brightness(torch.nn.Module):
    """Class 1 when the last frame is brighter than the first, class 0 when it is darker."""

    def forward(self, x):
        rise = (x[:, 0, -1] - x[:, 0, 0]).mean((1, 2))
        return torch.stack([-100 * rise, 100 * rise], 1)


def _brightening(counts):
    clips = [torch.arange(n, dtype=torch.uint8).view(n, 1, 1, 1).expand(n, 3, 8, 8) for n in counts]
    return footage(clips, [25.0] * len(counts), [0] * len(counts), [1.0] * len(counts))


def test_clips_are_asked_about_forwards_and_backwards(card):
    source = _brightening([30, 100, 9])
    spec, network = replace(card.input, modality="rgb"), Brightness()
    np.testing.assert_allclose(probabilities(network, spec, source)[:, 1], 1, atol=1e-4)
    np.testing.assert_allclose(probabilities(network, spec, source, True)[:, 0], 1, atol=1e-4)


def test_a_clip_is_the_mean_of_its_own_windows(card):
    """Clips of one and of many windows, more than one batch of them, each like the clip asked about alone."""
    torch.manual_seed(0)
    network = card.build(len(EVERYDAY)).eval()
    clips = [torch.randint(0, 255, (n, 3, 8, 8), dtype=torch.uint8) for n in (200, 9, 120) * 3]
    source = footage(clips, [25.0] * 9, [0] * 9, [1.0] * 9)
    together = probabilities(network, card.input, source)
    for i in (0, 1, 8):
        alone = footage(clips[i : i + 1], [25.0], [0], [1.0])
        expected = probabilities(network, card.input, alone)[0]
        np.testing.assert_allclose(together[i], expected, atol=1e-5)


class Seen(torch.nn.Module):
    """Notes the brightness of every frame it is shown."""

    def forward(self, x):
        self.frames = x[:, 0, :, 0, 0]
        return torch.zeros(len(x), 2)


def test_segments_are_asked_about_once_at_the_centre_of_each_part(card):
    spec = replace(
        card.input,
        modality="rgb",
        sampling="segments",
        frames=4,
        mean=(0, 0, 0),
        std=(1 / 255,) * 3,
    )
    spec, network = replace(spec, standardise=False), Seen()
    probabilities(network, spec, _brightening([100, 8]))
    assert network.frames[:3].round().int().tolist() == [
        [12, 37, 62, 87],
        [1, 3, 5, 7],
        [1, 3, 5, 7],
    ]
    probabilities(network, spec, _brightening([100]), backwards=True)
    assert network.frames[0].round().int().tolist() == [87, 62, 37, 12]
