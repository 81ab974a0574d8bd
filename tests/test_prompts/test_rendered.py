"""The embedded recogniser on rendered people it never saw, from captions it never read."""

from pathlib import Path

import numpy as np
import pytest

from har_demo.clips.clip import Clip, SourceFacts
from har_demo.prompts.answer import ask
from har_demo.research.people.dataset import FPS, FRAMES, SIDE
from har_demo.research.people.motion import ACTIONS
from har_demo.research.people.shoot import ShotSettings, batch, batch_frames, take
from har_demo.research.training.prompts.features import CALM_SEED
from har_demo.research.training.prompts.train import sentences_of

SEEDS = CALM_SEED + 500_000  # training took the few hundred that follow CALM_SEED


@pytest.mark.parametrize("every", [9, 3])
def test_it_beats_chance_five_times_over_all_actions(every):
    """Of some of them a clip each is shown, and captions of all are told apart."""
    actions = ACTIONS[::every]
    takes = [
        take(action, SEEDS + i, FRAMES / FPS, FPS, ShotSettings(dark=False, calm=True))
        for i, action in enumerate(actions)
    ]
    frames = batch_frames(batch(takes), (SIDE, SIDE)).permute(0, 2, 3, 1).numpy()
    captions = [sentences_of(action, held_out=True)[0] for action in ACTIONS]
    facts = SourceFacts("rendered", "none", "none", SIDE, SIDE, FPS, FRAMES / FPS, 0)
    clip = Clip(Path(), FPS, FRAMES, SIDE, SIDE, "", facts)
    places = []
    for action, shown in zip(actions, np.split(frames, len(actions)), strict=True):
        found = ask(clip, captions, frames=8, read=lambda clip, n, shown=shown: shown[n])
        order = np.argsort(-found.probabilities)
        places.append(list(order).index(ACTIONS.index(action)))
    first, five = (np.mean(np.array(places) < k) for k in (1, 5))
    assert first >= 5 / len(ACTIONS), places
    assert five >= 0.4, places
