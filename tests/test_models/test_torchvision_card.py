"""Cards with torchvision's weights say what its enums, its docs and its networks say."""

import pytest
import torch
from torchvision.models import video

from har_demo.models.registry import card as by_name
from har_demo.models.torchvision_card import protocol
from har_demo.profiling.cost import gmacs
from tests.networks import on_meta

NAMES = ("r3d_18", "mc3_18", "s3d", "mvit_v2_s", "swin3d_t", "swin3d_s", "swin3d_b")
BY_NAME = {name: by_name(name) for name in NAMES}
CARDS = tuple(BY_NAME.values())


def _view(card, frames=None):
    return (1, 3, frames or card.input.frames, *card.input.crop)


def test_s3d_at_torchvisions_own_sixteen_frames():
    ops = video.S3D_Weights.KINETICS400_V1.meta["_ops"]
    assert gmacs(on_meta("s3d"), _view(BY_NAME["s3d"], 16)) == pytest.approx(ops, abs=0.001)
    assert ops == pytest.approx(17.98, abs=0.01)


def test_any_frames_is_true():
    for card in CARDS:
        x = torch.empty(_view(card, card.input.frames // 2), device="meta")
        if card.input.any_frames:
            assert on_meta(card.name)(x).shape == (1, 400), card.name
        else:
            with pytest.raises(RuntimeError):
                on_meta(card.name)(x)


def test_only_mvit_is_bound_to_its_frames():
    assert [card.name for card in CARDS if not card.input.any_frames] == ["mvit_v2_s"]


@pytest.mark.parametrize(
    ("name", "fps", "resize", "crop", "clip"),
    [
        ("r3d_18", 15, (128, 171), (112, 112), "16 frames at 15 per second, 5 clips a video"),
        ("mc3_18", 15, (128, 171), (112, 112), "16 frames at 15 per second, 5 clips a video"),
        ("s3d", 15, (256, 256), (224, 224), "128 frames at 15 per second, 1 clip a video"),
        ("mvit_v2_s", 7.5, 256, (224, 224), "16 frames at 7.5 per second, 5 clips a video"),
        ("swin3d_t", 15, 256, (224, 224), "32 frames at 15 per second, 12 clips a video"),
        ("swin3d_s", 15, 256, (224, 224), "32 frames at 15 per second, 12 clips a video"),
        ("swin3d_b", 15, 256, (224, 224), "32 frames at 15 per second, 12 clips a video"),
    ],
)
def test_input_and_protocol_as_documented(name, fps, resize, crop, clip):
    card = BY_NAME[name]
    assert (card.input.fps, card.input.resize, card.input.crop) == (fps, resize, crop)
    assert not card.input.antialias
    accuracy, *_ = card.accuracy
    assert accuracy.dataset == "Kinetics-400"
    assert accuracy.protocol.startswith(clip)
    assert ("scored per clip" in accuracy.protocol) == (name == "s3d")
    assert 60 < accuracy.top1 < accuracy.top5 < 100


def test_the_input_gives_what_torchvisions_transform_gives():
    """Shape and values of a plain clip, which resizing cannot change."""
    frames = torch.full((1, 4, 3, 300, 400), 128, dtype=torch.uint8)
    for card, weights in [
        (BY_NAME["mvit_v2_s"], video.MViT_V2_S_Weights.DEFAULT),
        (BY_NAME["r3d_18"], video.R3D_18_Weights.DEFAULT),
    ]:
        theirs = weights.transforms()(frames)
        assert tuple(theirs.shape[-2:]) == card.input.crop
        ours = (128 / 255 - torch.tensor(card.input.mean)) / torch.tensor(card.input.std)
        torch.testing.assert_close(theirs[0, :, 0, 0, 0], ours)


def test_classes_are_kinetics_in_alphabetical_order():
    for card in CARDS:
        assert card.label_set == "Kinetics-400"
        assert card.classes[0] == "abseiling" and card.classes[-1] == "zumba"
        assert "robot dancing" in card.classes


def test_weights_are_named_by_their_hash_and_hold_the_networks_tensors():
    for card in CARDS:
        source, *_ = card.weights
        assert source.url.endswith(f"-{source.sha256}.pth")
        network = on_meta(card.name)
        # Video Swin's file holds its tables of positions; ours are computed, and so are not saved.
        tensors = (*network.parameters(), *network.buffers())
        assert source.bytes == pytest.approx(sum(t.nbytes for t in tensors), rel=0.02)


def test_swin_b_has_the_accuracy_of_the_weights_it_names():
    assert BY_NAME["swin3d_b"].accuracy[0].top1 == pytest.approx(81.643)
    assert "22k" in BY_NAME["swin3d_b"].weights[0].url


def test_the_protocol_is_found_in_every_enum_torchvision_has():
    for enum in (video.R3D_18_Weights, video.S3D_Weights, video.Swin3D_B_Weights):
        for weights in enum:
            assert "frames at" in protocol(weights)
