"""Class activation maps are their formulas, and every network of the zoo has a layer for them."""

from threading import Thread, get_ident, main_thread

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.models.video.mvit import MSBlockConfig, MViT

from har_demo.errors import ChoiceError
from har_demo.explain.activation import METHODS, activation, combine, resized, target_layer
from har_demo.explain.look import look
from har_demo.models.non_local import NonLocal
from har_demo.models.registry import card, cards
from tests.networks import on_meta

LAB = [c for c in cards().values() if c.size == "tiny" and c.gmacs is not None]
PAPER = [
    card(name)
    for name in (
        *("conv_pool", "lrcn", "convnet_lstm", "two_stream", "fused_3d", "mars", "resframe_ts"),
        *(
            "c3d",
            "i3d",
            "slowfast_r50_8x8",
            "p3d_199",
            "s3d",
            "x3d_m",
            "mfnet_pnl_x5",
            "res50_cgnl",
        ),
        *("action_transformer", "swin3d_t", "mvit_v2_s"),
    )
]
WITHOUT_TINY = [c for c in PAPER if c.name not in {one.tiny_of for one in LAB}]
RUN = ("trn_lab", "swin_lab", "r3d_lab", "lrcn_lab", "two_stream_lab", "x3d_lab", "cgnl_lab")


class Mean(nn.Module):
    """Features, their mean over time and space, and one linear layer: where CAM is exact."""

    def __init__(self, features: nn.Module):
        super().__init__()
        self.features = features
        self.pool = nn.AdaptiveAvgPool3d(1)
        self.fc = nn.Linear(5, 39)

    def forward(self, x):
        return self.fc(self.pool(self.features(x)).flatten(1))


def test_where_a_mean_and_a_linear_layer_follow_the_map_is_cam(made):
    """Σ_c w_c A_c over the number of cells, by hand; height and width differ, time too."""
    torch.manual_seed(0)
    network = Mean(nn.Sequential(nn.Conv3d(3, 5, 3, padding=1), nn.ReLU()))
    one = made(network, torch.randn(1, 3, 4, 6, 5))
    features = network.features(one.inputs[0])[0]
    cam = torch.einsum("c,cthw->thw", network.fc.weight[7], features).relu() / (4 * 6 * 5)
    for method in ("grad-cam", "hirescam"):
        found = activation(one, 7, method)
        assert found.values == pytest.approx(cam.numpy(), abs=1e-6)
        assert found.layer == "features"
    assert cam.max() > 0


def test_the_four_methods_by_hand():
    """Two channels, two moments; worked out on paper."""
    features = torch.tensor([[1.0, 3.0], [2.0, 0.0]]).reshape(1, 2, 2, 1, 1)
    gradient = torch.tensor([[2.0, -1.0], [1.0, 1.0]]).reshape(1, 2, 2, 1, 1)

    def told(method):
        return combine(features, gradient, method).flatten().tolist()

    assert told("grad-cam") == pytest.approx([0.5 * 1 + 1 * 2, 0.5 * 3 + 1 * 0])
    assert told("hirescam") == pytest.approx([2 * 1 + 1 * 2, 0])  # 3 · -1 is below nothing
    assert told("layercam") == pytest.approx([2 * 1 + 1 * 2, 0 * 3 + 1 * 0])
    # α = G² / (2 G² + ΣA G³): channel one 4 / (8 + 4·8) and, where G < 0, it is cut off; channel two
    # 1 / (2 + 2·1) at both moments.
    first, second = 0.1 * 2, 0.25 * 1 + 0.25 * 1
    assert told("grad-cam++") == pytest.approx([first * 1 + second * 2, first * 3])


def test_weights_are_means_over_time_too():
    """A gradient at one moment alone weighs the whole channel: one weight a channel, not a frame."""
    features, gradient = torch.ones(1, 1, 4, 2, 2), torch.zeros(1, 1, 4, 2, 2)
    gradient[:, :, 0] = 1
    assert combine(features, gradient, "grad-cam").unique().tolist() == [0.25]


def _layer_says_when_and_where(known):
    inputs = [torch.empty(shape, device="meta") for shape in known.input.shapes()]
    layer = target_layer(on_meta(known.name), *inputs)
    t, h, w = layer.grid
    assert 3 <= h <= 25 and 3 <= w <= 25
    assert 1 <= t <= max(x.shape[2] for x in inputs)
    # Not the map before the last, where it can be told: what follows has fewer cells or none.
    assert h * w < inputs[0].shape[3] * inputs[0].shape[4] / 16


