"""Ablations: questions that change one thing, and what each answer scored, from results/measured/tiny.csv.

A row of a question is a tiny model as it is, or a variation of one, named MODEL.VARIATION, whose network
or input differs in the one thing; har_demo.research.training.recognition.variants builds and trains it.
The figures are of split a, so that every row was tested on the same clips. A row is the mean over seeds,
with the standard deviation between them where there are two or more.
"""

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

SPLIT = "a"
"""The split whose figures are shown; see har_demo.research.training.groups."""

FIGURES = {
    "rendered": ("rendered", "top1"),
    "weizmann": ("weizmann", "top1"),
    "arid6": ("arid6", "top1"),
    "workout4": ("workout4", "top1"),
    "rendered_order": ("rendered", "order"),
}
"""Column of ablations.csv → test set and metric, in percent."""

COLUMNS = (
    "question",
    "label",
    "model",
    "input",
    "parameters",
    "gmacs",
    "seeds",
    *(column for name in FIGURES for column in (name, f"{name}_spread")),
)
"""Columns of results/measured/ablations.csv."""


@dataclass(frozen=True)
class AblationRow:
    """One answer to a question.

    Attributes:
        label: the thing that differs, for people.
        model: name of a tiny model, or of a variation MODEL.VARIATION.
        input: modality the network reads: 'rgb', 'difference', 'flow' or 'rgb+flow'.
    """

    label: str
    model: str
    input: str


@dataclass(frozen=True)
class Ablation:
    """One thing that is changed while all else stays.

    Attributes:
        name: an identifier.
        question: with everything a reader must know of its rows.
        rows: in an order that makes sense to read.
    """

    name: str
    question: str
    rows: tuple[AblationRow, ...]


