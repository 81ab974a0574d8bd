"""Every variation is a small network that differs from its lab model in what it says, and in nothing else."""

from dataclasses import fields, replace
from functools import cache

import pytest
import torch

from har_demo.errors import ChoiceError
from har_demo.labels import EVERYDAY
from har_demo.models import registry
from har_demo.models.light import gamma
from har_demo.models.non_local import NonLocal
from har_demo.models.pyramid import PyramidNonLocal
from har_demo.models.r2plus1d import Conv2Plus1D
from har_demo.models.video_swin import WindowAttention
from har_demo.research.training.recognition import variants as module
from har_demo.research.training.recognition.augment import draw_windows
from har_demo.research.training.recognition.data import footage
from har_demo.research.training.recognition.figures import FPS, FRAMES
from har_demo.research.training.recognition.light import equalised
from har_demo.research.training.recognition.report import measure, start_of
from har_demo.research.training.recognition.train import LOSSES, Run, draw, trainable
from har_demo.research.training.recognition.variants import card_of, variants
from har_demo.tables.ablations import ABLATIONS, is_variation

pytestmark = pytest.mark.nightly

NAMES = sorted(variants())
OF_INPUT = {
    "mfnet_lab.frames_4": {"frames": 4, "fps": 2.0},
    "mfnet_lab.frames_8": {"frames": 8, "fps": 4.0},
    "mfnet_lab.frames_32": {"frames": 32, "fps": 16.0},
    "tsn_lab.frames_4": {"frames": 4, "fps": 2.0},
    "tsn_lab.frames_16": {"frames": 16, "fps": 8.0},
    "conv_pool_lab.frames_16": {"frames": 16, "fps": 8.0},
    "mfnet_lab.fps_12": {"fps": 12.5},
    "mfnet_lab.fps_25": {"fps": 25.0},
    "tsn_lab.segments": {"sampling": "segments"},
    "tsm_lab.segments": {"sampling": "segments"},
    "mfnet_lab.as_filmed": {"standardise": False},
    "mars_lab.alone": {},
}
LIT = {"mfnet_lab.gamma": gamma, "mfnet_lab.equalised": equalised}
OF_NETWORK = set(NAMES) - set(OF_INPUT) - set(LIT)
FRAME_BY_FRAME = {"tsn_lab.lite0", "tsn_lab.lite0_imagenet"}


@cache
def _built(build):
    with torch.device("meta"):
        return build(len(EVERYDAY)).eval()


def _network(name):
    return _built(card_of(name).build)


def _shapes(network, but=""):
    """Shapes of parameters and buffers by name, without those whose name holds `but`."""
    state = network.state_dict().items()
    return {name: tuple(v.shape) for name, v in state if not but or but not in name}


def _differences(name):
    """From the lab model on frames: all variations are shown those, also of what is shipped on differences."""
    card = card_of(name).input
    base = replace(registry.card(name.split(".")[0]).input, modality="rgb")
    named = (field.name for field in fields(card))
    return {n: getattr(card, n) for n in named if getattr(card, n) != getattr(base, n)}


def test_it_is_small_and_gives_one_score_a_class():
    for name in NAMES:
        card = card_of(name)
        assert card.parameters <= 5_000_000, name
        assert card.size == "tiny", name
        views = [torch.empty(shape, device="meta") for shape in card.input.shapes(batch=2)]
        assert _network(name)(*views).shape == (2, len(EVERYDAY)), name


def test_a_rendered_clip_is_long_enough(protocol):
    """No window, unless it is sped up, runs past the end, where the last frame stands still."""
    for name in [n for n in NAMES if "segments" not in n]:
        spec = card_of(name).input
        clip = torch.zeros(FRAMES, 3, 4, 4, dtype=torch.uint8)
        source = footage([clip], [FPS], [EVERYDAY.index("walking")], [1.0])
        clips, calm = torch.zeros(20, dtype=torch.long), replace(protocol, speed=1.0)
        positions, _ = draw_windows(source, clips, spec.frames_read, spec.fps, calm)
        assert (positions.diff(dim=1) > 0).all(), name


