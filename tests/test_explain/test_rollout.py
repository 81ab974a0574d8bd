"""A vector that goes back layer by layer gives what multiplying whole matrices would."""

import math

import numpy as np
import pytest
import torch

from har_demo.errors import ChoiceError
from har_demo.explain.attention import blocks
from har_demo.explain.look import look
from har_demo.explain.rollout import rollout
from har_demo.models.action_transformer import ActionTransformer
from har_demo.models.video_swin import VideoSwin


def _dense(one):
    """The paper's product of matrices, with a matrix for each merging of four patches."""
    network, product, before = one.network(), None, None
    for name, x in one.received.items():
        (found,) = network.get_submodule(name).attention(x)
        a = found.weights[0].mean(dim=0).double()
        a = a / a.sum(dim=-1, keepdim=True)
        layer = (torch.eye(len(a)) + a) / 2
        if before not in (None, found.query_grid):
            (t, h, w), (_, h0, w0) = found.query_grid, before
            merging = torch.zeros(t * h * w, t * h0 * w0, dtype=torch.float64)
            for i in range(t):
                for j in range(h0):
                    for k in range(w0):
                        row = (i * h + j // 2) * w + k // 2
                        merging[row, (i * h0 + j) * w0 + k] = 1
            product = merging / merging.sum(1, keepdim=True) @ product
        before = found.query_grid
        product = layer if product is None else layer @ product
    return product.mean(dim=0)


@pytest.mark.parametrize("side", [32, 36])  # 36 has nine patches a side: an odd number is merged
def test_going_back_row_by_row_is_the_product_of_all_layers(made, side):
    torch.manual_seed(0)
    network = VideoSwin(39, 32, depths=(2, 2), window=(2, 3, 3))
    one = made(network, torch.randn(1, 3, 8, 32, side))
    found = rollout(one)
    assert found.values.shape == (4, 8, math.ceil(side / 4))
    assert found.values.ravel() == pytest.approx(_dense(one).numpy(), abs=1e-7)
    assert found.values.sum() == pytest.approx(1, abs=1e-5)
    assert found.method == "rollout" and found.layer == "all 4 attention layers"


def test_a_query_collects_what_its_layers_read(made):
    torch.manual_seed(0)
    one = made(ActionTransformer(39, width=1 / 8, channels=16), torch.randn(1, 3, 16, 64, 64))
    found = rollout(one)
    maps = one.network().head.attention(one.received["head"])
    third, second, first = (m.weights[0].mean(0)[0] for m in reversed(maps))
    wanted = third / 2 + second / 4 + first / 8
    assert found.values.ravel() == pytest.approx((wanted / wanted.sum()).numpy(), abs=1e-6)
    assert found.values.shape == blocks(one)[0].key_grids[0]
    assert np.all(found.values >= 0)


def test_other_networks_have_none(waving):
    with pytest.raises(ChoiceError, match="no rollout: choose grad-cam"):
        rollout(look(waving, "mfnet_pnl_lab"))
