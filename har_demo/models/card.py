"""What a model says of itself: its idea, the input it wants, its classes, cost and weights."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class ModelInput:
    """What one view of a clip must look like before the model sees it.

    A view is `frames` frames taken `fps` per second, resized, cropped, scaled to [0, 1],
    normalised per channel and laid out as float [3, frames, crop height, crop width].

    Attributes:
        frames: frames of one view, T.
        fps: frames per second the model was trained at; sets the default stride on a clip.
        resize: (height, width) in pixels, or one number for the short side, aspect kept.
        crop: (height, width) in pixels, cut from the resized frame.
        mean, std: per RGB channel, for values in [0, 1].
        any_frames: whether the network accepts another number of frames than `frames`.
        modality: 'rgb', or 'difference' for frame t+1 minus frame t (T+1 frames are read).
        antialias: whether resizing filters first; torchvision's video presets do not.
    """

    frames: int
    fps: float
    resize: tuple[int, int] | int
    crop: tuple[int, int]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    any_frames: bool = True
    modality: Literal["rgb", "difference"] = "rgb"
    antialias: bool = False


@dataclass(frozen=True)
class WeightSource:
    """A public file of parameters.

    Attributes:
        url: where it can be fetched.
        sha256: hexadecimal hash, or the leading part of it that the publisher states.
        bytes: size of the download.
        licence: of the code that goes with it; weights rarely state their own.
    """

    url: str
    sha256: str
    bytes: int
    licence: str


@dataclass(frozen=True)
class Accuracy:
    """An accuracy somebody published: percent, on which data, under which protocol, and where."""

    dataset: str
    top1: float
    top5: float | None
    protocol: str
    source: str


@dataclass(frozen=True)
class ModelCard:
    """Everything the project knows of one model; a model file ends with its cards.

    Attributes:
        name: the identifier used by pages, API and command line, such as 'r2plus1d_18'.
        title: the name the field uses, such as 'R(2+1)D-18'.
        family: the field's word for the approach, such as 'Factorised 3D convolution'.
        year, paper, paper_url: first publication.
        idea: one sentence a student understands.
        size: 'paper' for the published configuration, 'lab' for the small one shipped with weights.
        input: what one view must look like.
        label_set: name of the set of classes, such as 'Kinetics-400'.
        classes: class names in the order of the model's outputs.
        build: number of classes → the network with fresh parameters.
        weights: public sources, in order of preference; shipped files are in checkpoints/manifest.json.
        parameters: number of parameters.
        gmacs: multiply-adds of one view at `input`, in 10⁹.
        accuracy: published accuracies of the public weights.
    """

    name: str
    title: str
    family: str
    year: int
    paper: str
    paper_url: str
    idea: str
    size: Literal["paper", "lab"]
    input: ModelInput
    label_set: str
    classes: tuple[str, ...]
    build: "Callable[[int], nn.Module]"
    weights: tuple[WeightSource, ...] = ()
    parameters: int | None = None
    gmacs: float | None = None
    accuracy: tuple[Accuracy, ...] = ()
