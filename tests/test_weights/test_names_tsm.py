"""mmaction2's TSM file fills ours.

Its code puts the shift around the first convolution of every block of TSN's network, under the name
`net`.
"""

import re

import torch

from har_demo.models.registry import card
from har_demo.weights.name_maps import MAPS
from tests.test_weights import public_keys


def test_mmaction2():
    theirs = {
        re.sub(r"(layer\d\.\d+\.conv1\.conv)\.", r"\1.net.", name): tensor
        for name, tensor in public_keys.read("open_mmlab__tsn_r50").items()
    }
    assert "backbone.layer3.5.conv1.conv.net.weight" in theirs
    mapped = MAPS["tsm_r50"](theirs)
    assert len(mapped) == len(theirs)
    with torch.device("meta"):
        own = card("tsm_r50").build(400).state_dict()
    assert {k: v.shape for k, v in mapped.items()} == {k: v.shape for k, v in own.items()}