ABLATIONS = (
    Ablation(
        "frames",
        "How many frames of the same two seconds are enough? MFNet convolves over time; TSN "
        "averages what it sees in single frames and knows no order.",
        (
            AblationRow("MFNet, 4 frames", "mfnet_lab.frames_4", "rgb"),
            AblationRow("MFNet, 8 frames", "mfnet_lab.frames_8", "rgb"),
            AblationRow("MFNet, 16 frames", "mfnet_lab", "rgb"),
            AblationRow("MFNet, 32 frames", "mfnet_lab.frames_32", "rgb"),
            AblationRow("TSN, 4 frames", "tsn_lab.frames_4", "rgb"),
            AblationRow("TSN, 8 frames", "tsn_lab", "rgb"),
            AblationRow("TSN, 16 frames", "tsn_lab.frames_16", "rgb"),
        ),
    ),
    Ablation(
        "stride",
        "How far apart should sixteen frames be? In tests windows cover the whole clip, ten "
        "at most, and their answers are averaged: short windows see as much of it, but less "
        "at once. Two seconds are the longest, because rendered clips last 2.4.",
        (
            AblationRow("8 a second: 2 s", "mfnet_lab", "rgb"),
            AblationRow("12.5 a second: 1.3 s", "mfnet_lab.fps_12", "rgb"),
            AblationRow("25 a second: 0.6 s", "mfnet_lab.fps_25", "rgb"),
        ),
    ),
    Ablation(
        "sampling",
        "Eight frames a quarter of a second apart, in windows that cover the clip, or one "
        "frame of each eighth of the whole clip, as TSN proposed?",
        (
            AblationRow("TSN, dense", "tsn_lab", "rgb"),
            AblationRow("TSN, segments", "tsn_lab.segments", "rgb"),
            AblationRow("TSM, dense", "tsm_lab", "rgb"),
            AblationRow("TSM, segments", "tsm_lab.segments", "rgb"),
        ),
    ),
    Ablation(
        "fusion",
        "Where in an image network should frames meet? All have the same image network; early "
        "and slow fusion see ten frames of two seconds, late fusion two frames one second "
        "apart.",
        (
            AblationRow("single frame", "single_frame_lab", "rgb"),
            AblationRow("late", "late_fusion_lab", "rgb"),
            AblationRow("early", "early_fusion_lab", "rgb"),
            AblationRow("slow", "slow_fusion_lab", "rgb"),
        ),
    ),
    Ablation(
        "memory",
        "How should the features of sixteen frames be pooled: by their mean, their maximum, or "
        "a recurrent network that reads them in order? All have the same image network; the "
        "maximum is taken at every place of its reduced map, the others have one vector a frame.",
        (
            AblationRow("mean", "tsn_lab.frames_16", "rgb"),
            AblationRow("maximum", "conv_pool_lab.frames_16", "rgb"),
            AblationRow("GRU", "gru_lab", "rgb"),
            AblationRow("LSTM", "lrcn_lab", "rgb"),
        ),
    ),
    Ablation(
        "input",
        "Frames, differences of frames, optical flow, or frames and flow? The same I3D reads "
        "each; for both there are two narrower ones, whose scores are added.",
        (
            AblationRow("RGB", "i3d_lab", "rgb"),
            AblationRow("differences", "i3d_lab", "difference"),
            AblationRow("flow", "i3d_flow_lab", "flow"),
            AblationRow("RGB and flow", "i3d_two_stream_lab", "rgb+flow"),
        ),
    ),
    Ablation(
        "differences",
        "Most filters here look at one picture at a time, in which a place is seen and a "
        "motion is not. What is gained when every frame is replaced by its difference from "
        "the one before?",
        (
            AblationRow("single frame, frames", "single_frame_lab", "rgb"),
            AblationRow("single frame, differences", "single_frame_lab", "difference"),
            AblationRow("late fusion, frames", "late_fusion_lab", "rgb"),
            AblationRow("late fusion, differences", "late_fusion_lab", "difference"),
            AblationRow("multiresolution, frames", "multiresolution_lab", "rgb"),
            AblationRow("multiresolution, differences", "multiresolution_lab", "difference"),
            AblationRow("spatial stream, frames", "spatial_stream_lab", "rgb"),
            AblationRow("spatial stream, differences", "spatial_stream_lab", "difference"),
            AblationRow("TSN, frames", "tsn_lab", "rgb"),
            AblationRow("TSN, differences", "tsn_lab", "difference"),
            AblationRow("TRN, frames", "trn_lab", "rgb"),
            AblationRow("TRN, differences", "trn_lab", "difference"),
            AblationRow("GRU, frames", "gru_lab", "rgb"),
            AblationRow("GRU, differences", "gru_lab", "difference"),
            AblationRow("LSTM, frames", "lrcn_lab", "rgb"),
            AblationRow("LSTM, differences", "lrcn_lab", "difference"),
            AblationRow("DB-LSTM, frames", "db_lstm_lab", "rgb"),
            AblationRow("DB-LSTM, differences", "db_lstm_lab", "difference"),
            AblationRow("C2D, frames", "c2d_lab", "rgb"),
            AblationRow("C2D, differences", "c2d_lab", "difference"),
            AblationRow("C2D-NL, frames", "c2d_nl_lab", "rgb"),
            AblationRow("C2D-NL, differences", "c2d_nl_lab", "difference"),
            AblationRow("CGNL, frames", "cgnl_lab", "rgb"),
            AblationRow("CGNL, differences", "cgnl_lab", "difference"),
            AblationRow("CGD, frames", "cgd_lab", "rgb"),
            AblationRow("CGD, differences", "cgd_lab", "difference"),
            AblationRow("Swin, frames", "swin_lab", "rgb"),
            AblationRow("Swin, differences", "swin_lab", "difference"),
        ),
    ),
    Ablation(
        "kernel",
        "Which convolution should the bottlenecks of a 3D residual network have? All have eight "
        "bottlenecks of three quarters of ir_csn_lab's width, so that the largest network stays "
        "within five million parameters.",
        (
            AblationRow("3×3×3", "ir_csn_lab.full", "rgb"),
            AblationRow("(2+1)D", "ir_csn_lab.split", "rgb"),
            AblationRow("ip-CSN", "ip_csn_lab.narrow", "rgb"),
            AblationRow("ir-CSN", "ir_csn_lab.narrow", "rgb"),
        ),
    ),
    Ablation(
        "non_local",
        "Do non-local blocks help, and does one do?",
        (
            AblationRow("none", "mfnet_lab", "rgb"),
            AblationRow("one", "mfnet_nl_lab", "rgb"),
            AblationRow("five", "mfnet_nl_lab.five", "rgb"),
        ),
    ),
    Ablation(
        "function",
        "Which pairwise function f should the one non-local block have?",
        (
            AblationRow("embedded Gaussian", "mfnet_nl_lab", "rgb"),
            AblationRow("Gaussian", "mfnet_nl_lab.gaussian", "rgb"),
            AblationRow("dot product", "mfnet_nl_lab.dot_product", "rgb"),
            AblationRow("concatenation", "mfnet_nl_lab.concatenation", "rgb"),
        ),
    ),
    Ablation(
        "pyramid",
        "Is a pyramid of regions better than the non-local block, and are five better than one?",
        (
            AblationRow("none", "mfnet_lab", "rgb"),
            AblationRow("non-local × 1", "mfnet_nl_lab", "rgb"),
            AblationRow("PNL × 1", "mfnet_pnl_lab", "rgb"),
            AblationRow("PNL × 5", "mfnet_pnl_lab.five", "rgb"),
        ),
    ),
    Ablation(
        "window",
        "How much time should one window of Video Swin's attention hold? A patch has two "
        "frames, and there are eight along time: windows of one see one moment each, windows "
        "of four shift, and windows of eight see all.",
        (
            AblationRow("1 × 7 × 7 patches", "swin_lab.window_1", "rgb"),
            AblationRow("4 × 7 × 7 patches", "swin_lab", "rgb"),
            AblationRow("8 × 7 × 7 patches", "swin_lab.window_8", "rgb"),
        ),
    ),
    Ablation(
        "light",
        "Does it help in the dark to brighten clips, in training and in use? Tiny models see "
        "views standardised to mean 0 and deviation 1, which undoes halving all values, but not "
        "a gamma curve that lifts the shadows.",
        (
            AblationRow("as filmed", "mfnet_lab.as_filmed", "rgb"),
            AblationRow("standardised", "mfnet_lab", "rgb"),
            AblationRow("gamma, standardised", "mfnet_lab.gamma", "rgb"),
            AblationRow("equalised, standardised", "mfnet_lab.equalised", "rgb"),
        ),
    ),
    Ablation(
        "inflation",
        "Does it help to start from filters that an image network learned on ImageNet? "
        "EfficientNet-Lite0 looks at sixteen frames, each by itself, and averages, as TSN "
        "does; or its filters are copied along time, as I3D's are.",
        (
            AblationRow("frame by frame, from scratch", "tsn_lab.lite0", "rgb"),
            AblationRow("frame by frame, from ImageNet", "tsn_lab.lite0_imagenet", "rgb"),
            AblationRow("inflated, from scratch", "i3d_lab.lite0", "rgb"),
            AblationRow("inflated, from ImageNet", "i3d_lab.lite0_imagenet", "rgb"),
        ),
    ),
    Ablation(
        "distillation",
        "Does a network of frames learn more from a network of flow than from the labels alone?",
        (
            AblationRow("labels alone", "mars_lab.alone", "rgb"),
            AblationRow("MARS: labels and teacher", "mars_lab", "rgb"),
            AblationRow("the teacher, on flow", "mars_flow_lab", "flow"),
        ),
    ),
)


