"""Public files fill the networks written here: every name used, every parameter filled."""

import pytest
import torch

from har_demo.models.key_map import key_map
from har_demo.models.registry import cards
from tests.networks import on_meta
from tests.test_models.public_keys import assert_fills

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
]


@pytest.mark.parametrize(("file", "model", "classes", "source"), FILES, ids=lambda part: str(part))
def test_every_name_is_used_and_every_parameter_filled(file, model, classes, source):
    assert_fills(file, model, classes, source=source)


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