@pytest.mark.parametrize("known", LAB + WITHOUT_TINY, ids=lambda c: c.name)
def test_every_kind_of_network_has_a_layer_that_says_when_and_where(known):
    _layer_says_when_and_where(known)


@pytest.mark.nightly
@pytest.mark.parametrize("known", PAPER, ids=lambda c: c.name)
def test_every_network_has_a_layer_that_says_when_and_where(known):
    """The same code as of the tiny ones, in the paper's widths."""
    _layer_says_when_and_where(known)


@pytest.mark.parametrize(
    "name", [*RUN[:2], *(pytest.param(name, marks=pytest.mark.nightly) for name in RUN[2:])]
)
def test_the_layer_gets_a_gradient(made, name):
    known = card(name)
    torch.manual_seed(0)
    one = made(known.build(39), *(torch.randn(shape) for shape in known.input.shapes()))
    found = activation(one, 3, "layercam")
    assert np.isfinite(found.values).all()
    assert np.ptp(found.values) > 0
    assert found.values.ndim == 3


def test_tokens_behind_a_class_token_get_a_gradient(made):
    """MViT reads its class token alone, so the map comes from before the last block."""
    torch.manual_seed(0)
    blocks = [
        MSBlockConfig(1, 8, 8, [3, 3, 3], [3, 3, 3], [1, 1, 1], [1, 1, 1]),
        MSBlockConfig(1, 8, 16, [3, 3, 3], [3, 3, 3], [1, 2, 2], [1, 1, 1]),
        MSBlockConfig(2, 16, 16, [3, 3, 3], [3, 3, 3], [1, 1, 1], [1, 1, 1]),
    ]
    network = MViT((32, 32), 4, blocks, False, True, False, 0.5, num_classes=39)
    one = made(network, torch.randn(1, 3, 4, 32, 32))
    found = activation(one, 0, "layercam")
    assert found.layer == "blocks.2"
    assert found.values.shape == (2, 4, 4) and np.ptp(found.values) > 0


def test_another_class_has_another_map_and_the_likeliest_is_the_first(waving):
    one = look(waving, "mfnet_pnl_lab")
    first = activation(one)
    assert first.target == one.scores.argmax()
    assert first.values == pytest.approx(activation(one, first.target).values, abs=1e-6)
    other = activation(one, (first.target + 1) % 39)
    assert np.abs(first.values - other.values).max() > 0.1 * first.values.max()
    assert first.values.shape == (8, 4, 4)
    assert not any(p.requires_grad for p in one.network().parameters())


def test_what_has_no_map_gets_a_sentence(made, waving):
    one = look(waving, "mfnet_pnl_lab")
    with pytest.raises(ChoiceError, match="There is no method 'magic': choose grad-cam"):
        activation(one, 0, "magic")
    with pytest.raises(ChoiceError, match="has no class number 39"):
        activation(one, 39)
    flat = nn.Sequential(nn.Flatten(), nn.Linear(48, 39))
    with pytest.raises(ChoiceError, match="keeps no places to the end"):
        activation(made(flat, torch.randn(1, 3, 1, 4, 4)))
    assert METHODS == ("grad-cam", "grad-cam++", "hirescam", "layercam")


class Interrupted(Mean):
    """Somebody else uses the network in the middle of the first pass of everybody."""

    def __init__(self):
        super().__init__(nn.Sequential(nn.Conv3d(3, 5, 3, padding=1), nn.ReLU()))
        self.block = NonLocal(5)
        nn.init.ones_(self.block.norm.weight)

    def forward(self, x):
        x = self.block(self.features(x))
        if get_ident() == main_thread().ident:
            other = Thread(target=self, args=(torch.zeros(1, 3, 9, 3, 3),))
            other.start()
            other.join()
        return self.fc(self.pool(x).flatten(1))


def test_others_may_use_the_network_at_the_same_time(made):
    torch.manual_seed(0)
    network, x = Interrupted(), torch.randn(1, 3, 4, 6, 5)
    one = made(network, x)
    assert torch.equal(one.received["block"], network.features(x))
    assert activation(one, 0).values.shape == (4, 6, 5)


def test_resizing_makes_nothing_up():
    values = np.arange(4, dtype=np.float32).reshape(1, 2, 2)
    large = resized(values, (3, 4, 4))
    assert large.shape == (3, 4, 4)
    assert set(np.unique(large)) == {0, 1, 2, 3}
    assert large[2, 3, 0] == 2
