"""What the course asks of an idea, and the lab-size networks that answer it.

A question has rows that differ in one thing. A row is a lab model as it is, whose training is that of
the main table, or a variation of one: a card named CARD.VARIATION, with another input or another
network, trained in the same way. So

    python -m har_demo.research.training.recognition.run --data PREPARED --ablations frames kernel
    python -m har_demo.research.training.recognition.run --data PREPARED --models mfnet_lab.frames_8

train what is not there yet, and har_demo.research.training.recognition.tables puts it into ablations.csv. What differs in
cost is counted, not stated here.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial

import torch
from torch import nn

from har_demo.models import registry
from har_demo.models.card import ModelCard, WeightSource
from har_demo.models.csn import csn_tiny
from har_demo.models.efficientnet3d import InflatedLite0
from har_demo.models.light import gamma
from har_demo.models.mfnet import mfnet_tiny
from har_demo.models.pyramid import five, mfnet_nl_tiny, mfnet_pnl_tiny
from har_demo.models.video_swin import swin_tiny
from har_demo.profiling import cost
from har_demo.research.training.recognition.imagenet import LITE0, lite0_from_imagenet
from har_demo.research.training.recognition.light import Relit, equalised
from har_demo.research.training.recognition.train import trainable


@dataclass(frozen=True)
class Row:
    """One answer to a question.

    Attributes:
        label: what is different.
        card: of a lab model or of a variation.
        input: what it is shown, as Run.input.
    """

    label: str
    card: ModelCard
    input: str


@dataclass(frozen=True)
class Ablation:
    """One thing that is changed while all else stays.

    Attributes:
        name: an identifier.
        asks: the question, and what a reader must know of its rows.
        rows: in an order that makes sense to read.
    """

    name: str
    asks: str
    rows: tuple[Row, ...]


def _lab(label: str, name: str, input: str | None = None) -> Row:
    """A lab model as it is."""
    card = registry.card(name)
    return Row(label, card, input or card.input.modality)


def _changed(
    label: str,
    name: str,
    build: Callable[[int], nn.Module] | None = None,
    begins_from: tuple[WeightSource, ...] = (),
    **of_input,
) -> Row:
    """A variation of the lab model before the dot: another network, another input of frames, or both."""
    base = registry.card(name.split(".")[0])
    card = replace(
        base,
        name=name,
        input=replace(base.input, modality="rgb", **of_input),
        build=build or base.build,
        weights=begins_from,
        parameters=None,
        gmacs=None,
    )
    return Row(label, card, card.input.modality)


def _relit(light: Callable, classes: int) -> Relit:
    return Relit(mfnet_tiny(classes), light)


_SIXTEEN = {"frames": 16, "fps": 8.0}
_SIXTEEN_AVERAGED = _changed("mean", "tsn_lab.frames_16", **_SIXTEEN)
_PLAIN = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0), "standardise": False}

ABLATIONS: tuple[Ablation, ...] = (
    Ablation(
        "frames",
        "How many frames of the same two seconds are enough? MFNet convolves over time; TSN averages "
        "what it sees in single frames and knows no order.",
        (
            _changed("MFNet, 4 frames", "mfnet_lab.frames_4", frames=4, fps=2.0),
            _changed("MFNet, 8 frames", "mfnet_lab.frames_8", frames=8, fps=4.0),
            _lab("MFNet, 16 frames", "mfnet_lab"),
            _changed("MFNet, 32 frames", "mfnet_lab.frames_32", frames=32, fps=16.0),
            _changed("TSN, 4 frames", "tsn_lab.frames_4", frames=4, fps=2.0),
            _lab("TSN, 8 frames", "tsn_lab", "rgb"),
            replace(_SIXTEEN_AVERAGED, label="TSN, 16 frames"),
        ),
    ),
    Ablation(
        "stride",
        "How far apart should sixteen frames be? In tests windows cover the whole clip, ten at most, and "
        "their answers are averaged: short windows see as much of it, but less at once. Two seconds are "
        "the longest, because rendered clips last 2.4.",
        (
            _lab("8 a second: 2 s", "mfnet_lab"),
            _changed("12.5 a second: 1.3 s", "mfnet_lab.fps_12", fps=12.5),
            _changed("25 a second: 0.6 s", "mfnet_lab.fps_25", fps=25.0),
        ),
    ),
    Ablation(
        "sampling",
        "Eight frames a quarter of a second apart, in windows that cover the clip, or one frame of each "
        "eighth of the whole clip, as TSN proposed?",
        (
            _lab("TSN, dense", "tsn_lab", "rgb"),
            _changed("TSN, segments", "tsn_lab.segments", sampling="segments"),
            _lab("TSM, dense", "tsm_lab"),
            _changed("TSM, segments", "tsm_lab.segments", sampling="segments"),
        ),
    ),
    Ablation(
        "fusion",
        "Where in an image network should frames meet? All have the same image network; early and slow "
        "fusion see ten frames of two seconds, late fusion two frames one second apart.",
        (
            _lab("single frame", "single_frame_lab", "rgb"),
            _lab("late", "late_fusion_lab", "rgb"),
            _lab("early", "early_fusion_lab"),
            _lab("slow", "slow_fusion_lab"),
        ),
    ),
    Ablation(
        "memory",
        "What should become of sixteen frames' features: their mean, their maximum, or a memory that "
        "reads them in order? All have the same image network; the maximum is taken at every place of "
        "its thinned map, the others have one vector a frame.",
        (
            _SIXTEEN_AVERAGED,
            _changed("maximum", "conv_pool_lab.frames_16", **_SIXTEEN),
            _lab("GRU", "gru_lab", "rgb"),
            _lab("LSTM", "lrcn_lab", "rgb"),
        ),
    ),
    Ablation(
        "input",
        "Frames, differences of frames, optical flow, or frames and flow? The same I3D reads each; for "
        "both there are two narrower ones, whose scores are added.",
        (
            _lab("RGB", "i3d_lab"),
            _lab("differences", "i3d_lab", "difference"),
            _lab("flow", "i3d_flow_lab"),
            _lab("RGB and flow", "i3d_two_stream_lab"),
        ),
    ),
    Ablation(
        "differences",
        "Most filters here look at one picture at a time, in which a place is seen and a motion is not. "
        "What is gained when every frame is replaced by its difference from the one before?",
        tuple(
            _lab(f"{system}, {shown}", name, input)
            for system, name in (
                ("single frame", "single_frame_lab"),
                ("late fusion", "late_fusion_lab"),
                ("multiresolution", "multiresolution_lab"),
                ("spatial stream", "spatial_stream_lab"),
                ("TSN", "tsn_lab"),
                ("TRN", "trn_lab"),
                ("GRU", "gru_lab"),
                ("LSTM", "lrcn_lab"),
                ("DB-LSTM", "db_lstm_lab"),
                ("C2D", "c2d_lab"),
                ("C2D-NL", "c2d_nl_lab"),
                ("CGNL", "cgnl_lab"),
                ("CGD", "cgd_lab"),
                ("Swin", "swin_lab"),
            )
            for shown, input in (("frames", "rgb"), ("differences", "difference"))
        ),
    ),
    Ablation(
        "kernel",
        "What should look around in a bottleneck of a 3D residual network? All have eight of "
        "them, of three quarters of ir_csn_lab's width, so that the largest network stays within five "
        "million parameters.",
        (
            _changed(
                "3×3×3",
                "ir_csn_lab.full",
                partial(csn_tiny, preserve=False, width=24, kernel="full"),
            ),
            _changed(
                "(2+1)D",
                "ir_csn_lab.split",
                partial(csn_tiny, preserve=False, width=24, kernel="split"),
            ),
            _changed("ip-CSN", "ip_csn_lab.narrow", partial(csn_tiny, preserve=True, width=24)),
            _changed("ir-CSN", "ir_csn_lab.narrow", partial(csn_tiny, preserve=False, width=24)),
        ),
    ),
    Ablation(
        "non_local",
        "Do non-local blocks help, and does one do?",
        (
            _lab("none", "mfnet_lab"),
            _lab("one", "mfnet_nl_lab"),
            _changed("five", "mfnet_nl_lab.five", partial(mfnet_nl_tiny, places=five)),
        ),
    ),
    Ablation(
        "function",
        "Which function of a pair should the one non-local block have?",
        (
            _lab("embedded Gaussian", "mfnet_nl_lab"),
            *(
                _changed(label, f"mfnet_nl_lab.{name}", partial(mfnet_nl_tiny, function=name))
                for label, name in (
                    ("Gaussian", "gaussian"),
                    ("dot product", "dot_product"),
                    ("concatenation", "concatenation"),
                )
            ),
        ),
    ),
    Ablation(
        "pyramid",
        "Is a pyramid of regions better than the non-local block, and are five better than one?",
        (
            _lab("none", "mfnet_lab"),
            _lab("non-local × 1", "mfnet_nl_lab"),
            _lab("PNL × 1", "mfnet_pnl_lab"),
            _changed("PNL × 5", "mfnet_pnl_lab.five", partial(mfnet_pnl_tiny, places=five)),
        ),
    ),
    Ablation(
        "window",
        "How much time should one window of Video Swin's attention hold? A patch has two frames, and "
        "there are eight along time: windows of one see one moment each, windows of four shift, and "
        "windows of eight see all.",
        (
            _changed(
                "1 × 7 × 7 patches", "swin_lab.window_1", partial(swin_tiny, window=(1, 7, 7))
            ),
            _lab("4 × 7 × 7 patches", "swin_lab"),
            _changed(
                "8 × 7 × 7 patches", "swin_lab.window_8", partial(swin_tiny, window=(8, 7, 7))
            ),
        ),
    ),
    Ablation(
        "light",
        "Does it help in the dark to light clips up, in training and in use? Lab models see views "
        "of mean 0 and deviation 1, to which a clip with all values halved looks the same, but a curve "
        "that lifts the shadows does not.",
        (
            _changed("as filmed", "mfnet_lab.as_filmed", standardise=False),
            _lab("standardised", "mfnet_lab"),
            _changed("gamma, standardised", "mfnet_lab.gamma", partial(_relit, gamma), **_PLAIN),
            _changed(
                "equalised, standardised",
                "mfnet_lab.equalised",
                partial(_relit, equalised),
                **_PLAIN,
            ),
        ),
    ),
    Ablation(
        "inflation",
        "Does it help to begin with filters that an image network learned on ImageNet? EfficientNet-Lite0 "
        "looks at sixteen frames, each by itself, and averages, as TSN does; or its filters are copied "
        "along time, as I3D's are.",
        (
            _changed(
                "frame by frame, from scratch",
                "tsn_lab.lite0",
                partial(InflatedLite0, time=1),
                **_SIXTEEN,
            ),
            _changed(
                "frame by frame, from ImageNet",
                "tsn_lab.lite0_imagenet",
                partial(lite0_from_imagenet, time=1),
                (LITE0,),
                **_SIXTEEN,
            ),
            _changed("inflated, from scratch", "i3d_lab.lite0", InflatedLite0),
            _changed(
                "inflated, from ImageNet", "i3d_lab.lite0_imagenet", lite0_from_imagenet, (LITE0,)
            ),
        ),
    ),
    Ablation(
        "distillation",
        "Does a network of frames learn more from a network of flow than from the labels alone?",
        (
            _changed("labels alone", "mars_lab.alone"),
            _lab("MARS: labels and teacher", "mars_lab"),
            _lab("the teacher, on flow", "mars_flow_lab"),
        ),
    ),
)


@cache
def variants() -> dict[str, ModelCard]:
    """The cards of all variations by name; their parameters and GMACs are not counted yet."""
    rows = [row for question in ABLATIONS for row in question.rows]
    return {row.card.name: row.card for row in rows if is_variation(row.card.name)}


def is_variation(name: str) -> bool:
    """Whether it is CARD.VARIATION."""
    return "." in name


@cache
def card_of(name: str) -> ModelCard:
    """The card of a lab model or, its cost counted, of a variation.

    Raises:
        ChoiceError: there is neither.
    """
    if name not in variants():
        return registry.card(name)
    card = variants()[name]
    with torch.device("meta"):
        network = card.build(len(card.classes))
    return replace(
        card,
        parameters=cost.parameters(network),
        gmacs=round(cost.gmacs(network, *card.input.shapes()), 4),
    )


def can_be_trained(row: Row) -> bool:
    """Whether there is a way to train it yet."""
    return is_variation(row.card.name) or row.card.name in trainable()
