"""The contact sheet has a row for every action, its name and frames that differ."""

import numpy as np

from har_demo.research.people import sheet as module


def test_a_row_for_every_action(monkeypatch):
    monkeypatch.setattr(module, "SIDE", 24)
    picture = module.sheet(("walk", "jumping_jack"), seed=1)
    assert picture.shape == (48, module.MARGIN + 8 * 24, 3)
    assert picture.dtype == np.uint8
    for row in np.split(picture, 2):
        name, frames = row[:, : module.MARGIN], row[:, module.MARGIN :]
        assert (name == 255).mean() > 0.8 and name.min() < 128, "dark letters on white"
        first, last = frames[:, :24].astype(int), frames[:, -24:]
        assert np.abs(first - last).mean() > 0.5
