"""Public files fill the networks written here: every name used, every parameter filled."""

import pytest
import torch

from har_demo.flow import raft
from har_demo.models.key_map import key_map
from har_demo.models.registry import card, cards
from har_demo.models.without_numbers import without_numbers
from har_demo.weights.sources import named
from tests.networks import on_meta
from tests.test_models.public_keys import assert_fills, read

MAPS = {
    (name, key_map): key_map
    for name, c in cards().items()
    for key_map in (c.key_map, *(source.key_map for source in c.sources))
    if key_map
}

# The list of a public file's names, made by running the public code; our card; classes of the file; the
# card's source whose layout it is, '' for the card's own map.
FILES = [
    ("open_mmlab__c3d_mmaction2", "c3d", 101, "mmaction2"),
    ("davidea__c3d", "c3d_sports1m", 487, "DavideA"),
    ("facebookresearch__ir_csn_101", "ir_csn_101", 400, ""),
    ("facebookresearch__ip_csn_101", "ip_csn_101", 400, ""),
    ("open_mmlab__ir_csn_152_mmaction2", "ir_csn_152", 400, "mmaction2-ig65m"),
    ("open_mmlab__ip_csn_152_mmaction2", "ip_csn_152", 400, "mmaction2"),
    ("pytorchvideo_hub_pytorchvideo__csn_r101", "ir_csn_101", 400, "pytorchvideo"),
    ("piergiaj__i3d_rgb", "i3d", 400, "pytorch-i3d"),
    ("piergiaj__i3d_flow", "i3d_flow", 400, "pytorch-i3d"),
    ("craston__mars", "mars", 400, "craston"),
    ("craston__mars", "mars_64", 400, "craston"),
    ("craston__mars_flow", "mars_flow", 400, "craston"),
    ("cypw__mfnet", "mfnet", 400, "cypw"),
    ("facebookresearch__c2d_nl_r50", "c2d_nl_r50", 400, ""),
    ("facebookresearch__i3d_nl_r50", "i3d_nl_r50", 400, "PySlowFast"),
    ("facebookresearch__i3d_nl_r101", "i3d_nl_r101", 400, ""),
    ("facebookresearch__slow_nl_r50", "slow_nl_r50", 400, ""),
    ("open_mmlab__i3d_r50_nl_embedded_gaussian", "i3d_nl_r50_32", 400, "mmaction2"),
    ("open_mmlab__i3d_r50_nl_dot", "i3d_nl_r50_32_dot", 400, "mmaction2"),
    ("open_mmlab__i3d_r50_nl_gaussian", "i3d_nl_r50_32_gaussian", 400, "mmaction2"),
    ("torchvision__r2plus1d_18", "r2plus1d_18", 400, "torchvision"),
    ("pytorchvideo_hub_pytorchvideo__r2plus1d_r50", "r2plus1d_r50", 400, "pytorchvideo"),
    ("pytorchvideo_hub_pytorchvideo__c2d_r50", "c2d_r50", 400, "pytorchvideo"),
    ("facebookresearch__c2d_r50", "c2d_r50", 400, ""),
    ("pytorchvideo_hub_pytorchvideo__i3d_r50", "i3d_r50", 400, "pytorchvideo"),
    ("facebookresearch__i3d_r50", "i3d_r50", 400, "PySlowFast"),
    ("open_mmlab__i3d_r50", "i3d_r50_32", 400, "mmaction2"),
    ("pytorchvideo_hub_pytorchvideo__slow_r50", "slow_r50", 400, "pytorchvideo"),
    ("open_mmlab__slowonly_r50_mmaction2", "slow_r50", 400, "mmaction2"),
    ("torchvision__r3d_18", "r3d_18", 400, "torchvision"),
    ("torchvision__mc3_18", "mc3_18", 400, "torchvision"),
    ("torchvision__s3d", "s3d", 400, "torchvision"),
    ("pytorchvideo_hub_pytorchvideo__slowfast_r50", "slowfast_r50_8x8", 400, "pytorchvideo"),
    ("pytorchvideo_hub_pytorchvideo__slowfast_r101", "slowfast_r101_8x8", 400, "pytorchvideo"),
    (
        "pytorchvideo_hub_pytorchvideo__slowfast_16x8_r101_50_50",
        "slowfast_r101_16x8",
        400,
        "pytorchvideo",
    ),
    ("facebookresearch__slowfast_nl_r50", "slowfast_nl_r50_8x8", 400, ""),
    ("facebookresearch__slowfast_nl_r101_16x8", "slowfast_nl_r101_16x8", 400, ""),
    ("open_mmlab__trn_r50_multiscale", "trn_r50", 174, "mmaction2"),
    ("open_mmlab__tsn_r50", "tsn_r50", 400, "mmaction2"),
    ("bryanyzhu__two_stream_vgg_16_spatial", "two_stream_vgg16_spatial", 101, "bryanyzhu"),
    (
        "bryanyzhu__two_stream_vgg_16_temporal_l_10_20_ch",
        "two_stream_vgg16_temporal",
        101,
        "bryanyzhu",
    ),
    ("pytorchvideo_hub_pytorchvideo__x3d_xs", "x3d_xs", 400, "pytorchvideo"),
    ("pytorchvideo_hub_pytorchvideo__x3d_s", "x3d_s", 400, "pytorchvideo"),
    ("pytorchvideo_hub_pytorchvideo__x3d_m", "x3d_m", 400, "pytorchvideo"),
    ("pytorchvideo_hub_pytorchvideo__x3d_l", "x3d_l", 400, "pytorchvideo"),
    ("facebookresearch__x3d_xxl_like", "x3d_xl", 400, ""),
    ("open_mmlab__c2d_r50_mmaction2", "c2d_r50", 400, "mmaction2"),
    ("open_mmlab__slowfast_r50_mmaction2", "slowfast_r50_8x8", 400, "mmaction2"),
    ("open_mmlab__x3d_s_mmaction2", "x3d_s", 400, "mmaction2"),
    ("open_mmlab__x3d_m_mmaction2", "x3d_m", 400, "mmaction2"),
    ("open_mmlab__r2plus1d_r34_mmaction2", "r2plus1d_34", 400, "mmaction2"),
    ("open_mmlab__tsm_r50_nl_embedded_gaussian", "tsm_nl_r50", 400, "mmaction2"),
    ("open_mmlab__tsm_r50_nl_dot", "tsm_nl_r50_dot", 400, "mmaction2"),
    ("open_mmlab__tsm_r50_nl_gaussian", "tsm_nl_r50_gaussian", 400, "mmaction2"),
    ("open_mmlab__slowonly_r50_nl_embedded_gaussian", "slow_nl_r50_embedded", 400, "mmaction2"),
    ("facebookresearch__mvitv2_s", "mvit_v2_s", 400, "PySlowFast"),
    ("open_mmlab__mvitv2_s_mmaction2", "mvit_v2_s", 400, "mmaction2"),
]


