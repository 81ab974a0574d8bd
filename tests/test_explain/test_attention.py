"""Maps are what the blocks used, and what is said of them can be worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from har_demo.errors import ChoiceError
from har_demo.explain import attention
from har_demo.explain.attention import (
    AttentionBlock,
    AttentionResult,
    attended,
    block,
    blocks,
    connections,
    difference,
    moved,
    rows_of,
    scores,
    share_of,
    survey,
)
from har_demo.explain.functions import FUNCTIONS
from har_demo.explain.look import look
from har_demo.models.action_transformer import ActionTransformerHead
from har_demo.models.compact_global import CGNL
from har_demo.models.non_local import NonLocal, rows
from har_demo.models.pyramid import PYRAMID, PyramidNonLocal
from har_demo.models.video_swin import WindowAttention

AT = (0.6, 0.3, 0.8)


class Classifier(nn.Module):
    """A block that attends, and as many classes as the cards have."""

    def __init__(self, inside: nn.Module):
        super().__init__()
        self.block = inside
        torch.manual_seed(0)
        for parameter in inside.parameters():
            nn.init.normal_(parameter, std=0.6)

    def forward(self, x):
        return self.block(x).flatten(1)[:, :39]


def _non_local(made, function="embedded_gaussian", **options):
    torch.manual_seed(1)
    return made(Classifier(NonLocal(16, function, **options)), torch.randn(1, 16, 4, 6, 5))


def test_the_shipped_map_times_its_values_is_what_the_block_put_out(waving):
    """Level by level through the trained pyramid, against what the real forward pass gave."""
    one = look(waving, "mfnet_pnl_lab")
    network = one.network()
    given = []
    pyramid = network.conv4[5]
    hook = pyramid.register_forward_hook(lambda m, x, z: given.append(z))
    with torch.no_grad():
        network(*one.inputs)
    hook.remove()
    (z,) = given
    x = one.received["conv4.5"]
    (of,) = blocks(one)
    maps = torch.cat(list(rows_of(one, of)))  # [196, 232]
    with torch.no_grad():
        _, _, values = pyramid.embed(x)
        y = (maps @ values[0]).T.unflatten(1, PYRAMID[0])[None]
        y = F.interpolate(y, size=x.shape[2:], mode="nearest")
        torch.testing.assert_close(x + pyramid.norm(pyramid.w_z(y)), z, atol=1e-4, rtol=1e-4)
    assert (z - x).abs().max() > 0.1  # the block does something

    found = attended(one, of, AT)
    flat = np.ravel_multi_index(found.cell, of.query_grid)
    row = np.concatenate([level.ravel() for level in found.levels])
    assert row == pytest.approx(maps[flat].numpy(), abs=1e-6)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("subsample", [False, True])
def test_one_map_times_g_is_what_a_non_local_block_adds_there(made, function, subsample):
    one = _non_local(made, function, subsample=subsample)
    (of,) = blocks(one)
    found = attended(one, of, AT)
    network, x = one.network(), one.received["block"]
    t, h, w = found.cell
    assert (t, h, w) == (2, 1, 4)
    with torch.no_grad():
        _, _, g = network.block.embed(x)
        y = torch.from_numpy(found.levels[0][0]).flatten() @ rows(g)[0]
        z = (
            x[0, :, t, h, w]
            + network.block.norm(network.block.w_z(y[None, :, None, None, None])).flatten()
        )
        torch.testing.assert_close(z, network.block(x)[0, :, t, h, w], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("inside", "shape", "heads", "kind"),
    [
        (NonLocal(8), (8, 4, 6, 5), 1, "non-local"),
        (CGNL(16), (16, 4, 6, 5), 8, "compact generalised non-local"),
        (PyramidNonLocal(16), (16, 8, 14, 14), 1, "pyramid non-local"),
        (WindowAttention(8, 2, (2, 3, 3), True), (4, 6, 5, 8), 2, "windowed attention, shifted"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_every_kind_of_block_is_asked(made, inside, shape, heads, kind):
    one = made(Classifier(inside), torch.randn(1, *shape))
    (of,) = blocks(one)
    assert (of.kind, of.heads) == (kind, heads)
    found = attended(one, of, AT)
    every = torch.cat(list(rows_of(one, of, head=heads - 1)))
    flat = np.ravel_multi_index(found.cell, of.query_grid)
    row = np.concatenate([level.ravel() for level in found.maps(heads - 1)])
    assert row == pytest.approx(every[flat].numpy(), abs=1e-6)
    assert len(every) == np.prod(of.query_grid) == survey(one, of).queries


def test_a_window_is_said_and_nothing_outside_it_is_looked_at(made):
    one = made(Classifier(WindowAttention(8, 2, (2, 3, 3), False)), torch.randn(1, 4, 6, 6, 8))
    (of,) = blocks(one)
    assert of.window == (2, 3, 3)
    (weights,) = attended(one, of, (0.0, 0.0, 0.0)).maps()
    assert weights[:2, :3, :3].sum() == pytest.approx(1, abs=1e-5)
    assert weights[2:].sum() == weights[:, 3:].sum() == weights[:, :, 3:].sum() == 0


def test_layers_of_one_head_are_blocks_of_their_own(made):
    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = ActionTransformerHead(8, 40)

        def forward(self, x):
            return self.head(x)[:, :39]

    torch.manual_seed(0)
    one = made(Network(), torch.randn(1, 8, 4, 7, 7))
    found = blocks(one)
    assert [of.name for of in found] == ["head:1", "head:2", "head:3"]
    assert {(of.query_grid, of.key_grids, of.heads) for of in found} == {
        ((1, 1, 1), ((4, 7, 7),), 2)
    }
    maps = one.network().head.attention(one.received["head"])
    for number, of in enumerate(found):
        (level,) = attended(one, of, AT).levels
        assert level.reshape(2, -1) == pytest.approx(
            maps[number].weights[0, :, 0].numpy(), abs=1e-6
        )
    assert survey(one, found[0]).independence == 1.0


def _by_hand(levels, query_grid=(2, 1, 2), cell=(0, 0, 0), heads=1):
    of = AttentionBlock("b", "non-local", query_grid, tuple(x.shape[1:] for x in levels), heads)
    return AttentionResult(of, cell, "", tuple(np.asarray(x, np.float32) for x in levels))


def test_scores_by_hand(made):
    one = _non_local(made)  # 4 frames a tenth of a second apart, a square box
    level = np.zeros((1, 2, 1, 2))
    level[0, 0, 0, 0], level[0, 1, 0, 1] = 0.25, 0.75
    told = scores(one, _by_hand([level]))
    assert told.entropy == pytest.approx(-0.25 * np.log2(0.25) - 0.75 * np.log2(0.75))
    assert told.even == pytest.approx(2**told.entropy) and told.cells == 4
    # From the left cell to itself and to the right one, half a width further and 0.2 s later.
    assert told.space == pytest.approx(0.75 * 0.5)
    assert told.even_space == pytest.approx(0.25)
    assert told.time == pytest.approx(0.75 * 0.2)
    assert told.even_time == pytest.approx(0.1)
    assert told.same_moment == pytest.approx(0.25)
    assert told.negative == 0 and told.levels == (1.0,)


def test_even_attention_has_all_bits_and_one_cell_has_none(made):
    one = _non_local(made)
    even, single = np.full((1, 2, 2, 2), 1 / 8), np.zeros((1, 2, 2, 2))
    single[0, 0, 0, 0] = 1
    assert scores(one, _by_hand([even])).entropy == pytest.approx(3)
    told = scores(one, _by_hand([single], (2, 2, 2)))
    assert (told.entropy, told.even, told.space, told.time) == (0, 1, 0, 0)


def test_weights_below_nothing_count_by_size_and_levels_have_shares(made):
    one = _non_local(made)
    fine, coarse = np.full((1, 2, 1, 2), -0.1), np.full((1, 1, 1, 1), 0.6)
    told = scores(one, _by_hand([fine, coarse]))
    assert told.negative == pytest.approx(0.4)
    assert told.levels == pytest.approx((0.4, 0.6))


def test_heads_are_chosen_or_averaged(made):
    levels = [np.stack([np.full((1, 1, 2), 0.2), np.array([[[0.6, -0.4]]])])]
    found = _by_hand(levels, heads=2)
    assert found.maps(0)[0].flatten() == pytest.approx([0.2, 0.2])
    assert found.maps(None)[0].flatten() == pytest.approx([0.4, 0.3])  # sizes, not sums
    with pytest.raises(ChoiceError, match="heads 0 to 1, not 2"):
        found.maps(2)


def test_a_survey_is_the_plain_sums_over_the_full_table(made, monkeypatch):
    one = _non_local(made)
    (of,) = blocks(one)
    table = torch.cat(list(rows_of(one, of))).double()
    monkeypatch.setattr(attention, "AT_ONCE", 7 * table.shape[1])  # seven positions at a time
    assert max(len(some) for some in rows_of(one, of)) == 7
    told = survey(one, of)
    cosine = F.normalize(table, dim=1) @ F.normalize(table, dim=1).T
    apart = ~torch.eye(len(table), dtype=torch.bool)
    assert told.independence == pytest.approx(cosine[apart].mean().item())
    assert told.entropy == pytest.approx(
        -torch.special.xlogy(table, table).sum(1).mean().item() / np.log(2), rel=1e-5
    )
    assert told.mean[0].flatten() == pytest.approx(table.mean(0).numpy(), abs=1e-6)


def test_a_survey_is_done_once(made, monkeypatch):
    one = _non_local(made)
    (of,) = blocks(one)
    first = survey(one, of)
    monkeypatch.setattr(attention, "rows_of", None)
    assert survey(one, of) is first
    assert survey(one, of, function=of.function) is first  # the block's own, by its name
    assert blocks(one)[0] is of


def test_positions_that_look_alike_and_apart_are_told_apart(made):
    one = made(Classifier(NonLocal(4)), torch.randn(1, 4, 2, 4, 4))
    (of,) = blocks(one)
    network = one.network()
    nn.init.zeros_(network.block.theta.weight)
    assert survey(one, of).independence == pytest.approx(1)  # nobody's question differs
    one.remembered.clear()
    for conv in (network.block.theta, network.block.phi):
        nn.init.zeros_(conv.bias)
        nn.init.eye_(conv.weight.data[:, :, 0, 0, 0].mul_(0))
        conv.weight.data.normal_().mul_(20)
    assert survey(one, of).independence < 0.9


def test_four_functions_over_the_same_weights(made):
    one = _non_local(made)
    (of,) = blocks(one)
    x, own = one.received["block"], one.network().block
    theta, phi = (rows(conv(x))[0] for conv in (own.theta, own.phi))
    found = {name: attended(one, of, AT, name) for name in FUNCTIONS}
    flat = np.ravel_multi_index(found["gaussian"].cell, of.query_grid)
    raw, count = rows(x)[0], len(theta)
    wanted = {
        "gaussian": (raw[flat] @ raw.T).softmax(-1),
        "embedded_gaussian": (theta[flat] @ phi.T).softmax(-1),
        "dot_product": theta[flat] @ phi.T / count,
        "concatenation": (theta[flat].sum() + phi.sum(1)).div(4).relu() / count,  # √16 channels
    }
    for name, weights in wanted.items():
        assert found[name].function == name
        got = found[name].levels[0].ravel()
        assert got == pytest.approx(weights.detach().numpy(), rel=1e-4, abs=1e-6)
    same = attended(one, of, AT)
    assert moved(same, found["embedded_gaussian"]) == 0
    assert all(moved(same, found[name]) > 0.05 for name in FUNCTIONS if name != of.function)
    assert scores(one, found["dot_product"]).negative > 0
    (gained,) = difference(same, found["gaussian"])
    wanted = found["gaussian"].levels[0][0] - same.levels[0][0]  # both add up to 1 already
    assert gained == pytest.approx(wanted, abs=1e-5)
    assert np.abs(gained).sum() / 2 == pytest.approx(moved(same, found["gaussian"]), abs=1e-5)


@pytest.mark.parametrize("own", ["gaussian", "concatenation"])
def test_a_blocks_own_function_is_its_own(made, own):
    one = _non_local(made, own, scale=True)
    (of,) = blocks(one)
    assert of.function == own
    assert moved(attended(one, of, AT), attended(one, of, AT, own)) == 0
    others = {name: attended(one, of, AT, name).levels[0] for name in FUNCTIONS}
    assert all(np.isfinite(level).all() for level in others.values())


def test_a_pyramid_can_have_other_functions_too(waving):
    one = look(waving, "mfnet_pnl_lab")
    (of,) = blocks(one)
    own, other = attended(one, of, AT), attended(one, of, AT, "dot_product")
    assert [x.shape[1:] for x in other.levels] == list(PYRAMID)
    assert moved(own, attended(one, of, AT, "embedded_gaussian")) == 0
    assert moved(own, other) > 0.05


def test_the_strongest_connections_come_first():
    fine, coarse = np.zeros((1, 2, 1, 2)), np.zeros((1, 1, 1, 1))
    fine[0, 1, 0, 1], fine[0, 0, 0, 0], coarse[0, 0, 0, 0] = 0.5, -0.6, 0.2
    assert connections(_by_hand([fine, coarse]), 3) == [
        (0, (0, 0, 0), pytest.approx(-0.6)),
        (0, (1, 0, 1), pytest.approx(0.5)),
        (1, (0, 0, 0), pytest.approx(0.2)),
    ]
    assert len(connections(_by_hand([fine, coarse]), 99)) == 3  # none to cells that get nothing


def test_pixels_of_the_file_become_shares(made):
    one = _non_local(made)  # a file of 320 × 240, kept at half, seen from x = 40 to 280
    assert share_of(one, 40, 120, 3) == pytest.approx((3.5 / 4, 0.5, 0))
    for x, y, frame, sentence in (
        (39, 0, 0, "x from 40 to 280 and y from 0 to 240"),
        (280, 0, 0, "choose a point in there"),
        (100, 240, 0, "choose a point in there"),
        (100, 100, 4, "sampled frames 0 to 3, not 4"),
        (100, 100, -1, "sampled frames 0 to 3, not -1"),
    ):
        with pytest.raises(ChoiceError, match=sentence):
            share_of(one, x, y, frame)


def test_what_cannot_be_asked_gets_a_sentence(made, waving):
    one = _non_local(made)
    (of,) = blocks(one)
    with pytest.raises(ChoiceError, match="There is no function 'cosine'"):
        attended(one, of, AT, "cosine")
    with pytest.raises(ChoiceError, match="non-local blocks alone"):
        attended(one, replace(of, function="", kind="windowed attention"), AT, "gaussian")
    with pytest.raises(ChoiceError, match="shares from 0"):
        attended(one, of, (0.5, 1.0, 0.5))
    with pytest.raises(ChoiceError, match="has heads 0 to 0, not 5"):
        survey(one, of, head=5)
    with pytest.raises(ChoiceError, match="no block 'res9': it has block"):
        block(one, "res9")
    assert block(one).name == "block"


def test_a_model_without_attention_says_so(waving):
    with pytest.raises(ChoiceError, match="no attention between places"):
        block(look(waving, "c3d_lab"))
