"""Specification of a model: its idea, input, classes, cost and weights."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import nn

    from .key_map import KeyMap


@dataclass(frozen=True)
class ModelInput:
    """Preprocessing of one view of a clip: frames, size, crop and scale of what the network is given.

    A view is `frames` frames taken `fps` per second (or spread over the whole clip), resized, cropped,
    scaled to [0, 1], normalised per channel and laid out as float [3, frames, crop height, crop width].
    Optical flow is laid out as float [2, frames, crop height, crop width], right and down, clipped to
    ±`flow_limit` pixels and divided by it.

    Attributes:
        frames: frames of one view, T.
        fps: frames per second the model was trained at; sets the default stride on a clip. Where flow
            is read it is flow's rate, and one RGB frame goes with every flow_frames / frames fields.
        sampling: 'dense' frames at a fixed distance, or 'segments': the centre of each of `frames`
            equal parts of the clip.
        resize: (height, width) in pixels, or one number for the short side, aspect kept.
        crop: (height, width) in pixels, cut from the resized frame.
        mean, std: per RGB channel, for values in [0, 1].
        any_frames: whether the network accepts another number of frames than `frames`.
        modality: 'rgb'; 'difference' for frame t+1 minus frame t (T+1 frames are read); 'flow'; or
            'rgb+flow' for networks of two inputs.
        flow_frames: fields of optical flow in one view of 'flow' (then equal to `frames`) or 'rgb+flow'.
        flow_limit: pixels of displacement that become 1.
        flow_method: what computed the flow that its weights were trained on.
        antialias: whether resizing filters first; torchvision's video presets do not.
        standardise: whether each view of frames is brought to mean 0 and deviation 1 per channel at
            last, so that a dark clip, whose frame differences are faint, looks like a bright one.
            Flow never is: how fast things move means something.
    """

    frames: int
    fps: float
    resize: tuple[int, int] | int
    crop: tuple[int, int]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    any_frames: bool = True
    modality: Literal["rgb", "difference", "flow", "rgb+flow"] = "rgb"
    antialias: bool = False
    standardise: bool = False
    sampling: Literal["dense", "segments"] = "dense"
    flow_frames: int = 0
    flow_limit: float = 20.0
    flow_method: str = "TV-L1"

    @property
    def frames_read(self) -> int:
        """Number of frames of a clip that one view is made from: a difference needs the frame after, too."""
        read = {"rgb": self.frames, "difference": self.frames + 1}
        return read.get(self.modality, self.flow_frames + 1)

    @property
    def pictures(self) -> tuple[int, ...]:
        """Indices, among the frames read, of those given to the network as RGB or as differences.

        >>> ModelInput(2, 25, 256, (224, 224), MEAN, STD, modality="rgb+flow", flow_frames=20).pictures
        (5, 15)
        """
        if self.modality == "flow":
            return ()
        if self.modality == "rgb+flow":  # each the middle one of its fields
            fields = self.flow_frames // self.frames
            return tuple(range(fields // 2, self.flow_frames, fields))
        return tuple(range(self.frames_read))

    def shapes(self, batch: int = 1) -> tuple[tuple[int, ...], ...]:
        """Shape of each tensor the network is given for `batch` views: RGB first, then flow.

        >>> ModelInput(1, 25, 256, (224, 224), MEAN, STD, modality="rgb+flow", flow_frames=10).shapes()
        ((1, 3, 1, 224, 224), (1, 2, 10, 224, 224))
        """
        rgb = (batch, 3, self.frames, *self.crop)
        flow = (batch, 2, self.flow_frames, *self.crop)
        return {"flow": (flow,), "rgb+flow": (rgb, flow)}.get(self.modality, (rgb,))


@dataclass(frozen=True)
class ViewDefaults:
    """Sampling of a request that leaves it open, where the one of training would keep people waiting.

    Attributes:
        frames: frames per window.
        fps: frames per second.
        windows: how many, spread over the clip; more of a long one (har_demo.recognize.plan).
    """

    frames: int
    fps: float
    windows: int


@dataclass(frozen=True)
class Source:
    """A public file of parameters.

    Attributes:
        url: where it can be fetched.
        sha256: hexadecimal hash, or the leading part of it that the publisher states; '' where none
            is stated.
        bytes: size of the download; where nobody states it, that of the parameters.
        licence: of the code that goes with it; weights rarely state their own.
    """

    url: str
    sha256: str
    bytes: int
    licence: str


@dataclass(frozen=True)
class PackageSource:
    """A file of parameters inside a package on the package index, as a pickle of numpy arrays.

    Attributes:
        package, version: what pip calls it.
        archive: name of the package's .tar.gz.
        sha256, bytes: of the archive.
        file: the pickle's path inside the archive.
        file_sha256, file_bytes: of the pickle.
        licence: of the weights, and of the package.
        key_map: its arrays, as tensors under names such as '/params/Conv_0/kernel', to the parameters
            of the network here; converts their layout too.
    """

    package: str
    version: str
    archive: str
    sha256: str
    bytes: int
    file: str
    file_sha256: str
    file_bytes: int
    licence: str
    key_map: "KeyMap"


@dataclass(frozen=True)
class Accuracy:
    """Published accuracy in percent, with its data set, protocol and source."""

    dataset: str
    top1: float
    top5: float | None
    protocol: str
    source: str


@dataclass(frozen=True)
class PublishedCost:
    """Cost that somebody else counted or printed for this network.

    Attributes:
        source: whose number it is, and where it stands.
        status: 'verified' when the reference's own code was run and counted, so that ours must be
            equal; 'printed' in the lecture or a table; 'unverified' when recalled from the paper.
        parameters: how many; None when not stated.
        gmacs: multiply-adds of one view, in 10⁹; None when not stated.
        classes: outputs of the network that was counted; None for as many as the card's.
        frames, side: of the view that was counted, side in pixels; None for the card's own.
    """

    source: str
    status: Literal["verified", "printed", "unverified"]
    parameters: float | None = None
    gmacs: float | None = None
    classes: int | None = None
    frames: int | None = None
    side: int | None = None


@dataclass(frozen=True)
class ModelCard:
    """Everything the project knows of one model; a model file ends with its cards.

    `input` is the preprocessing that the public weights were trained with, `accuracy` theirs under its
    protocol, and `key_map` leads from the names in their files to ours.

    Attributes:
        name: the identifier used by pages, API and command line, such as 'r2plus1d_18'.
        title: the name the field uses, such as 'R(2+1)D-18'.
        family: the field's word for the approach, such as 'Factorised 3D convolution'.
        year, paper, paper_url: first publication.
        idea: one sentence a student understands.
        size: 'paper' for the published configuration, 'tiny' for the small one trained here and shipped.
        input: what one view must look like.
        label_set: name of the set of classes, such as 'Kinetics-400'.
        classes: class names in the order of the model's outputs.
        build: number of classes → the network with fresh parameters.
        weights: public sources, in order of preference; shipped files are in checkpoints/manifest.json.
        package: a package on the index that carries the weights, preferred to public sources; or None.
        parameters: number of parameters.
        gmacs: multiply-adds of one view at `input`, in 10⁹.
        accuracy: published accuracies of the public weights, or of the paper where there are none.
        published: what others say this network costs.
        note: what a reader must know before trusting it, such as that it is a reconstruction.
        key_map: names of the parameters in public files → names here; None where they are the same.
        attends: whether blocks of the network can be asked for their attention; see models/attention.py.
        tiny_of: of a tiny model, the name of the paper's model that it is the tiny size of; '' if none.
        chapter: name of the chapter of the lecture that shows it (tables/lecture.py); '' if none.
        hue: degrees on the colour wheel, 0 to 359, for the model's family on every page; enough on one
            card of a family, None on the others.
        views: what a request looks at unless it says otherwise; None for `input`'s frames and rate.
    """

    name: str
    title: str
    family: str
    year: int
    paper: str
    paper_url: str
    idea: str
    size: Literal["paper", "tiny"]
    input: ModelInput
    label_set: str
    classes: tuple[str, ...]
    build: "Callable[[int], nn.Module]"
    weights: tuple[Source, ...] = ()
    package: PackageSource | None = None
    parameters: int | None = None
    gmacs: float | None = None
    accuracy: tuple[Accuracy, ...] = ()
    published: tuple[PublishedCost, ...] = ()
    note: str = ""
    key_map: "KeyMap | None" = None
    attends: bool = False
    tiny_of: str = ""
    chapter: str = ""
    hue: int | None = None
    views: ViewDefaults | None = None