@pytest.mark.parametrize(("file", "model", "classes", "source"), FILES, ids=lambda part: str(part))
def test_every_name_is_used_and_every_parameter_filled(file, model, classes, source):
    assert_fills(file, model, classes, source=source)


def test_pytorchvideos_mvit_has_three_matrices_where_others_have_one():
    """It lists its poolings twice, and the second listing is left out."""
    for file, name in (("mvit_base_16x4", "mvit_v1_b"), ("mvit_base_32x3", "mvit_v1_b_32")):
        theirs = read(f"pytorchvideo_hub_pytorchvideo__{file}")
        chosen = card(name).of_source(named(card(name), "pytorchvideo"))
        with without_numbers():
            own = chosen.build(400).state_dict()
        found = {key: tensor.shape for key, tensor in chosen.key_map(theirs).items()}
        assert found == {key: tensor.shape for key, tensor in own.items()}, name
    parts = {f"blocks.3.attn.{part}.bias": torch.full((2,), i) for i, part in enumerate("qkv")}
    joined = chosen.key_map(parts)
    assert {key: t.tolist() for key, t in joined.items()} == {
        "blocks.3.attn.qkv.bias": [0, 0, 1, 1, 2, 2]
    }


def test_mvit_v2_b_of_pyslowfast_has_mmaction2s_parameters():
    """No list of the authors' B is at hand; their names are those of their S."""
    theirs = key_map(
        (r"^backbone\.norm3\.", "norm."),
        (r"^backbone\.patch_embed\.projection\.", "patch_embed.proj."),
        (r"^backbone\.", ""),
        (r"^cls_head\.fc_cls\.", "head.projection."),
    )
    small = theirs(read("open_mmlab__mvitv2_s_mmaction2"))
    assert {name: t.shape for name, t in small.items()} == {
        name: t.shape for name, t in read("facebookresearch__mvitv2_s").items()
    }
    (source,) = card("mvit_v2_b").weights
    found = source.key_map(theirs(read("open_mmlab__mvitv2_b_mmaction2")))
    own = on_meta("mvit_v2_b").state_dict()
    assert {n: t.shape for n, t in found.items()} == {n: t.shape for n, t in own.items()}


