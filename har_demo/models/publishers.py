"""How the publishers of weights feed and test their networks, and their files as sources of cards.

Preprocessing and protocols were read in mmaction2 1.2.0 (configs/recognition, datasets/transforms),
pytorchvideo 0.1.5, PySlowFast (datasets/decoder.py, datasets/transform.py) and mit-han-lab's
temporal-shift-module (test_models.py); addresses and accuracies in mmaction2's metafile.yml of the same
release and in the others' documents that the accuracies name.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from torch import nn

from .card import Accuracy, ModelInput, Protocol, Source, spread_over
from .key_map import KeyMap
from .sliding import with_sliding_mean

KINETICS = "Kinetics-400"
SOMETHING_V1, SOMETHING_V2 = "Something-Something V1", "Something-Something V2"

IMAGENET_MEAN = (123.675 / 255, 116.28 / 255, 103.53 / 255)
IMAGENET_STD = (58.395 / 255, 57.12 / 255, 57.375 / 255)

MMACTION2 = ModelInput(
    frames=32,
    fps=15.0,  # every second frame; mmaction2 counts frames of the file, and Kinetics has 30 a second
    resize=256,
    crop=(224, 224),
    mean=IMAGENET_MEAN,
    std=IMAGENET_STD,
    geometry="mmaction2",
)
"""32 frames over two seconds, as mmaction2 trains on them."""

SEGMENTS = replace(MMACTION2, frames=8, fps=0.8, sampling="segments")
"""Eight segments of Kinetics' ten seconds, as mmaction2 trains TSN and its like on them."""

PYTORCHVIDEO = ModelInput(
    **spread_over(8, 8),
    resize=256,
    crop=(224, 224),
    mean=(0.45, 0.45, 0.45),
    std=(0.225, 0.225, 0.225),
    geometry="pytorchvideo",
)
"""Eight frames over two seconds, as pytorchvideo and PySlowFast train on them."""


def thirty_views(side: int, placing: str) -> Protocol:
    """Ten windows, three crops of side × side from pictures whose short side is as long."""
    return Protocol(10, 3, side, (side, side), placing=placing)  # type: ignore[arg-type]


def mmaction2(
    path: str,
    parameters: int,
    top1: float,
    top5: float | None,
    protocol: Protocol,
    input: ModelInput,
    key_map: KeyMap,
    *,
    name: str = "mmaction2",
    dataset: str = KINETICS,
    about: str = "",
    build: Callable[[int], nn.Module] | None = None,
) -> Source:
    """Return a file of mmaction2's model zoo.

    Args:
        path: behind download.openmmlab.com/mmaction/, with {} for the folder's name once more where the
            file is called as its folder.
        parameters: how many; nobody states the size of the file.
        top1, top5: its accuracy in percent.
        about: what else its accuracy depends on, such as the data it was trained on before.
        build: see Source.
    """
    folder, _, file = path.rpartition("/")
    path = f"{folder}/{file.format(folder.rpartition('/')[2])}"
    stem, _, digits = path.removesuffix(".pth").rpartition("-")
    stamp = stem.rpartition("_")[2]
    words = ", ".join(filter(None, [describe(protocol), about]))
    accuracy = Accuracy(
        dataset, top1, top5, words, "mmaction2 model zoo (metafile.yml of 1.2.0)", "2023-10-12"
    )
    return Source(
        url=f"https://download.openmmlab.com/mmaction/{path}",
        sha256=digits,
        bytes=parameters * 4,  # unverified: the size of its parameters alone
        licence="Apache-2.0 (mmaction2)",
        name=name,
        key_map=key_map,
        input=input,
        protocol=protocol,
        accuracy=(accuracy,),
        date=f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:]}",
        build=build,
        certain=False,
    )


def _facebook(
    address: str,
    parameters: int,
    top1: float,
    top5: float | None,
    input: ModelInput,
    key_map: KeyMap,
    build: Callable[[int], nn.Module],
    *,
    name: str,
    place: str,
    date: str,
    side: int = 256,
    protocol: Protocol | None = None,
) -> Source:
    protocol = protocol or thirty_views(side, "pyslowfast")
    # Both test with PySlowFast, whose heads average squares as large as features were in training
    # (models/head_helper.py, models/ptv_model_builder.py); strides make 32 of all networks together.
    square = -(-input.crop[0] // 32)
    return Source(
        url=address,
        sha256="",
        # unverified: the optimiser's momentum is in the file beside each parameter
        bytes=parameters * 8,
        licence=f"Apache-2.0 ({name})",
        name=name,
        key_map=key_map,
        input=input,
        protocol=protocol,
        accuracy=(Accuracy(KINETICS, top1, top5, describe(protocol), place, date),),
        build=partial(with_sliding_mean, build, square) if protocol.crop else build,
    )


_ZOOS = "https://dl.fbaipublicfiles.com"


def pytorchvideo(file: str, *given, **named) -> Source:
    """Return a file of pytorchvideo's model zoo: (file, parameters, top1, top5, input, key_map, build)."""
    return _facebook(
        f"{_ZOOS}/pytorchvideo/model_zoo/kinetics/{file}.pyth",
        *given,
        name="pytorchvideo",
        place="pytorchvideo model zoo",
        date="0.1.5, 2022-01",
        **named,
    )


PYSLOWFAST_ZOO = "PySlowFast model zoo (MODEL_ZOO.md, commit 02a85e9)"


def pyslowfast(file: str, *given, place: str = PYSLOWFAST_ZOO, **named) -> Source:
    """Return a file of PySlowFast's model zoo: (path, parameters, top1, top5, input, key_map, build)."""
    return _facebook(
        f"{_ZOOS}/pyslowfast/{file}",
        *given,
        name="PySlowFast",
        place=place,
        date="",
        **named,
    )


def describe(protocol: Protocol) -> str:
    """Return a protocol in words.

    >>> describe(thirty_views(256, "mmaction2"))
    '10 windows, 3 crops of 256 × 256'
    """
    windows = f"{protocol.windows} window" + "s" * (protocol.windows > 1)
    if protocol.frames:
        windows += f" of {protocol.frames} frames"
    crops = {1: "centre crop", 3: "3 crops", 10: "10 crops"}[protocol.crops]
    size = f" of {protocol.crop[0]} × {protocol.crop[1]}" if protocol.crop else ""
    return f"{windows}, {crops}{size}"


def as_fields(*sources: Source, papers: tuple[Accuracy, ...] = ()) -> dict:
    """Return fields of a card: its sources, the input of the first, and all accuracies.

    Args:
        sources: in order of preference.
        papers: accuracies that stand in a paper or the lecture, of no public file.
    """
    of_files = tuple(accuracy for source in sources for accuracy in source.accuracy)
    fields = {"weights": sources, "accuracy": (*of_files, *papers)}
    return fields if sources[0].input is None else fields | {"input": sources[0].input}
