"""The video networks that torchvision implements and publishes weights for.

The networks are torchvision's own code. Classes, preprocessing, file, size, parameters and
accuracies are read from its weights enums, so a new release of torchvision cannot leave them
stale here. Written here are the words, and three facts the enums keep only in prose or count
differently: how many frames a view has, how far apart they are, and the multiply-adds of that view.

Two nets leave a choice, made here once:

- S3D's published accuracy is of single views of 128 frames. The card asks for 64, as its paper does:
  128 frames take 144 GMACs in one go, and a second of video costs the same either way, because
  a longer view covers more of it. Any other number does too, from 14 on.
- Swin's enum counts the multiply-adds of 16 frames; the nets were trained and scored on 32.
"""

import re
from functools import partial

from torchvision.models import WeightsEnum, video

from .card import Accuracy, ModelCard, ModelInput, WeightSource

R2PLUS1D_PAPER = (
    "Tran et al., A Closer Look at Spatiotemporal Convolutions for Action Recognition, CVPR 2018"
)
S3D_PAPER = (
    "Xie et al., Rethinking Spatiotemporal Feature Learning: "
    "Speed-Accuracy Trade-offs in Video Classification, ECCV 2018"
)
MVIT_V2_PAPER = (
    "Li et al., MViTv2: Improved Multiscale Vision Transformers "
    "for Classification and Detection, CVPR 2022"
)
SWIN_PAPER = "Liu et al., Video Swin Transformer, CVPR 2022"

BSD = "BSD-3-Clause (torchvision)"
PORTED = "Apache-2.0 (ported by torchvision from {})"


