"""The pyramid of regions does what is said of it, and adds to MFNet what the lecture prints."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from har_demo.models import pyramid
from har_demo.models.attention import attention_maps
from har_demo.models.mfnet import MFNet, mfnet
from har_demo.models.non_local import NonLocal
from har_demo.models.pyramid import PYRAMID, PyramidNonLocal
from har_demo.models.registry import card
from har_demo.profiling.cost import gmacs, parameters

VIEW = (1, 3, 16, 224, 224)


def _added(build):
    """What a network has over MFNet, for 200 classes: parameters, and multiply-adds in 10⁹."""
    with torch.device("meta"):
        network, base = build(200), mfnet(200)
    return parameters(network) - parameters(base), gmacs(network, VIEW) - gmacs(base, VIEW)


@pytest.mark.parametrize("name", ["mfnet_pnl_x1", "mfnet_pnl_x5"])
def test_pyramids_add_what_the_lecture_prints_within_its_rounding(name):
    """Both of its numbers are rounded to 0.01, so their difference is known to 0.01."""
    found = card(name)
    (printed,) = found.published
    more_parameters, more_gmacs = _added(found.build)
    assert more_parameters / 1e6 == pytest.approx(printed.parameters / 1e6 - 7.84, abs=0.01)
    assert more_gmacs == pytest.approx(printed.gmacs - 11.17, abs=0.01)
    with torch.device("meta"):
        assert round(parameters(found.build(200)) / 1e6, 2) == printed.parameters / 1e6


def test_the_non_local_block_comes_near_what_the_lecture_prints():
    """To 0.02 M and 0.04 G; elsewhere, or pooled otherwise, it would be far off."""
    (printed,) = (cost for cost in card("mfnet_nl").published if cost.status == "printed")
    wanted, wanted_gmacs = printed.parameters / 1e6 - 7.84, printed.gmacs - 11.17
    more_parameters, more_gmacs = _added(pyramid.mfnet_nl)
    assert more_parameters == 296_640
    assert more_parameters / 1e6 == pytest.approx(wanted, abs=0.02)
    assert more_gmacs == pytest.approx(wanted_gmacs, abs=0.04)
    for channels in (192, 768):  # conv3, conv5
        assert abs(parameters(NonLocal(channels)) / 1e6 - wanted) > 0.2
    for options in ({}, {"subsample": True}):
        block = NonLocal(384, **options)
        assert gmacs(block, (1, 384, 8, 14, 14)) - wanted_gmacs > 0.2


def test_where_the_blocks_are():
    with torch.device("meta"):
        x1, x5 = pyramid.mfnet_pnl_x1(5), pyramid.mfnet_pnl_x5(5)

    def places(network):
        return [n for n, module in network.named_modules() if isinstance(module, PyramidNonLocal)]

    assert places(x1) == ["conv4.5"]
    assert [type(unit).__name__[0] for unit in x5.conv3] == list("MMPMMP")
    assert [type(unit).__name__[0] for unit in x5.conv4] == list("MMPMMPMMP")
    assert len(places(x5)) == 5


def _trained(channels=16):
    torch.manual_seed(0)
    block = PyramidNonLocal(channels).eval()
    for parameter in block.parameters():
        nn.init.normal_(parameter, std=0.7)
    return block


def test_the_block_is_its_formula():
    """Region by region and level by level, for a map whose sides the finest grid divides."""
    block = _trained()
    x = torch.randn(1, 16, 8, 14, 14)
    with torch.no_grad():
        answers = []
        for u, grid in zip(block.u, PYRAMID, strict=True):
            level = F.adaptive_avg_pool3d(x, grid)
            phi = block.phi(level).flatten(2)[0]
            g = u(block.g(level)).flatten(2)[0]
            answers += list(zip(phi.T, g.T, strict=True))
        assert len(answers) == 196 + 32 + 4
        asks = block.theta(F.avg_pool3d(x, 2))[0]
        y = torch.zeros(2, 8, 14, 14)
        for t, h, w in ((0, 0, 0), (1, 4, 6), (3, 6, 2)):
            scores = torch.stack([asks[:, t, h, w] @ phi for phi, _ in answers]).softmax(0)
            found = sum(s * g for s, (_, g) in zip(scores, answers, strict=True))
            y[:, 2 * t : 2 * t + 2, 2 * h : 2 * h + 2, 2 * w : 2 * w + 2] = found[
                :, None, None, None
            ]
        expected = x + block.norm(block.w_z(y[None]))
        asked = y.any(0).expand_as(x[0])
        assert asked.any(0).sum() == 3 * 8
        torch.testing.assert_close(block(x)[0][asked], expected[0][asked], atol=1e-4, rtol=1e-4)
        assert (block(x) - x).abs().max() > 0.1


def test_maps_times_values_are_what_the_block_adds_up():
    block = _trained()
    x = torch.randn(2, 16, 4, 7, 7)  # as many positions as the finest level has regions
    with torch.no_grad():
        maps = block.attention(x)
        _, _, g = block.embed(x)
        values = g.split([196, 32, 4], dim=1)
        y = sum(found.weights[:, 0] @ value for found, value in zip(maps, values, strict=True))
        got = x + block.norm(block.w_z(y.mT.unflatten(2, x.shape[2:])))
        torch.testing.assert_close(got, block(x), atol=1e-4, rtol=1e-4)
    assert [found.key_grid for found in maps] == list(PYRAMID)
    assert {found.query_grid for found in maps} == {PYRAMID[0]}
    total = sum(found.weights.sum(-1) for found in maps)
    torch.testing.assert_close(total, torch.ones(2, 1, 196))


def test_a_question_about_a_place_is_one_about_its_region():
    block = _trained()
    x = torch.randn(1, 16, 8, 14, 14)
    with torch.no_grad():
        everywhere = block.attention(x)
        here = block.attention(x, torch.tensor([[0.99, 0.0, 0.5]]))
    region = (3 * 7 + 0) * 7 + 3
    for all_of_level, one in zip(everywhere, here, strict=True):
        assert one.queries.tolist() == [region]
        torch.testing.assert_close(one.weights[:, :, 0], all_of_level.weights[:, :, region])


def test_coarser_levels_are_larger_regions():
    """A region that stands out makes the query that looks for it look there, at every level."""
    block = PyramidNonLocal(8).eval()
    for conv in (block.theta, block.phi):
        nn.init.constant_(conv.weight, 1.0)
    x = torch.zeros(1, 8, 8, 14, 14)
    x[:, :, 6:, :4, 10:] = 1.0
    with torch.no_grad():
        maps = block.attention(x, torch.tensor([[0.9, 0.1, 0.9]]))
    corners = [(3, 0, 6), (1, 0, 3), (0, 0, 1)]
    for found, (t, h, w), grid in zip(maps, corners, PYRAMID, strict=True):
        level = found.weights[0, 0, 0].unflatten(0, grid)
        assert level[t, h, w] == level.max() > level.min()


def test_the_block_starts_as_the_identity():
    x = torch.randn(1, 16, 8, 14, 14)
    assert torch.equal(PyramidNonLocal(16).eval()(x), x)


def test_maps_are_found_in_a_network():
    torch.manual_seed(0)
    network = MFNet(3, fibres=2).eval()
    network.conv4.insert(5, PyramidNonLocal(48))
    at = torch.tensor([[0.5, 0.5, 0.5], [0.1, 0.2, 0.3]])
    maps = attention_maps(network, torch.randn(1, 3, 8, 96, 96), at=at)
    assert {name: [m.weights.shape[2:] for m in found] for name, found in maps.items()} == {
        "conv4.5": [(2, 196), (2, 32), (2, 4)]
    }
