"""The card of a network that torchvision publishes weights for.

Classes, preprocessing, file, size, parameters and accuracies are read from torchvision's weights enums, so
a new release cannot leave them stale. Left to the caller are the words, and three facts the enums keep
only in prose or count differently: how many frames a view has, how far apart they are, and the
multiply-adds of that view.
"""

import re
from collections.abc import Callable
from importlib.metadata import version

from torch import nn
from torchvision.models import WeightsEnum

from .card import Accuracy, ModelCard, ModelInput, Protocol, Source
from .key_map import KeyMap

BSD = "BSD-3-Clause (torchvision)"
PORTED = "Apache-2.0 (ported by torchvision from {})"


def torchvision_card(
    build: Callable[[int], nn.Module],
    weights: WeightsEnum,
    *,
    frames: int,
    fps: float,
    gmacs: float,
    licence: str = BSD,
    any_frames: bool = True,
    key_map: KeyMap | None = None,
    others: tuple[Source, ...] = (),
    by_hand: tuple[Source, ...] = (),
    **words,
) -> ModelCard:
    """Return the card of one torchvision network with one of its published sets of weights.

    Args:
        build: number of classes → the network.
        weights: the entry of its enum.
        frames, fps: of one view: how many frames, taken how many per second.
        gmacs: multiply-adds of that view, in 10⁹, counted with cost.py.
        licence: of the code that the weights came with.
        any_frames: see ModelInput.
        key_map: torchvision's names → ours.
        others, by_hand: files of other publishers; the latter a person must fetch.
        words: name, title, family, year, paper, paper_url, idea and any other field of the card.
    """
    meta, preset = weights.meta, weights.transforms()
    # The list holds (height, width), or the short side alone.
    resize = tuple(preset.resize_size) if len(preset.resize_size) == 2 else preset.resize_size[0]
    return ModelCard(
        size="paper",
        input=ModelInput(
            frames=frames,
            fps=fps,
            resize=resize,
            crop=tuple(preset.crop_size),
            mean=tuple(preset.mean),
            std=tuple(preset.std),
            any_frames=any_frames,
        ),
        label_set="Kinetics-400",
        classes=tuple(meta["categories"]),
        build=build,
        weights=(public_file(weights, licence, key_map), *others),
        by_hand=by_hand,
        parameters=meta["num_params"],
        gmacs=gmacs,
        accuracy=tuple(
            accuracy
            for source in (public_file(weights, licence), *others, *by_hand)
            for accuracy in source.accuracy
        ),
        **words,
    )


def public_file(weights: WeightsEnum, licence: str = BSD, key_map: KeyMap | None = None) -> Source:
    """Return the source of torchvision's file for an enum's entry.

    Its names end in the first eight digits of the file's sha256. The enum states the size in MiB
    to three decimals, so `bytes` is right to about a kilobyte.
    """
    name = re.search(r"-([0-9a-f]{8,})\.pth$", weights.url)
    assert name is not None, weights.url
    return Source(
        url=weights.url,
        sha256=name.group(1),
        bytes=round(weights.meta["_file_size"] * 2**20),
        licence=licence,
        name="torchvision",
        key_map=key_map,
        protocol=Protocol(
            windows=int(_settings(weights)["clips_per_video"]),
            frames=int(_settings(weights)["clip_len"]),
            placing="torchvision",
        ),
        accuracy=tuple(
            Accuracy(
                dataset,
                scores["acc@1"],
                scores["acc@5"],
                protocol(weights),
                weights.url,
                f"torchvision {version('torchvision').partition('+')[0]}",
            )
            for dataset, scores in weights.meta["_metrics"].items()
        ),
    )


def _settings(weights: WeightsEnum) -> dict[str, str]:
    """How accuracies were measured, out of prose: "estimated on video-level with `frame_rate=15`, ..."."""
    docs = weights.meta["_docs"]
    return dict(re.findall(r"`(frame_rate|clips_per_video|clip_len)=([\d.]+)`", docs))


def protocol(weights: WeightsEnum) -> str:
    """Return the protocol of torchvision's accuracies, such as '16 frames at 15 per second, 5 clips a video'."""
    docs, value = weights.meta["_docs"], _settings(weights)
    clips = "1 clip" if value["clips_per_video"] == "1" else f"{value['clips_per_video']} clips"
    level = "scored per clip" if "clip-level" in docs else "averaged per video"
    return (
        f"{value['clip_len']} frames at {value['frame_rate']} per second, "
        f"{clips} a video, {level}, measured by torchvision"
    )