def from_enum(
    builder,
    weights: WeightsEnum,
    *,
    frames: int,
    fps: float,
    gmacs: float,
    licence: str = BSD,
    any_frames: bool = True,
    **words,
) -> ModelCard:
    """The card of one torchvision network with one of its published sets of weights.

    Args:
        builder: torchvision's function that makes the network.
        weights: the entry of its enum.
        frames, fps: of one view: how many frames, taken how many per second.
        gmacs: multiply-adds of that view, in 10⁹, counted with cost.py.
        licence: of the code that the weights came with.
        any_frames: see ModelInput.
        words: name, title, family, year, paper, paper_url and idea of the card.
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
        build=partial(_build, builder),
        weights=(public_file(weights, licence),),
        parameters=meta["num_params"],
        gmacs=gmacs,
        accuracy=tuple(
            Accuracy(dataset, scores["acc@1"], scores["acc@5"], protocol(weights), weights.url)
            for dataset, scores in meta["_metrics"].items()
        ),
        **words,
    )


def public_file(weights: WeightsEnum, licence: str) -> WeightSource:
    """Where torchvision keeps the file of an enum's entry.

    Its names end in the first eight digits of the file's sha256. The enum states the size in MiB
    to three decimals, so `bytes` is right to about a kilobyte.
    """
    prefix = re.search(r"-([0-9a-f]{8,})\.pth$", weights.url).group(1)
    size = round(weights.meta["_file_size"] * 2**20)
    return WeightSource(weights.url, prefix, size, licence)


def protocol(weights: WeightsEnum) -> str:
    """How torchvision measured the accuracies, such as '16 frames at 15 per second, 5 clips a video'.

    The enum holds it as prose: "estimated on video-level with parameters `frame_rate=15`, ...".
    """
    docs = weights.meta["_docs"]
    value = dict(re.findall(r"`(frame_rate|clips_per_video|clip_len)=([\d.]+)`", docs))
    clips = "1 clip" if value["clips_per_video"] == "1" else f"{value['clips_per_video']} clips"
    level = "scored per clip" if "clip-level" in docs else "averaged per video"
    return (
        f"{value['clip_len']} frames at {value['frame_rate']} per second, "
        f"{clips} a video, {level}, measured by torchvision"
    )


def _build(builder, classes: int):
    return builder(weights=None, num_classes=classes)


CARDS: tuple[ModelCard, ...] = (
    from_enum(
        video.r3d_18,
        video.R3D_18_Weights.KINETICS400_V1,
        name="r3d_18",
        title="R3D-18",
        family="3D convolution",
        year=2018,
        paper=R2PLUS1D_PAPER,
        paper_url="https://arxiv.org/abs/1711.11248",
        idea=(
            "An 18-layer residual network whose every filter is a 3×3×3 cube, so that each layer "
            "looks at space and time at once."
        ),
        frames=16,
        fps=15,
        gmacs=40.697,
    ),
    from_enum(
        video.mc3_18,
        video.MC3_18_Weights.KINETICS400_V1,
        name="mc3_18",
        title="MC3-18",
        family="3D convolution",
        year=2018,
        paper=R2PLUS1D_PAPER,
        paper_url="https://arxiv.org/abs/1711.11248",
        idea=(
            "Only the first layers look across time; the later ones treat every frame as a "
            "picture, which saves two thirds of R3D-18's parameters."
        ),
        frames=16,
        fps=15,
        gmacs=43.343,
    ),
    from_enum(
        video.s3d,
        video.S3D_Weights.KINETICS400_V1,
        name="s3d",
        title="S3D",
        family="Factorised 3D convolution",
        year=2018,
        paper=S3D_PAPER,
        paper_url="https://arxiv.org/abs/1712.04851",
        idea=(
            "An Inception network stretched over time, with each 3D filter split into one that "
            "looks at a frame and one that looks along time: better and cheaper than the cube."
        ),
        frames=64,
        fps=15,
        gmacs=71.916,
    ),
    from_enum(
        video.mvit_v2_s,
        video.MViT_V2_S_Weights.KINETICS400_V1,
        name="mvit_v2_s",
        title="MViTv2-S",
        family="Video transformer",
        year=2022,
        paper=MVIT_V2_PAPER,
        paper_url="https://arxiv.org/abs/2112.01526",
        idea=(
            "A transformer that starts with many small patches and pools them stage by stage, "
            "so early layers see detail and late layers see the whole clip."
        ),
        frames=16,
        fps=7.5,
        gmacs=64.224,
        licence=PORTED.format("PySlowFast"),
        # Its grid of patches is fixed when the network is built.
        any_frames=False,
    ),
    from_enum(
        video.swin3d_t,
        video.Swin3D_T_Weights.KINETICS400_V1,
        name="swin3d_t",
        title="Video Swin-T",
        family="Video transformer",
        year=2022,
        paper=SWIN_PAPER,
        paper_url="https://arxiv.org/abs/2106.13230",
        idea=(
            "Patches attend only to their neighbours inside small boxes of space and time; the "
            "boxes shift from layer to layer, so that news spreads through the clip."
        ),
        frames=32,
        fps=15,
        gmacs=87.76,
        licence=PORTED.format("Video-Swin-Transformer"),
    ),
    from_enum(
        video.swin3d_s,
        video.Swin3D_S_Weights.KINETICS400_V1,
        name="swin3d_s",
        title="Video Swin-S",
        family="Video transformer",
        year=2022,
        paper=SWIN_PAPER,
        paper_url="https://arxiv.org/abs/2106.13230",
        idea=(
            "Video Swin-T with its third stage three times as deep: the same boxes of attention, "
            "more steps of reasoning."
        ),
        frames=32,
        fps=15,
        gmacs=165.68,
        licence=PORTED.format("Video-Swin-Transformer"),
    ),
    from_enum(
        video.swin3d_b,
        # The same network also has weights that began with ImageNet-1K: 2.2 points lower.
        video.Swin3D_B_Weights.KINETICS400_IMAGENET22K_V1,
        name="swin3d_b",
        title="Video Swin-B",
        family="Video transformer",
        year=2022,
        paper=SWIN_PAPER,
        paper_url="https://arxiv.org/abs/2106.13230",
        idea=(
            "Video Swin-S with a third more channels, started from pictures of 22 thousand "
            "classes before it saw any video."
        ),
        frames=32,
        fps=15,
        gmacs=281.33,
        licence=PORTED.format("Video-Swin-Transformer"),
    ),
)