def test_kylemins_s3d_numbers_layers_and_says_s_and_t():
    """Under its names (read in its model.py), made of TengdaHan's, whose modules it shares."""
    (source,) = card("s3d").by_hand
    layers = [
        "1a",
        "-",
        "2b",
        "2c",
        "-",
        "3b",
        "3c",
        "-",
        "4b",
        "4c",
        "4d",
        "4e",
        "4f",
        "-",
        "5b",
        "5c",
    ]
    theirs = key_map(
        *((rf"^b\.(Conv|Mixed)_{name}\.", f"base.{i}.") for i, name in enumerate(layers)),
        (r"\.(conv|bn)1\.", r".\1_s."),
        (r"\.(conv|bn)2\.", r".\1_t."),
        (r"^fc\.", "fc.0."),
        drop=(r"^b\.block\d\.",),
    )(read("tengdahan__s3d"))
    theirs["fc.0.weight"] = theirs["fc.0.weight"][:, :, None, None, None]
    assert "base.15.branch2.1.bn_t.running_var" in theirs and "base.2.conv.weight" in theirs
    own = on_meta("s3d").state_dict()
    for before in ("", "module."):  # of nn.DataParallel
        found = source.key_map({before + name: tensor for name, tensor in theirs.items()})
        assert {n: t.shape for n, t in found.items() if n in own} == {
            n: t.shape for n, t in own.items() if n in found
        }
        assert {n for n, t in own.items() if t.is_floating_point()} <= set(found) <= set(own)


def test_our_own_names_pass_unchanged():
    for (name, _), names in MAPS.items():
        own = on_meta(name).state_dict()
        parameters = {key for key, tensor in own.items() if tensor.is_floating_point()}
        assert parameters <= set(names(own)), name


def test_unknown_names_stay_as_they_are():
    for (name, _), names in MAPS.items():
        assert list(names({"of.nobody": torch.zeros(1)})) == ["of.nobody"], name


def test_rules_apply_in_turn_and_dropped_names_are_gone():
    rename = key_map((r"^fc\.", "head."), (r"^head\.", "last."), drop=(r"_index$",))
    assert list(rename({"fc.bias": None, "relative_index": None})) == ["last.bias"]


@pytest.mark.parametrize("size", ["small", "large"])
def test_the_authors_raft_fills_ours(size):
    theirs = read(f"princeton_vl__raft_{size}")
    with without_numbers():
        ours = getattr(raft, f"raft_{size}")().state_dict()
    mapped = raft.PRINCETON_KEY_MAP(theirs)
    assert {name: t.shape for name, t in mapped.items()} == {n: t.shape for n, t in ours.items()}
    assert list(raft.PRINCETON_KEY_MAP(ours)) == list(ours)