def test_another_input_for_the_same_network():
    for name in sorted(OF_INPUT):
        base = name.split(".")[0]
        assert _differences(name) == OF_INPUT[name], name
        assert card_of(name).build is registry.card(base).build, name
        seconds = card_of(name).input.frames / card_of(name).input.fps
        assert (seconds == 2.0) == ("fps_" not in name), name


def test_another_network_for_the_same_input():
    for name in sorted(OF_NETWORK):
        sixteen = OF_INPUT["tsn_lab.frames_16"]  # as many as the inflated ones beside them see
        assert _differences(name) == (sixteen if name in FRAME_BY_FRAME else {}), name
        assert card_of(name).build is not registry.card(name.split(".")[0]).build, name


def test_lit_clips_for_the_same_network(protocol):
    for name in sorted(LIT):
        assert _differences(name) == module._PLAIN, name
        network = _network(name)
        assert network.light is LIT[name], name
        assert _shapes(network.network) == _shapes(_network("mfnet_lab")), name
        clips = footage(
            [torch.full((30, 3, 20, 20), 50, dtype=torch.uint8)] * 2, [25.0] * 2, [0, 1], [1.0, 1.0]
        )
        (seen,), _ = draw(replace(card_of(name).input, crop=(8, 8)), [(clips, 2)], protocol)
        assert seen.min() >= 0, name  # what light takes: plain values
        assert seen.max() <= 1, name


def test_bottlenecks_differ_in_what_looks_around_alone():
    full, split, ip, ir = (
        _network(name)
        for name in (
            "ir_csn_lab.full",
            "ir_csn_lab.split",
            "ip_csn_lab.narrow",
            "ir_csn_lab.narrow",
        )
    )

    def around(network):
        return {n: s for n, s in _shapes(network, ".depthwise.").items() if ".interact." not in n}

    assert around(full) == around(split) == around(ip) == around(ir)
    assert _shapes(ip, ".interact.") == _shapes(ir)
    for one in full.layer4:
        assert one.depthwise.weight.shape[1:] == (one.depthwise.in_channels, 3, 3, 3)
    assert isinstance(split.layer4[0].depthwise, Conv2Plus1D)
    assert ir.layer4[0].depthwise.groups == ir.layer4[0].depthwise.in_channels
    counted = [sum(p.numel() for p in network.parameters()) for network in (full, split)]
    assert counted[0] == pytest.approx(counted[1], rel=2e-3)
    # Time shrinks alike: the same map before the mean.
    for network in (full, split):
        maps = network.layer2(torch.empty(1, 96, 8, 14, 14, device="meta"))
        assert maps.shape == (1, 192, 4, 7, 7)


@pytest.mark.parametrize(
    ("name", "kind", "one"),
    [
        ("mfnet_nl_lab.five", NonLocal, "mfnet_nl_lab"),
        ("mfnet_pnl_lab.five", PyramidNonLocal, "mfnet_pnl_lab"),
    ],
)
def test_five_blocks_where_one_was_and_in_four_more_places(name, kind, one):
    def blocks(network):
        return [m for m in network.modules() if isinstance(m, kind)]

    five = _network(name)
    assert len(blocks(five)) == 5
    assert _shapes(blocks(five)[-1]) == _shapes(blocks(_network(one))[0])
    rest = [unit for unit in (*five.conv3, *five.conv4) if not isinstance(unit, kind)]
    plain = _network("mfnet_lab")
    for unit, other in zip(rest, (*plain.conv3, *plain.conv4), strict=True):
        assert _shapes(unit) == _shapes(other)


