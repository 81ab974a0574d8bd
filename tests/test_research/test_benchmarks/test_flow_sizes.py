"""What enlarging and correcting are worth is measured as the embedded network is asked."""

import numpy as np
import pytest
import torch

from har_demo.flow import learned
from har_demo.flow.catalogue import EMBEDDED
from har_demo.flow.field import flow
from har_demo.research.benchmarks import flow_sizes
from har_demo.research.training.flow.augment import Pairs
from tests.test_flow.conftest import MOTIONS, motion_of, moved, texture


@pytest.mark.nightly
def test_errors_are_those_of_the_network_as_it_is_asked():
    frames = np.stack([texture(), moved(texture(), MOTIONS["translation"])])
    before, after = torch.from_numpy(frames).permute(0, 3, 1, 2).float()[:, None] / 255
    wanted = torch.from_numpy(motion_of(MOTIONS["translation"])).float()[None]
    everywhere = torch.ones(wanted.shape[0], *wanted.shape[2:], dtype=torch.bool)
    pairs = Pairs(before, after, wanted, everywhere, everywhere)

    one = learned.LEARNED[EMBEDDED]
    updates = one.answer.keywords["updates"]
    assert (one.enlarge, updates) in flow_sizes.CHOICES
    choices = ((1.0, 1), (one.enlarge, updates))
    known = {"shapes": [pairs], "people": [pairs, pairs]}
    (_, _, plain, _, _), (*choice, shapes, people, taken) = flow_sizes.measure(known, choices)
    found = flow(frames, EMBEDDED, device="cpu").pixels[0]
    assert shapes == pytest.approx(
        np.linalg.norm(found - wanted[0].numpy(), axis=0).mean(), rel=1e-4
    )
    assert tuple(choice) == choices[1] and people == pytest.approx(shapes) and taken > 0
    assert plain > shapes  # one correction is not enough