def test_factors_of_flow_go_into_the_first_convolution_of_the_publishers_file_alone():
    """MARS's network is fed ±127.5 and two-stream-pytorch's 0.5 / 0.226 for 20 pixels, ours ±1."""
    for file, name, first, factor in (
        ("craston__mars_flow", "mars_flow", "conv1.weight", 127.5),
        (
            "bryanyzhu__two_stream_vgg_16_temporal_l_10_20_ch",
            "two_stream_vgg16_temporal",
            "network.features.0.weight",
            0.5 / 0.226,
        ),
    ):
        (source,) = card(name).by_hand
        theirs = {key: torch.ones(()) for key in read(file)}
        found = source.key_map(theirs)
        assert {float(t) for key, t in found.items() if key != first} == {1.0}, name
        assert float(found[first]) == pytest.approx(factor)
        own = {key: torch.ones(()) for key in on_meta(name).state_dict()}
        assert all(float(t) == 1 for t in source.key_map(own).values()), name


def test_p3ds_file_has_filters_of_images_in_its_last_stage():
    """Under its names, rebuilt from ours by the inverse of ten rules: no list of them is at hand."""
    (source,) = card("p3d_199").by_hand
    rules = (
        (r"^conv1\.0\.", "conv1_custom."),
        (r"^conv1\.1\.", "bn1."),
        (r"^res5(\..*)\.space_time\.space\.0\.", r"layer4\1.conv_normal."),
        (r"^res5(\..*)\.space_time\.space\.1\.", r"layer4\1.bn_normal."),
        *((rf"^res{i + 1}\.", f"layer{i}.") for i in range(1, 5)),
        (r"\.reduce\.0\.", ".conv1."),
        (r"\.reduce\.1\.", ".bn1."),
        (r"\.space_time\.space\.0\.", ".conv2."),
        (r"\.space_time\.space\.1\.", ".bn2."),
        (r"\.space_time\.time\.0\.", ".conv3."),
        (r"\.space_time\.time\.1\.", ".bn3."),
        (r"\.expand\.0\.", ".conv4."),
        (r"\.expand\.1\.", ".bn4."),
        (r"\.shortcut\.", ".downsample."),
    )
    ours = on_meta("p3d_199").state_dict()
    theirs = {
        name: t.squeeze(2) if name.startswith("layer4.") and t.dim() == 5 else t
        for name, t in key_map(*rules)(ours).items()
    }
    assert "layer4.0.conv_normal.weight" in theirs and "layer3.35.conv3.weight" in theirs
    mapped = source.key_map(theirs)
    assert {n: t.shape for n, t in mapped.items()} == {n: t.shape for n, t in ours.items()}


def test_caffe2s_names_are_those_of_pyslowfast():
    """Read in PySlowFast's c2_model_loading.py; what its optimiser kept is left out."""
    blobs = {
        "conv1_w": "stem.0.weight",
        "res_conv1_bn_s": "stem.1.weight",
        "res_conv1_bn_riv": "stem.1.running_var",
        "res4_5_branch2c_bn_rm": "res4.5.conv3.1.running_mean",
        "res2_0_branch1_w": "res2.0.shortcut.0.weight",
        "res3_0_branch1_bn_b": "res3.0.shortcut.1.bias",
        "nonlocal_conv4_3_theta_b": "res4.3.non_local.theta.bias",
        "nonlocal_conv3_1_bn_s": "res3.1.non_local.norm.weight",
        "pred_w": "fc.weight",
        "pred_b": "fc.bias",
    }
    state = dict.fromkeys((*blobs, "pred_w_momentum", "lr"), torch.zeros(1))
    assert list(card("i3d_nl_r50").weights[0].key_map(state)) == list(blobs.values())
    fast = {
        "t_conv1_w": "fast.stem.0.0.weight",
        "t_pool1_subsample_w": "lateral1.conv.0.weight",
        "t_pool1_subsample_bn_s": "lateral1.conv.1.weight",
        "t_res2_2_branch2c_bn_subsample_w": "lateral2.conv.0.weight",
        "t_res4_5_branch2c_bn_subsample_bn_rm": "lateral4.conv.1.running_mean",
        "t_res5_2_branch2b_w": "fast.res5.2.conv2.0.weight",
        "res5_2_branch2b_bn_b": "slow.res5.2.conv2.1.bias",
    }
    found = card("slowfast_r50_8x8").weights[2].key_map(dict.fromkeys(fast, torch.zeros(1)))
    assert list(found) == list(fast.values())