def is_variation(name: str) -> bool:
    """Return whether a name is MODEL.VARIATION."""
    return "." in name


def answers(measured: Iterable[Mapping[str, str]]) -> list[dict]:
    """Return every row of every question, COLUMNS to values, from the rows of tiny.csv.

    Where no run is finished `seeds` is 0 and there are no figures.
    """
    runs: dict[tuple[str, str], list[Mapping[str, str]]] = {}
    for row in measured:
        if row["split"] == SPLIT:
            runs.setdefault((row["model"], row["input"]), []).append(row)
    return [
        {"question": ablation.name, "label": row.label}
        | _answer(row, runs.get((row.model, row.input), []))
        for ablation in ABLATIONS
        for row in ablation.rows
    ]


def _answer(row: AblationRow, own: list[Mapping[str, str]]) -> dict:
    def values(dataset: str, metric: str) -> list[float]:
        return [float(m["value"]) for m in own if (m["dataset"], m["metric"]) == (dataset, metric)]

    answer = {"model": row.model, "input": row.input, "seeds": len({m["seed"] for m in own})}
    if own:
        answer["parameters"] = round(values("", "parameters")[0])
        answer["gmacs"] = values("", "gmacs")[0]
    for name, (dataset, metric) in FIGURES.items():
        figures = values(dataset, metric)
        if figures:
            answer[name] = round(statistics.mean(figures), 1)
        if len(figures) > 1:
            answer[f"{name}_spread"] = round(statistics.stdev(figures), 1)
    return answer
