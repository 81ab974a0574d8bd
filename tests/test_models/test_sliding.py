"""The mean before the last layer: over all features, or over one square of them after another."""

import pytest
import torch
from torch import nn

from har_demo.models.registry import card, cards
from har_demo.models.sliding import scores
from har_demo.models.without_numbers import without_numbers
from har_demo.weights.sources import of_request


def test_squares_are_scored_one_by_one_and_their_probabilities_averaged():
    torch.manual_seed(0)
    head, x = nn.Linear(6, 5), 4 * torch.randn(2, 6, 3, 8, 9)
    with torch.no_grad():
        found = scores(x, head, side=7).softmax(dim=-1)
        places = [(top, left) for top in range(2) for left in range(3)]
        each = [
            head(x[:, :, :, top : top + 7, left : left + 7].mean(dim=(2, 3, 4))).softmax(dim=-1)
            for top, left in places
        ]
        torch.testing.assert_close(found, torch.stack(each).mean(dim=0))
        one_mean = head(x.mean(dim=(2, 3, 4)))
        assert (found - one_mean.softmax(dim=-1)).abs().max() > 1e-3
        assert torch.equal(scores(x, head, side=None), one_mean)
        assert torch.equal(scores(x[..., :7, :7], head, 7), scores(x[..., :7, :7], head, None))


def test_features_narrower_than_a_square_are_taken_whole_on_that_side():
    torch.manual_seed(0)
    head, x = nn.Linear(4, 3), torch.randn(1, 4, 2, 5, 8)
    with torch.no_grad():
        each = [head(x[..., left : left + 7].mean(dim=(2, 3, 4))).softmax(-1) for left in (0, 1)]
        torch.testing.assert_close(scores(x, head, 7).softmax(-1), sum(each) / 2)


def test_it_stays_finite_where_a_probability_is_zero():
    x = torch.zeros(1, 2, 1, 8, 8)
    x[:, 0] = 1e4
    with torch.no_grad():
        found = scores(x, nn.Identity(), side=7)
    assert found.isfinite().all() and found.softmax(dim=-1).tolist() == [[1.0, 0.0]]


def test_networks_that_pyslowfast_tests_slide_and_others_do_not():
    """As large a square as the features of a training crop: 5 for 160 pixels, 7 for 224, 10 for 312."""
    squares = {}
    for c in cards().values():
        for source in c.sources:
            facebook = source.name in ("pytorchvideo", "PySlowFast")
            if facebook and source.protocol.crops == 3:
                squares[c.name, source.name] = source.build.args[1]
    assert len(squares) == 20
    assert {names for names, square in squares.items() if square != 7} == {
        (f"x3d_{size}", publisher)
        for size in ("xs", "s", "l")
        for publisher in ("pytorchvideo", "PySlowFast")
    }
    assert squares["x3d_xs", "PySlowFast"] == 5 and squares["x3d_l", "pytorchvideo"] == 10
    for name, source, square in (
        ("x3d_xs", "pytorchvideo", 5),
        ("slow_r50", "mmaction2", None),
        ("slow_r50", "PySlowFast", 7),
        ("slowfast_r101_16x8", "", 7),  # its only source is chosen unasked
    ):
        with without_numbers():
            assert of_request(card(name), name=source).build(400).side == square, (name, source)


@pytest.mark.parametrize("name", ["x3d_xs", "r2plus1d_r50", "ir_csn_101"])
def test_crops_of_training_are_scored_as_before(name):
    """What the squares change begins with features larger than one."""
    network = card(name).of_source(card(name).weights[0]).build(3).eval()
    clip = torch.randn(1, 3, 2, 96, 96)  # features of 3 × 3
    with torch.no_grad():
        usual = network(clip)
        network.side = None
        assert torch.equal(network(clip), usual)
        network.side = 2
        assert (network(clip).softmax(-1) - usual.softmax(-1)).abs().max() > 0
