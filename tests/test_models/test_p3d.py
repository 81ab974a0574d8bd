"""P3D-199: three arrangements of space and time in turns, 199 layers, and the counted cost."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from har_demo.models.p3d import P3D, SpaceTime, p3d_199, p3d_tiny


@pytest.fixture(scope="module")
def paper():
    with torch.device("meta"):
        return p3d_199(400).eval()


def test_it_has_199_layers(paper):
    convolutions = [
        name
        for name, module in paper.named_modules()
        if isinstance(module, nn.Conv3d) and "shortcut" not in name
    ]
    assert len(convolutions) + 1 == 199  # and fc


def test_the_arrangements_take_turns_over_all_stages(paper):
    kinds = [
        "".join(block.space_time.kind for block in stage)
        for stage in (paper.res2, paper.res3, paper.res4, paper.res5)
    ]
    assert "".join(kinds[:3]) == ("ABC" * 16)[:47]
    assert [len(stage) for stage in kinds] == [3, 8, 36, 3]
    assert kinds[3] == "SSS"


def test_shapes_of_the_table(paper):
    found = []
    layers = (paper.conv1, paper.res2, paper.res3, paper.res4, paper.res5)
    hooks = [
        layer.register_forward_hook(lambda _, __, y: found.append(tuple(y.shape[1:])))
        for layer in layers
    ]
    paper(torch.empty(1, 3, 16, 160, 160, device="meta"))
    for hook in hooks:
        hook.remove()
    assert found == [
        (64, 16, 80, 80),
        (256, 8, 40, 40),
        (512, 4, 20, 20),
        (1024, 2, 10, 10),
        (2048, 1, 5, 5),
    ]


@pytest.mark.parametrize("kind", "ABCS")
def test_an_arrangement_is_its_formula(kind):
    torch.manual_seed(0)
    block = SpaceTime(4, kind).eval()
    for module in block.modules():
        if isinstance(module, nn.BatchNorm3d):
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    x = torch.randn(1, 4, 3, 5, 5)

    def s(x):
        return F.relu(block.space(x))

    def t(x):
        return F.relu(block.time(x))

    formulas = {
        "A": lambda x: t(s(x)),
        "B": lambda x: s(x) + t(x),
        "C": lambda x: s(x) + t(s(x)),
        "S": s,
    }
    with torch.no_grad():
        torch.testing.assert_close(block(x), formulas[kind](x))


def _reach(kind):
    """(time, height, width) over which one position of the input shows in the output."""
    torch.manual_seed(0)
    block = SpaceTime(4, kind).eval()
    x = torch.randn(1, 4, 7, 7, 7)
    poked = x.clone()
    poked[..., 3, 3, 3] += 5
    with torch.no_grad():
        touched = (block(x) - block(poked)).abs().amax(dim=(0, 1)) > 0
    assert touched[3, 3, 3]
    places = touched.nonzero()
    return places, tuple((places.max(0).values - places.min(0).values + 1).tolist())


def test_what_an_arrangement_sees():
    for kind in "AC":
        places, reach = _reach(kind)
        assert reach == (3, 3, 3)
        assert len(places) > 5 + 9  # corners too: time of what space found
    places, reach = _reach("B")
    assert reach == (3, 3, 3)
    assert len(places) <= 9 + 2  # a plane and a line, no corners
    assert _reach("S")[1] == (1, 3, 3)


def test_longer_clips_and_other_sizes():
    torch.manual_seed(0)
    network = P3D(3, width=4, blocks=(1, 1, 1, 1)).eval()
    with torch.no_grad():
        assert network(torch.randn(2, 3, 32, 64, 80)).shape == (2, 3)
        with pytest.raises(RuntimeError):  # eight frames are halved away
            network(torch.randn(1, 3, 8, 64, 64))


def test_the_tiny_network_has_every_arrangement_twice():
    with torch.device("meta"):
        network = p3d_tiny(3)
    stages = (network.res2, network.res3, network.res4, network.res5)
    assert "".join(b.space_time.kind for stage in stages for b in stage) == "ABCABCS"