def test_functions_of_a_pair():
    for function in ["gaussian", "dot_product", "concatenation"]:
        block, other = (
            _network(f"mfnet_nl_lab.{function}").conv4[5],
            _network("mfnet_nl_lab").conv4[5],
        )
        assert (block.function, other.function) == (function, "embedded_gaussian"), function
        assert (block.pool.kernel_size, block.pool_first) == (other.pool.kernel_size, True), (
            function
        )
        assert _shapes(_network(f"mfnet_nl_lab.{function}"), "conv4.5.") == _shapes(
            _network("mfnet_nl_lab"), "conv4.5."
        ), function


def test_windows_of_attention():
    for moments in [1, 8]:
        network = _network(f"swin_lab.window_{moments}")
        windows = {m.window for m in network.modules() if isinstance(m, WindowAttention)}
        assert windows == {(moments, 7, 7)}, moments
        assert _shapes(network, "bias_table") == _shapes(_network("swin_lab"), "bias_table"), (
            moments
        )


def test_every_parameter_learns():
    for name in sorted(n for n in OF_NETWORK | set(LIT) if "_imagenet" not in n):
        torch.manual_seed(0)
        network = card_of(name).build(3).train()
        network(torch.rand(2, 3, 4, 32, 32)).square().sum().backward()
        assert not [n for n, p in network.named_parameters() if p.grad is None], name
        assert all(p.grad.isfinite().all() for p in network.parameters()), name


@pytest.mark.parametrize(("name", "moments"), [("tsn_lab.lite0", 1), ("i3d_lab.lite0", 3)])
def test_one_of_two_image_networks_begins_from_imagenet(name, moments, tmp_path):
    started = f"{name}_imagenet"
    scratch, filled = _network(name), _network(started)
    assert _shapes(scratch) == _shapes(filled)
    assert scratch.trunk[1].around.conv.kernel_size == (moments, 3, 3)
    assert start_of(card_of(name)) == "scratch"
    assert start_of(card_of(started)) == "ImageNet"
    assert all(start_of(card) == "scratch" for card in trainable().values())
    run = Run(started, "rgb", 0)
    rows = measure(filled, card_of(run.model), run, {}, tmp_path)
    assert [(r["start"], r["metric"]) for r in rows] == [
        ("ImageNet", "parameters"),
        ("ImageNet", "gmacs"),
    ]


def test_variations_learn_from_labels_and_no_other_loss_of_a_lab_model_gets_lost():
    assert not set(LOSSES) & set(NAMES)
    bases = {name.split(".")[0] for name in NAMES if name != "mars_lab.alone"}
    assert not set(LOSSES) & bases


def test_every_variation_is_a_row_of_a_question_and_every_row_has_a_card():
    rows = [row for ablation in ABLATIONS for row in ablation.rows]
    assert {row.model for row in rows if is_variation(row.model)} == set(variants())
    assert set(variants()).isdisjoint(registry.cards())
    for row in rows:  # what varies a network or its frames is shown frames
        assert row.input == "rgb" or not is_variation(row.model)
        assert card_of(row.model).name == row.model


def test_a_lab_model_is_its_own_card_and_an_unknown_name_is_refused():
    assert card_of("mfnet_lab") is registry.card("mfnet_lab")
    with pytest.raises(ChoiceError, match=r"mfnet_lab\.frames_5"):
        card_of("mfnet_lab.frames_5")


def test_cost_is_counted():
    four, all_of_them = card_of("mfnet_lab.frames_4"), registry.card("mfnet_lab")
    assert four.parameters == all_of_them.parameters
    assert four.gmacs == pytest.approx(all_of_them.gmacs / 4, rel=1e-3)
    assert variants()["mfnet_lab.frames_4"].gmacs is None


def test_what_reads_flow_waits_until_there_is_a_way_to_train_it(monkeypatch):
    rows = {row.model: row for ablation in ABLATIONS for row in ablation.rows}
    assert module.can_be_trained(rows["mfnet_lab.gamma"])
    assert module.can_be_trained(rows["mars_lab.alone"])
    assert all(module.can_be_trained(rows[n]) == (n in trainable()) for n in rows if "." not in n)
    monkeypatch.setattr(module, "trainable", dict)
    assert not module.can_be_trained(rows["mfnet_lab"])
