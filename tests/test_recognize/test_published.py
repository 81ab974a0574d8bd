"""Every public source is fed as its publisher feeds it: which frames, what size, which part, what scale."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from har_demo.clips import sampling
from har_demo.clips.transforms import crop_corners, resized, transform
from har_demo.errors import ChoiceError
from har_demo.models import registry
from har_demo.models.publishers import MMACTION2, PYTORCHVIDEO
from har_demo.recognize import placing
from har_demo.recognize import plan as planning
from har_demo.recognize.forward import mean_over_crops
from har_demo.recognize.plan import most_lines, plan
from har_demo.recognize.prediction import Request
from har_demo.weights import shipped

COUNT = 300  # frames of a clip of 30 a second

# Kinds of spacing: 'span' cuts a piece of T · rate frames and spreads T over it, ends included
# (pytorchvideo, PySlowFast); 'step' takes every rate-th frame (mmaction2, torchvision and others), at 1.2
# the frame that is on screen in a film of 25 a second; 'segments' takes the centre of T equal parts.
SPACING = {
    "tsn_r50": {
        "mmaction2": ("segments", 8, 0),
        "mmaction2-dense": ("step", 5, 12),
        "mit-han-lab": ("segments", 8, 0),
    },
    "tsn_r101": {"mmaction2": ("segments", 8, 0)},
    "tsm_r50": dict.fromkeys(("mmaction2", "mmaction2-50e", "mit-han-lab"), ("segments", 8, 0))
    | {"mmaction2-dense": ("step", 8, 8)},
    "tsm_nl_r50": {"mmaction2": ("segments", 8, 0)},
    "tsm_nl_r50_dot": {"mmaction2": ("segments", 8, 0)},
    "tsm_nl_r50_gaussian": {"mmaction2": ("segments", 8, 0)},
    "tsm_r50_16": dict.fromkeys(("mmaction2", "mit-han-lab"), ("segments", 16, 0)),
    "tsm_r50_sthv2": {"mmaction2": ("segments", 8, 0)},
    "tsm_r50_16_sthv2": {"mmaction2": ("segments", 16, 0)},
    "trn_r50": {"mmaction2": ("segments", 8, 0)},
    "trn_r50_sthv1": {"mmaction2": ("segments", 8, 0)},
    "c2d_r50": {"pytorchvideo": ("span", 8, 8), "mmaction2": ("step", 8, 8)},
    "i3d_r50": dict.fromkeys(("pytorchvideo", "PySlowFast"), ("span", 8, 8)),
    "i3d_r50_32": {"mmaction2": ("step", 32, 2)},
    "i3d_r50_heavy": {"mmaction2": ("step", 32, 2)},
    "i3d_nl_r50": {"PySlowFast": ("span", 8, 8)},
    "i3d_nl_r50_32": {"mmaction2": ("step", 32, 2)},
    "i3d_nl_r50_32_dot": {"mmaction2": ("step", 32, 2)},
    "i3d_nl_r50_32_gaussian": {"mmaction2": ("step", 32, 2)},
    "slow_r50": {
        "pytorchvideo": ("span", 8, 8),
        "mmaction2": ("step", 8, 8),
        "mmaction2-scratch": ("step", 8, 8),
        "mmaction2-4x16": ("step", 4, 16),
        "PySlowFast": ("span", 8, 8),
    },
    "slow_r101": {"mmaction2": ("step", 8, 8)},
    "slow_nl_r50_embedded": {"mmaction2": ("step", 8, 8), "mmaction2-4x16": ("step", 4, 16)},
    "slowfast_r50_8x8": {
        "pytorchvideo": ("span", 32, 2),
        "mmaction2": ("step", 32, 2),
        "PySlowFast": ("span", 32, 2),
    },
    "slowfast_r101_8x8": {"pytorchvideo": ("span", 32, 2), "mmaction2": ("step", 32, 2)},
    "slowfast_r101_16x8": {"pytorchvideo": ("span", 64, 2)},
    "r2plus1d_r50": {"pytorchvideo": ("span", 16, 4)},
    "r2plus1d_18": {"torchvision": ("step", 16, 2)},
    "r2plus1d_34": {
        "ig65m-pytorch": ("step", 32, 1),
        "ig65m-pytorch-8": ("step", 8, 1),
        "mmaction2": ("step", 32, 2),
        "mmaction2-8x8": ("step", 8, 8),
    },
    "r3d_18": {"torchvision": ("step", 16, 2)},
    "mc3_18": {"torchvision": ("step", 16, 2)},
    "s3d": {"torchvision": ("step", 64, 2), "kylemin": ("step", 64, 1.2)},
    "mvit_v1_b": {"torchvision": ("step", 16, 4), "pytorchvideo": ("span", 16, 4)},
    "mvit_v1_b_32": {"pytorchvideo": ("span", 32, 3)},
    "mvit_v2_s": {
        "torchvision": ("step", 16, 4),
        "PySlowFast": ("span", 16, 4),
        "mmaction2": ("step", 16, 4),
    },
    "mvit_v2_b": {"PySlowFast": ("span", 32, 3)},
    "ir_csn_101": {"pytorchvideo": ("span", 32, 2)},
    "ir_csn_50": {"mmaction2": ("step", 32, 2)},
    "ir_csn_152": dict.fromkeys(
        (
            "mmaction2",
            "mmaction2-ig65m",
            "mmaction2-ig65m-frozen",
            "mmaction2-sports1m",
            "VMZ-ig65m",
            "VMZ-sports1m",
        ),
        ("step", 32, 2),
    ),
    "ip_csn_152": dict.fromkeys(
        ("mmaction2", "mmaction2-ig65m", "mmaction2-sports1m", "VMZ-ig65m", "VMZ-sports1m"),
        ("step", 32, 2),
    ),
    "x3d_xs": dict.fromkeys(("pytorchvideo", "PySlowFast"), ("span", 4, 12)),
    "x3d_s": dict.fromkeys(("pytorchvideo", "PySlowFast", "mmaction2"), ("span", 13, 6)),
    "x3d_m": dict.fromkeys(("pytorchvideo", "PySlowFast", "mmaction2"), ("span", 16, 5)),
    "x3d_l": dict.fromkeys(("pytorchvideo", "PySlowFast"), ("span", 16, 5)),
    "swin3d_t": dict.fromkeys(("torchvision", "authors", "mmaction2"), ("step", 32, 2)),
    "swin3d_s": dict.fromkeys(("torchvision", "authors", "mmaction2"), ("step", 32, 2)),
    "swin3d_b": dict.fromkeys(
        ("torchvision", "torchvision-1k", "authors", "authors-1k", "mmaction2"), ("step", 32, 2)
    ),
    "swin3d_b_sthv2": {"authors": ("segments", 32, 0)},
    "swin3d_l": {"mmaction2": ("step", 32, 2)},
    "c3d": {"mmaction2": ("step", 16, 1.2)},
    "c3d_sports1m": dict.fromkeys(("mmaction2", "DavideA"), ("step", 16, 1.2)),
    "i3d": {"pytorch-i3d": ("step", 64, 1.2)},
    "i3d_flow": {"pytorch-i3d": ("step", 65, 1.2)},  # a field needs the frame after, too
    "i3d_two_stream": {"pytorch-i3d": ("step", 65, 1.2)},
    "mars": {"craston": ("step", 16, 1.2)},
    "mars_64": {"craston": ("step", 64, 1.2)},
    "mars_flow": {"craston": ("step", 17, 1.2)},
    "two_stream_vgg16_spatial": {"bryanyzhu": ("step", 1, 1.2)},
    "two_stream_vgg16_temporal": {"bryanyzhu": ("step", 11, 1.2)},
    "mfnet": {"cypw": ("step", 16, 2)},
    "p3d_199": {"qijiezhao": ("step", 16, 1.2)},
}


@pytest.fixture
def film(clip):
    return replace(clip, frames=COUNT, fps=30.0)


@pytest.fixture
def without_views(monkeypatch):
    """I3D looks at shorter windows than it was trained with unless it is asked otherwise."""
    real = registry.card
    monkeypatch.setattr(planning.registry, "card", lambda name: replace(real(name), views=None))


def test_each_source_has_a_row_and_its_frames_are_the_publishers(film, without_views):
    sources = {
        name: {source.name for source in card.sources}
        for name, card in registry.cards().items()
        if card.sources
    }
    assert sources == {name: set(rows) for name, rows in SPACING.items()}
    for name, rows in SPACING.items():
        for source, (kind, frames, rate) in rows.items():
            found = plan(film, Request(name, source=source, windows=1)).indices[0]
            first = int(found[0])
            if kind == "span":
                wanted = torch.linspace(first, first + frames * rate - 1, frames).long().numpy()
            elif kind == "step":
                wanted = np.floor(first + np.arange(frames) * rate + 1e-6)
            else:
                wanted = np.floor((np.arange(frames) + 0.5) * COUNT / frames)
            assert found.tolist() == wanted.tolist(), (name, source)


@pytest.mark.parametrize("fps", [24.0, 25.0, 29.97])
def test_a_span_keeps_its_length_in_seconds_at_other_rates(film, fps):
    """As pytorchvideo: decode frames · rate / 30 seconds, then spread the frames over what came."""
    found = plan(replace(film, fps=fps), Request("x3d_xs", windows=1)).indices[0]
    decoded = 4 * 12 / 30 * fps
    assert (found - found[0]).tolist() == torch.linspace(0, decoded - 1, 4).long().tolist()


def test_windows_begin_where_each_publishers_test_begins_them():
    """Worked out by hand from SampleFrames, get_start_end_idx and UniformClipSampler, 300 frames."""
    mmaction2 = sampling.windows(300, 32, 2, 10, "mmaction2")
    assert mmaction2[:, 0].tolist() == np.round(np.arange(10) * 237 / 9).tolist()
    assert sampling.windows(300, 32, 2, 1, "mmaction2")[0, 0] == 237 // 2
    assert sampling.windows(20, 16, 2, 1, "mmaction2")[0].tolist() == [
        i * 2 % 20 for i in range(16)
    ]

    stride = (8 * 8 - 1) / 7
    pyslowfast = sampling.windows(300, 8, stride, 10, "pyslowfast")
    for number, window in enumerate(pyslowfast):
        start = (300 - 64) * number / 10
        assert window.tolist() == torch.linspace(start, start + 63, 8).long().tolist()

    torchvision = sampling.windows(300, 16, 2, 5, "torchvision")
    starts = torch.linspace(0, 150 - 16, 5).long()  # clips of a film of 15 a second
    assert torchvision[:, 0].tolist() == (2 * starts).tolist()


def test_windows_of_tsm_and_of_pyslowfast_with_offsets_begin_where_theirs_do():
    """Worked out by hand from DenseSampleFrames and from get_start_end_idx with use_offset, 300 frames."""

    def found(count, *way):
        return placing.indices(count, sampling.Sampling("dense", *way))

    offset = found(300, 16, 63 / 15, 5, "pyslowfast-offset")
    assert offset[:, 0].tolist() == [0, 59, 118, 177, 236]  # 236 // 4
    assert found(300, 16, 63 / 15, 1, "pyslowfast-offset")[0, 0] == 118

    tsm = found(300, 8, 8.0, 10, "tsm")  # pieces of 64 frames
    assert tsm[:, 0].tolist() == np.linspace(0, 236, 10, dtype=int).tolist()
    assert (np.diff(tsm, axis=1) == 8).all()
    assert found(20, 8, 8.0, 2, "tsm").tolist() == [[0, 8, 16, 4, 12, 0, 8, 16]] * 2


def test_as_published_places_windows_as_the_source_does(film):
    tsm = plan(film, Request("tsm_r50", source="mmaction2-dense", crops=None, published=True))
    assert tsm.indices.shape == (10, 8) and tsm.indices[-1, 0] == 236 and tsm.crops == 10
    mvit = plan(film, Request("mvit_v2_s", source="PySlowFast", crops=None, published=True))
    assert mvit.indices[:, 0].tolist() == [0, 59, 118, 177, 236] and mvit.crops == 1


def test_the_second_look_at_segments_takes_their_starts():
    twice = sampling.indices(80, sampling.Sampling("segments", 8, windows=2, placing="mmaction2"))
    assert twice.tolist() == [list(range(5, 80, 10)), list(range(0, 80, 10))]


def test_sizes_and_corners_are_rounded_as_each_publisher_rounds():
    for geometry, size in (("torchvision", 341), ("pytorchvideo", 341), ("mmaction2", 342)):
        assert resized(256, 427, 320, geometry)[1] == size  # 341.6
    assert resized(256, 320, 427, "mmaction2") == (342, 256)
    corners = {  # 31 and 33 pixels are left over
        "torchvision": [(16, 0), (16, 16), (16, 33)],
        "mmaction2": [(15, 0), (15, 16), (15, 32)],
        "pytorchvideo": [(16, 0), (16, 17), (16, 33)],
    }
    for geometry, wanted in corners.items():
        spec = replace(MMACTION2, geometry=geometry)
        assert crop_corners(spec, (255, 257), 3) == wanted, geometry
        assert crop_corners(spec, (255, 257), 1) == wanted[1:2]


def test_ten_crops_are_the_corners_and_the_centre_each_followed_by_its_mirror_image():
    spec = replace(MMACTION2, resize=(8, 12), crop=(4, 4), mean=(0,) * 3, std=(1 / 255,) * 3)
    frame = np.arange(96, dtype=np.uint8).reshape(1, 8, 12, 1).repeat(3, axis=3)
    views = transform(frame, spec, crops=10)
    plain = [(0, 0), (0, 8), (4, 0), (4, 8), (2, 4)]
    for place, (top, left) in enumerate(plain):
        cut = frame[0, top : top + 4, left : left + 4, 0].astype(np.float32)
        assert np.allclose(views[2 * place, 0, 0].numpy(), cut, atol=1e-4)
        assert np.allclose(views[2 * place + 1, 0, 0].numpy(), cut[:, ::-1], atol=1e-4)


def test_pixels_are_the_publishers_in_order_range_and_scale():
    """A reddish frame, as mmaction2 (0 to 255) and as pytorchvideo (0 to 1) normalise it, RGB first."""
    colour = np.array([200, 100, 50])
    frame = np.broadcast_to(colour, (1, 300, 400, 3)).astype(np.uint8)
    theirs = {
        "mmaction2": (colour - [123.675, 116.28, 103.53]) / [58.395, 57.12, 57.375],
        "pytorchvideo": (colour / 255 - 0.45) / 0.225,
    }
    for spec in (MMACTION2, PYTORCHVIDEO):
        found = transform(frame, spec)[0, 0]
        assert found.shape == (3, 224, 224)
        wanted = torch.tensor(theirs[spec.geometry], dtype=torch.float32).view(3, 1, 1)
        torch.testing.assert_close(found, wanted.expand_as(found), atol=1e-5, rtol=0)


def test_files_of_vmz_and_of_mmactions_own_training_are_normalised_apart():
    card = registry.card("ir_csn_152")
    means = {source.name: round(source.input.mean[0] * 255, 2) for source in card.weights}
    assert means["mmaction2"] == means["mmaction2-sports1m"] == 110.2
    assert means["mmaction2-ig65m"] == means["mmaction2-ig65m-frozen"] == 123.67


def test_as_published_takes_windows_crops_size_and_precision_of_the_source(film):
    one = plan(film, Request("slow_r50", crops=None, published=True))
    assert one.indices.shape == (10, 8) and one.crops == 3 and one.float32
    assert one.card.input.crop == (256, 256) and one.card.input.resize == 256
    assert one.card.gmacs == pytest.approx(registry.card("slow_r50").gmacs * (256 / 224) ** 2)
    four = plan(film, Request("slow_r50", source="mmaction2-4x16", crops=None, published=True))
    assert four.indices.shape == (10, 4) and four.card.input.geometry == "mmaction2"
    ten = plan(film, Request("tsn_r50", crops=None, published=True))
    assert ten.indices.shape == (1, 25) and ten.crops == 10 and ten.mean_of == "logits"
    assert plan(film, Request("tsm_r50_sthv2", crops=None, published=True)).indices.shape == (2, 8)
    own = plan(film, Request("slow_r50", published=True, windows=2, crops=1, side=224))
    assert own.indices.shape == (2, 8) and own.crops == 1 and own.card.input.crop == (224, 224)


def test_what_a_source_does_not_state_cannot_be_run(film):
    with pytest.raises(ChoiceError, match=r"R\(2\+1\)D-34 was measured is not published"):
        plan(film, Request("r2plus1d_34", crops=None, published=True))
    with pytest.raises(
        ChoiceError, match="no weights from 'nobody': choose pytorchvideo, mmaction2"
    ):
        plan(film, Request("slow_r50", source="nobody"))
    with pytest.raises(ChoiceError, match="112 × 112 pixels and no others"):
        plan(film, Request("c3d", side=128))
    with pytest.raises(ChoiceError, match="whole number from 32 to 1024, not 3"):
        plan(film, Request("slow_r50", side=3))


def test_a_copy_needs_the_lines_of_the_largest_model_that_is_asked(film):
    asked = [Request("x3d_xs"), Request("x3d_l"), Request("slow_r50", side=512)]
    assert [most_lines([one]) for one in asked] == [182, 356, 512]
    assert most_lines(asked) == 512
    large = replace(film, source=replace(film.source, width=1920, height=1080))
    assert "was enlarged to the 356" in plan(large, Request("x3d_l")).note
    assert plan(film, Request("x3d_l")).note == ""  # the film itself has no more


def test_the_mean_of_logits_is_the_softmax_of_their_mean():
    logits = torch.randn(4, 10, 7, generator=torch.Generator().manual_seed(0)) * 3
    found = mean_over_crops(logits.softmax(-1), "logits")
    torch.testing.assert_close(found, logits.mean(1).softmax(-1))
    plain = mean_over_crops(logits.softmax(-1), "probabilities")
    torch.testing.assert_close(plain, logits.softmax(-1).mean(1))


def test_every_source_says_whose_it_is_and_what_it_may_be_used_for():
    for name, card in registry.cards().items():
        names = [source.name for source in card.sources]
        assert all(names) and len(set(names)) == len(names), name
        for source in card.sources:
            assert source.url.startswith("http") and source.licence and source.bytes > 10**6, name
            for accuracy in source.accuracy:
                assert accuracy in card.accuracy and accuracy.protocol and accuracy.source, name
        if card.weights and name not in ("r2plus1d_34", "c3d_sports1m"):
            assert card.weights[0].accuracy and card.weights[0].protocol, name
        assert not (card.sources and shipped.has(name)), name
