"""Video Swin: windows of space and time that shift, and torchvision's numbers."""

import math

import pytest
import torch
from torch import nn
from torchvision.models import video

from har_demo.models.attention import attention_maps
from har_demo.models.registry import card
from har_demo.models.video_swin import (
    AUTHORS_KEY_MAP,
    TORCHVISION_KEY_MAP,
    Block,
    PatchMerging,
    VideoSwin,
    WindowAttention,
    relative_positions,
    swin3d_t,
    to_windows,
)
from tests.test_models.public_keys import assert_fills, read


def randomised(network: nn.Module) -> nn.Module:
    """Every parameter random, so that none can hide behind a zero; biases of positions largest."""
    torch.manual_seed(0)
    for name, parameter in network.named_parameters():
        if "bias_table" in name:
            nn.init.normal_(parameter)
        elif parameter.dim() == 1:
            nn.init.normal_(parameter, mean=float("norm" in name and "weight" in name), std=0.1)
    return network.eval()


def attention(window=(2, 3, 3), shifted=False, channels=8, heads=2):
    return randomised(WindowAttention(channels, heads, window, shifted))


def neighbours(grid, window, shifted):
    """Which cells may see each other, in plain arithmetic: bool [cells, cells]."""
    together = torch.ones(math.prod(grid), math.prod(grid), dtype=torch.bool)
    places = torch.cartesian_prod(*(torch.arange(cells) for cells in grid))
    for axis, (cells, side) in enumerate(zip(grid, window, strict=True)):
        shift = side // 2 if shifted and cells > side else 0
        box = (places[:, axis] - shift).div(side, rounding_mode="floor")
        together &= box[:, None] == box[None, :]
    return together


@pytest.fixture(scope="module")
def pair():
    theirs, ours = randomised(video.swin3d_t()), swin3d_t(400).eval()
    missed = ours.load_state_dict(TORCHVISION_KEY_MAP(theirs.state_dict()))
    assert not missed.missing_keys and not missed.unexpected_keys
    return theirs, ours


