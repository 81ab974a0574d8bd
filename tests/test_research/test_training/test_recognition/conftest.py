"""Footage and a protocol so small that training takes seconds."""

from dataclasses import replace

import pytest
import torch

from har_demo.labels import EVERYDAY
from har_demo.models.r2plus1d import R2Plus1D
from har_demo.models.registry import card as card_of
from har_demo.research.training.recognition.data import footage
from har_demo.research.training.recognition.protocol import read_protocol

# Neither is changed by mirroring or playing backwards.
SIDEWAYS, UPWARDS = EVERYDAY.index("galloping sideways"), EVERYDAY.index("skipping")


def squares(count, seed):
    """Bright squares that cross the picture sideways or upwards, on grey."""
    generator = torch.Generator().manual_seed(seed)
    clips, labels = [], []
    for i in range(count):
        frames = torch.full((24, 3, 40, 40), 60, dtype=torch.uint8)
        still, start, way = torch.randint(0, 8, (3,), generator=generator).tolist()
        for t in range(24):
            moving = (start + t) % 30 if way % 2 else 29 - (start + t) % 30
            x, y = (moving, 10 + still) if i % 2 else (10 + still, moving)
            frames[t, :, y : y + 10, x : x + 10] = 220
        clips.append(frames)
        labels.append(SIDEWAYS if i % 2 else UPWARDS)
    return footage(clips, [12.5] * count, labels, [1.0] * count)


@pytest.fixture(scope="session")
def protocol():
    """The shipped one, shortened, and gentler on the clips."""
    return replace(
        read_protocol(),
        batch=12,
        pretrain_steps=30,
        pretrain_rate=2e-3,
        finetune_steps=40,
        finetune_rate=2e-3,
        blend=0.0,
        relight=0.0,
        noisy=0.0,
    )


@pytest.fixture(scope="session")
def card():
    """A tiny network with a lab card's input, smaller."""
    whole = card_of("r2plus1d_lab")
    small = replace(whole.input, frames=8, fps=12.5, crop=(24, 24), resize=(24, 24))
    return replace(
        whole,
        input=small,
        build=lambda classes: R2Plus1D(classes, 8, (1, 1, 1, 1)),
    )
