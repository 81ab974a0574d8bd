"""Specification of a model: its idea, input, classes, cost and weights."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

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
        geometry: whose rounding is followed: 'torchvision' cuts the resized size down to whole pixels,
            centres by round() and rounds resized pixels to whole numbers; 'mmaction2' rounds the size and
            centres by floor division; 'pytorchvideo', as PySlowFast, cuts the size down, centres by
            rounding up, and leaves resized pixels as they come.
        seconds: length of the piece of a clip that the frames of a view are spread over, its first and
            last frame included; None where they follow `fps`. See `spread_over`.
        sampling: 'dense' frames at a fixed distance, or 'segments': the centre of each of `frames`
            equal parts of the clip.
        resize: (height, width) in pixels, or one number for the short side, aspect kept.
        crop: (height, width) in pixels, cut from the resized frame.
        mean, std: per RGB channel, for values in [0, 1].
        any_frames: whether the network accepts another number of frames than `frames`.
        any_side: whether it accepts pictures of another size than `crop`.
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
    any_side: bool = True
    modality: Literal["rgb", "difference", "flow", "rgb+flow"] = "rgb"
    antialias: bool = False
    standardise: bool = False
    sampling: Literal["dense", "segments"] = "dense"
    flow_frames: int = 0
    flow_limit: float = 20.0
    flow_method: str = "TV-L1"
    geometry: Literal["torchvision", "mmaction2", "pytorchvideo"] = "torchvision"
    seconds: float | None = None

    def stride(self, fps: float) -> float:
        """Distance between the frames of a view, in frames of a clip of `fps` frames a second.

        >>> spec = ModelInput(resize=182, crop=(160, 160), mean=MEAN, std=STD, **spread_over(4, 12))
        >>> round(spec.stride(30), 3), round(spec.stride(25), 3)
        (15.667, 13.0)
        """
        if self.seconds is None:
            return fps / self.fps
        return max(1.0, self.seconds * fps - 1) / (self.frames - 1)

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


def spread_over(frames: int, rate: int) -> dict[str, Any]:
    """Fields of a ModelInput whose frames are taken as PySlowFast and pytorchvideo take them.

    Both cut a piece of frames · rate / 30 seconds and spread the frames over it, ends included, so that
    they lie further apart than `rate` frames of 30 a second.

    >>> spread_over(8, 8)
    {'frames': 8, 'fps': 3.3333333333333335, 'seconds': 2.1333333333333333}
    """
    piece = frames * rate
    return {"frames": frames, "fps": 30 * (frames - 1) / (piece - 1), "seconds": piece / 30}


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
class Accuracy:
    """Published accuracy in percent, with its data set, protocol and source.

    Attributes:
        source: whose number it is, and where it stands.
        date: of that document, as far as it is known.
    """

    dataset: str
    top1: float
    top5: float | None
    protocol: str
    source: str
    date: str = ""


Placing = Literal["even", "mmaction2", "pyslowfast", "pyslowfast-offset", "torchvision", "tsm"]
"""Who places several windows in a clip; see har_demo.clips.sampling.windows and har_demo.recognize.placing."""


@dataclass(frozen=True)
class Protocol:
    """Views of a video that a published accuracy is the mean of.

    Attributes:
        windows: how many windows of every video.
        crops: 1 (centre), 3 (start, centre and end of the long side) or 10 (corners and centre, also
            mirrored) of every window.
        resize, crop: as in ModelInput, where testing differs from training; None for the input's own.
        frames: of a window, where testing takes another number than training; None for the input's own.
        placing: where the windows begin.
        mean_of: what is averaged over the crops of a window: 'probabilities', or 'logits' before the
            softmax. Windows are averaged by their probabilities.
        precision: of the network's arithmetic, on a GPU too.
    """

    windows: int
    crops: int = 1
    resize: tuple[int, int] | int | None = None
    crop: tuple[int, int] | None = None
    frames: int | None = None
    placing: Placing = "even"
    mean_of: Literal["probabilities", "logits"] = "probabilities"
    precision: Literal["float32"] = "float32"

    @property
    def words(self) -> str:
        """The protocol in a few words.

        >>> Protocol(windows=10, crops=3, crop=(256, 256)).words
        '10 × 3 views of 256 × 256'
        """
        views = f"{self.windows} × {self.crops} view" + "s" * (self.windows * self.crops > 1)
        return views if self.crop is None else f"{views} of {self.crop[0]} × {self.crop[1]}"


@dataclass(frozen=True)
class Source:
    """A public file of parameters, and how its publisher feeds it.

    Attributes:
        url: where it can be fetched; of a file that only a person can fetch, the page that links to it.
        sha256: hexadecimal hash, or the leading part of it that the publisher states; '' where none
            is stated.
        bytes: size of the download; where nobody states it, that of the parameters.
        licence: of the code that goes with it; weights rarely state their own.
        name: which publisher's file it is, by which a person chooses it. Several addresses of the same
            parameters have one name.
        key_map: names of its parameters → names here; None for the card's.
        input: preprocessing that it was trained with; None for the card's.
        protocol: how its accuracy was measured, where that can be run.
        accuracy: published accuracies of this file.
        date: of the file, as its publisher or its name states it.
        build: number of classes → the network, where the publisher's differs from the card's in what
            its parameters do not show; None for the card's.
        certain: whether `sha256` is known to be the file's. OpenMMLab's names end in eight digits that
            are not always those of the file.
        file: its name, where the address does not end in it.
        parts: files that hold a part of the network each, with what the names of that part begin with
            here; empty where one file holds all.
    """

    url: str
    sha256: str
    bytes: int
    licence: str
    name: str = ""
    key_map: "KeyMap | None" = None
    input: ModelInput | None = None
    protocol: Protocol | None = None
    accuracy: tuple[Accuracy, ...] = ()
    date: str = ""
    build: "Callable[[int], nn.Module] | None" = None
    certain: bool = True
    file: str = ""
    parts: "tuple[tuple[str, Source], ...]" = ()


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

    A public file of weights brings its own preprocessing, names and accuracy (see Source); `input`,
    `accuracy` and `build` are those of the first, until `of_source` chooses another.

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
        by_hand: public files that a person must fetch, such as those on Google Drive, and give as their
            own.
        package: a package on the index that carries the weights, preferred to public sources; or None.
        parameters: number of parameters.
        gmacs: multiply-adds of one view at `input`, in 10⁹.
        accuracy: published accuracies of the public weights, or of the paper where there are none.
        published: what others say this network costs.
        note: what a reader must know before trusting it, such as that it is a reconstruction.
        key_map: names of the parameters in the files of the authors' code → names here, for sources
            without one of their own; None where they are the same.
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
    by_hand: tuple[Source, ...] = ()
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

    @property
    def sources(self) -> tuple[Source, ...]:
        """Every public file, those that a person must fetch included."""
        return (*self.weights, *self.by_hand)

    @property
    def protocol(self) -> Protocol | None:
        """How the accuracy of the first source was measured, where that can be run."""
        return self.sources[0].protocol if self.sources else None

    def of_source(self, source: Source) -> "ModelCard":
        """The card with one source alone: its address or addresses, preprocessing and accuracy."""
        alike = [s for s in self.weights if (s.name, s.input) == (source.name, source.input)]
        return replace(
            self,
            package=self.package if source in self.weights[:1] else None,
            weights=tuple(alike),
            by_hand=() if alike else (source,),
            input=source.input or self.input,
            accuracy=source.accuracy or self.accuracy,
            key_map=source.key_map or self.key_map,
            build=source.build or self.build,
        )
