"""CorrNet: correlation by hand, by movement and by group; and where its blocks stand."""

import pytest
import torch
from torch import nn

from har_demo.models.corrnet import (
    DILATION,
    Correlation,
    CorrelationBlock,
    CorrNet,
    K,
    corrnet_101,
)
from har_demo.models.registry import card
from har_demo.profiling.cost import gmacs, parameters


def _movements():
    """(channel, steps down, steps to the right)."""
    return [(y * K + x, y - K // 2, x - K // 2) for y in range(K) for x in range(K)]


def test_the_movements_are_as_documented():
    """49 comparisons cover 13 × 13 positions."""
    moves = {(DILATION * down, DILATION * right) for _, down, right in _movements()}
    assert len(moves) == 49
    assert max(moves) == (6, 6)
    assert min(moves) == (-6, -6)


def test_correlation_is_its_sum_worked_out_place_by_place():
    torch.manual_seed(0)
    layer = Correlation(4, frames=3, groups=2)
    nn.init.normal_(layer.weight)
    x = torch.randn(1, 4, 3, 8, 9)
    with torch.no_grad():
        got = layer(x)[0].unflatten(0, (2, K * K))
    for group, channels in enumerate(((0, 1), (2, 3))):
        for movement, down, right in _movements():
            for t, i, j in ((0, 0, 0), (0, 4, 4), (1, 7, 8), (2, 3, 5)):
                y, z = i - DILATION * down, j - DILATION * right
                inside = 0 <= y < 8 and 0 <= z < 9
                products = [
                    layer.weight[c, t, movement] * x[0, c, t, i, j] * x[0, c, max(t - 1, 0), y, z]
                    for c in channels
                    if inside
                ]
                expected = sum(products, torch.zeros(())) / 2
                torch.testing.assert_close(got[group, movement, t, i, j], expected)


@pytest.mark.parametrize(("down", "right"), [(0, 0), (2, 0), (-1, 3), (-3, -3), (1, -2)])
def test_a_pattern_that_moved_is_matched_best_by_its_movement(down, right):
    torch.manual_seed(0)
    patch = torch.randn(64, 3, 3)
    x = torch.zeros(1, 64, 2, 24, 24)
    x[0, :, 0, 10:13, 10:13] = patch
    top, left = 10 + DILATION * down, 10 + DILATION * right
    x[0, :, 1, top : top + 3, left : left + 3] = patch
    with torch.no_grad():
        found = Correlation(64, frames=2, groups=1)(x)[0, :, 1, top : top + 3, left : left + 3]
    best = found.sum(dim=(1, 2)).argmax().item()
    assert (best, down, right) in _movements()
    assert (found.argmax(dim=0) == best).all()


def test_the_first_frame_is_compared_with_itself():
    torch.manual_seed(0)
    x = torch.randn(1, 32, 3, 6, 6)
    with torch.no_grad():
        first = Correlation(32, frames=3, groups=1)(x)[0, :, 0]
    centre = K * K // 2
    torch.testing.assert_close(first[centre], x[0, :, 0].square().mean(0))
    assert first.mean(dim=(1, 2)).argmax() == centre


def test_a_value_depends_on_its_group_its_frame_and_the_one_before():
    torch.manual_seed(0)
    layer = Correlation(4, frames=4, groups=2)
    x = torch.randn(1, 4, 4, 6, 6)
    changed = x.clone()
    changed[:, 0, 1] += 1
    with torch.no_grad():
        touched = (layer(x) != layer(changed)).unflatten(1, (2, K * K)).any(dim=2)
    assert touched.flatten(3).any(3)[0].tolist() == [
        [False, True, True, False],
        [False, False, False, False],
    ]


def test_grouping_adds_channels_and_no_filters():
    few, many = Correlation(8, 2, groups=1), Correlation(8, 2, groups=4)
    assert parameters(few) == parameters(many) == 8 * 2 * K * K
    x = torch.randn(1, 8, 2, 5, 5)
    with torch.no_grad():
        per_group = many(x).unflatten(1, (4, K * K))
        torch.testing.assert_close(per_group.mean(1), few(x))


def test_where_the_correlations_stand():
    with torch.device("meta"):
        network = corrnet_101(5)
    kinds = [
        [len(part) if isinstance(part, nn.Sequential) else "correlation" for part in stage]
        for stage in (network.res2, network.res3, network.res4)
    ]
    assert kinds == [[3, "correlation"], [4, "correlation"], [12, "correlation", 11, "correlation"]]
    assert len(network.res5) == 3
    blocks = [module for module in network.modules() if isinstance(module, CorrelationBlock)]
    shapes = [tuple(block.correlation.weight.shape) for block in blocks]
    assert shapes == [(64, 32, 49), (128, 32, 49), (256, 16, 49), (256, 16, 49)]


def test_the_cost_is_what_the_card_says_of_the_printed_one():
    """The printed 224 G lie between 16 and 32 groups."""
    found = card("corrnet_101")
    (printed,) = found.published
    view = (1, 3, 32, 224, 224)
    with torch.device("meta"):
        half = CorrNet(400, groups=16)
    assert gmacs(half, view) == pytest.approx(225.1, abs=0.1)
    assert f"{found.gmacs:.0f} G" in found.note
    assert found.gmacs / printed.gmacs == pytest.approx(1.16, abs=0.01)


def test_another_number_of_frames_is_refused():
    torch.manual_seed(0)
    network = CorrNet(3, frames=4, width=8, runs=((1,), (1,), (1,)), last=1, groups=2).eval()
    with torch.no_grad():
        assert network(torch.randn(2, 3, 4, 48, 64)).shape == (2, 3)
        with pytest.raises(RuntimeError):
            network(torch.randn(1, 3, 6, 48, 64))