@pytest.mark.parametrize(
    "shape",
    [
        (16, 112, 112),  # windows that fill, and a last stage smaller than one
        (
            12,
            52,
            100,
        ),  # fewer frames than a window; 13 × 25 patches: padded, merged with an odd rest
        (17, 64, 64),  # 9 moments: padded and shifted along time
    ],
)
def test_same_outputs_as_torchvision(pair, shape):
    theirs, ours = pair
    x = torch.randn(1, 3, *shape, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected, got = theirs(x), ours(x)
    assert expected.std() > 1e-2
    torch.testing.assert_close(got, expected, atol=1e-4, rtol=1e-4)


def test_clips_of_a_batch_do_not_mix(pair):
    x = torch.randn(2, 3, 18, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        together = pair[1](x)
        alone = torch.cat([pair[1](clip[None]) for clip in x])
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-4)


@pytest.mark.nightly
def test_half_precision_and_another_layout_of_memory(pair):
    network = pair[1]
    x = torch.randn(1, 3, 18, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected = network(x)
        torch.testing.assert_close(network(x.to(memory_format=torch.channels_last_3d)), expected)
        with torch.autocast("cpu", torch.bfloat16):
            half = network(x)
    assert half.dtype == torch.bfloat16
    assert torch.cosine_similarity(half.float(), expected).item() > 0.99


@pytest.mark.parametrize("shifted", [False, True])
@pytest.mark.parametrize("grid", [(4, 6, 6), (3, 5, 7), (2, 6, 3), (1, 2, 5)])
def test_a_cell_sees_its_own_window_and_nothing_else(grid, shifted):
    """Where the shift rolls the far end beside the front, they do not see each other."""
    layer = attention(shifted=shifted)
    x = torch.randn(1, *grid, 8, requires_grad=True)
    y = layer(x).sum(dim=-1).flatten()
    seen = [torch.autograd.grad(value, x, retain_graph=True)[0].abs().sum(-1) for value in y]
    assert torch.equal(torch.stack(seen).flatten(1) > 0, neighbours(grid, (2, 3, 3), shifted))


def test_shifted_windows_join_what_plain_ones_part():
    grid, window = (4, 6, 6), (2, 3, 3)
    plain, shifted = (neighbours(grid, window, shift).float() for shift in (False, True))
    assert (plain == 0).any() and (shifted == 0).any()
    reach = plain
    for step in (shifted, plain, shifted):
        reach = ((reach @ step) > 0).float()
    assert reach.all()  # after two pairs of blocks news has crossed this clip


def test_one_row_of_biases_for_each_offset():
    window = (2, 3, 4)
    rows = relative_positions(window)
    places = torch.cartesian_prod(*(torch.arange(side) for side in window))
    offsets = (places[:, None] - places[None, :]).flatten(0, 1).tolist()
    row_of = dict(zip(map(tuple, offsets), rows.flatten().tolist(), strict=True))
    assert sorted(row_of.values()) == list(range(3 * 5 * 7))
    assert [row_of[tuple(offset)] for offset in offsets] == rows.flatten().tolist()


def test_windows_hold_neighbouring_cells():
    numbers = torch.arange(2 * 4 * 4).reshape(1, 2, 4, 4, 1)
    cut = to_windows(numbers, (2, 2, 2), (0, 0, 0)).squeeze(2)
    assert cut.shape == (4, 8)
    assert cut[0].tolist() == [0, 1, 4, 5, 16, 17, 20, 21]
    assert cut[3].tolist() == [10, 11, 14, 15, 26, 27, 30, 31]


def test_merging_halves_height_and_width_and_keeps_time():
    merge = PatchMerging(8)
    assert merge(torch.zeros(2, 5, 6, 4, 8)).shape == (2, 5, 3, 2, 16)
    assert merge(torch.zeros(2, 5, 7, 3, 8)).shape == (2, 5, 4, 2, 16)


@pytest.mark.parametrize("shifted", [False, True])
@pytest.mark.parametrize("grid", [(4, 6, 6), (3, 5, 7), (1, 2, 5)])
def test_attention_times_values_is_the_layers_output(grid, shifted):
    layer = attention(shifted=shifted)
    x = torch.randn(2, *grid, 8)
    with torch.no_grad():
        (found,) = layer.attention(x)
        value, bias = layer.qkv.weight[16:], layer.qkv.bias[16:]
        values = (x @ value.T).flatten(1, 3).unflatten(2, (2, 4)).transpose(1, 2)
        y = (found.weights @ values).transpose(1, 2).flatten(2) + bias
        expected = layer(x).flatten(1, 3)
    assert found.query_grid == found.key_grid == grid
    assert found.weights.shape == (2, 2, math.prod(grid), math.prod(grid))
    torch.testing.assert_close(layer.proj(y), expected)
    apart = ~neighbours(grid, (2, 3, 3), shifted)
    assert (found.weights[..., apart] == 0).all()


def test_rows_sum_to_one_but_where_padding_fills_the_window():
    layer = attention()
    whole, padded = torch.randn(1, 2, 3, 6, 8), torch.randn(1, 2, 3, 4, 8)
    with torch.no_grad():
        torch.testing.assert_close(layer.attention(whole)[0].weights.sum(-1), torch.ones(1, 2, 36))
        sums = layer.attention(padded)[0].weights.sum(-1).unflatten(2, (2, 3, 4))
    torch.testing.assert_close(sums[..., :3], torch.ones(1, 2, 2, 3, 3))
    assert (sums[..., 3] < 0.9).all()  # two of its three columns are padding


def test_attention_of_some_is_part_of_the_attention_of_all():
    layer = attention(shifted=True)
    x = torch.randn(1, 4, 5, 6, 8)
    at = torch.tensor([[0.0, 0.0, 0.0], [0.99, 0.5, 0.2]])
    with torch.no_grad():
        (some,), (every,) = layer.attention(x, at), layer.attention(x)
    assert some.queries.tolist() == [0, 3 * 30 + 2 * 6 + 1]
    torch.testing.assert_close(some.weights, every.weights[:, :, some.queries])


def test_maps_of_a_whole_network():
    network = VideoSwin(5, 32, depths=(2, 2), window=(2, 3, 3)).eval()
    maps = attention_maps(network, torch.randn(2, 3, 8, 32, 40), at=torch.tensor([[0.5, 0.5, 0.5]]))
    shapes = {name: found[0].weights.shape for name, found in maps.items()}
    fine, coarse = (2, 1, 1, 4 * 8 * 10), (2, 2, 1, 4 * 4 * 5)
    assert shapes == {
        "stages.0.blocks.0.attn": fine,
        "stages.0.blocks.1.attn": fine,
        "stages.1.blocks.0.attn": coarse,
        "stages.1.blocks.1.attn": coarse,
    }


def test_blocks_are_in_turn_plain_and_shifted_and_ever_oftener_skipped():
    with torch.device("meta"):
        network = VideoSwin(5, 32, depths=(2, 4), drop_path=0.2)
    blocks = [block for stage in network.stages for block in stage.blocks]
    assert [block.attn.shifted for block in blocks] == [False, True] * 3
    rates = [block.drop_path.p for block in blocks]
    assert rates == pytest.approx([0, 0.04, 0.08, 0.12, 0.16, 0.2])


def test_a_skipped_block_changes_nothing_and_only_while_training():
    block = Block(32, (2, 3, 3), shifted=False, drop_path=1.0)
    x = torch.randn(2, 2, 3, 3, 32)
    assert torch.equal(block.train()(x), x)
    assert not torch.equal(block.eval()(x), x)


def test_the_larger_networks_are_deeper_wider_and_look_farther():
    def shape(name):
        with torch.device("meta"):
            network = card(name).build(400)
        first = network.stages[0].blocks[0].attn
        depths = [len(stage.blocks) for stage in network.stages]
        heads = [stage.blocks[0].attn.heads for stage in network.stages]
        return first.qkv.in_features, depths, heads, first.window

    small, large = [2, 2, 6, 2], [2, 2, 18, 2]
    assert shape("swin3d_t") == (96, small, [3, 6, 12, 24], (8, 7, 7))
    assert shape("swin3d_s") == (96, large, [3, 6, 12, 24], (8, 7, 7))
    assert shape("swin3d_b") == (128, large, [4, 8, 16, 32], (8, 7, 7))
    assert shape("swin3d_l") == (192, large, [6, 12, 24, 48], (8, 7, 7))
    assert shape("swin3d_l_384") == (192, large, [6, 12, 24, 48], (8, 12, 12))


def test_the_tiny_network_holds_whole_windows_in_every_stage():
    network = card("swin_lab").build(3)
    attn = [stage.blocks[1].attn for stage in network.stages]
    grids = ((8, 14, 14), (8, 7, 7))
    with torch.no_grad():
        assert network.patch_embed(torch.zeros(1, 3, 16, 112, 112)).shape == (1, *grids[0], 64)
    assert [layer.fitted(grid) for layer, grid in zip(attn, grids, strict=True)] == [
        ((4, 7, 7), (2, 3, 3)),
        ((4, 7, 7), (2, 0, 0)),  # one window covers the picture, two the clip
    ]
    assert all(
        size % side == 0 for grid in grids for size, side in zip(grid, (4, 7, 7), strict=True)
    )


def test_the_tiny_network_begins_with_weights_that_keep_a_signals_size():
    """The paper's begin at 0.02, whatever the width."""
    network = card("swin_lab").build(3)
    for block in network.stages[0].blocks:
        for layer in (block.attn.qkv, block.attn.proj, block.fc1, block.fc2):
            assert layer.weight.std().item() == pytest.approx(layer.in_features**-0.5, rel=0.1)


TORCHVISION, MMACTION = "torchvision_0_28_0_models__swin3d_t", "open_mmlab__swin_t_mmaction2"


def tables(file):
    return [name for name in read(file) if name.endswith("relative_position_index")]


def test_every_name_but_the_tables_of_positions_is_used():
    for file, source in ((TORCHVISION, "torchvision"), (MMACTION, "mmaction2")):
        assert len(tables(file)) == 12
        assert_fills(file, "swin3d_t", dropped=tables(file), source=source)


def test_the_authors_name_the_last_norm_otherwise_than_mmaction2():
    names = AUTHORS_KEY_MAP
    theirs = read(MMACTION)
    authors = {name.replace("backbone.norm3.", "backbone.norm."): t for name, t in theirs.items()}
    assert "backbone.norm.weight" in authors
    assert names(authors).keys() == names(theirs).keys()


def test_both_publishers_list_the_same_tensors_in_the_same_places():
    """Ours have no order to compare; theirs do, and it is that of the forward pass."""
    theirs = list(AUTHORS_KEY_MAP(read(MMACTION)))
    assert list(TORCHVISION_KEY_MAP(read(TORCHVISION))) == theirs
