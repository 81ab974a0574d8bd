"""MViT and MViTv2, in torchvision's own code: transformers whose patches are pooled stage by stage.

Not systems of the lecture; they stand here as a second kind of transformer to compare with Video Swin.
torchvision has MViT-B on 16 frames and MViTv2-S; the others are made of the same parts (Fan et al., ICCV 2021,
table 3; Li et al., CVPR 2022, table 1). For 3 × 16 × 224 × 224:

    stage                         MViT-B         MViTv2-B     output
    patches 3×7×7, stride 2×4×4                               96 × 8 × 56 × 56
    2                             1 block        2            96 × 8 × 56 × 56
    3                             2              3            192 × 8 × 28 × 28
    4                             11             16           384 × 8 × 14 × 14
    5                             2              3            768 × 8 × 7 × 7

v2 adds relative positions and what was asked to every attention's answer, and widens in the attention, not
behind it.
"""

from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torchvision.models import video
from torchvision.models.video.mvit import MSBlockConfig, MViT, Pool

from har_demo.models.card import ModelCard, ModelInput, Protocol, PublishedCost, Source, spread_over
from har_demo.models.key_map import State, key_map
from har_demo.models.label_sets import KINETICS400
from har_demo.models.publishers import (
    MMACTION2,
    PYTORCHVIDEO,
    as_fields,
    mmaction2,
    pyslowfast,
    pytorchvideo,
)
from har_demo.models.torchvision_card import PORTED, torchvision_card


def _network(classes: int, frames: int, counts: tuple[int, int, int, int], second: bool) -> MViT:
    """MViT, or MViTv2, of so many blocks in each stage."""
    stages = [stage for stage, count in enumerate(counts) for _ in range(count)]
    blocks = []
    for before, stage, after in zip([0, *stages], stages, [*stages[1:], stages[-1]], strict=False):
        pools = stage > before
        # v2 widens in the first block of a stage, v1 in the last of the stage before it.
        inputs, outputs = (before, stage) if second else (stage, after)
        asks = second or pools  # v1 leaves what is asked as it is unless it is pooled
        blocks.append(
            MSBlockConfig(
                num_heads=2**stage,
                input_channels=96 * 2**inputs,
                output_channels=96 * 2**outputs,
                kernel_q=[3, 3, 3] if asks else [],
                kernel_kv=[3, 3, 3],
                stride_q=[1, 1 + pools, 1 + pools] if asks else [],
                stride_kv=[1, 8 >> stage, 8 >> stage],
            )
        )
    return MViT(
        spatial_size=(224, 224),
        temporal_size=frames,
        block_setting=blocks,
        residual_pool=second,
        residual_with_cls_embed=False,
        rel_pos_embed=second,
        proj_after_attn=second,
        stochastic_depth_prob=0.3,
        num_classes=classes,
    )


def mvit_v1_b(classes: int) -> MViT:
    """MViT-B: 36,610,672 parameters for Kinetics-400."""
    return video.mvit_v1_b(num_classes=classes)


def mvit_v1_b_pytorchvideo(classes: int, frames: int = 16) -> MViT:
    """MViT-B of pytorchvideo, whose attentions add 0.00001 to variances where torchvision adds 0.000001."""
    network = _network(classes, frames, (1, 2, 11, 2), second=False)
    for module in network.blocks.modules():
        if isinstance(module, Pool) and module.norm_act is not None:
            module.norm_act[0].eps = 1e-5
    return network


def mvit_v1_b_32(classes: int) -> MViT:
    """MViT-B of pytorchvideo for 32 frames: 36,611,440 parameters for Kinetics-400."""
    return mvit_v1_b_pytorchvideo(classes, 32)


def mvit_v2_s(classes: int) -> MViT:
    """MViTv2-S: 34,537,744 parameters for Kinetics-400."""
    return video.mvit_v2_s(num_classes=classes)


def mvit_v2_b(classes: int) -> MViT:
    """MViTv2-B for 32 frames: 51,230,128 parameters for Kinetics-400."""
    return _network(classes, 32, (2, 3, 16, 3), second=True)


_BLOCK_RULES = (
    (r"\.attn\.proj\.", ".attn.project.0."),
    (r"\.attn\.pool_([qkv])\.weight$", r".attn.pool_\1.pool.weight"),
    (r"\.attn\.norm_([qkv])\.", r".attn.pool_\1.norm_act.0."),
    (r"^(blocks\.\d+)\.proj\.", r"\1.project."),
    (r"\.mlp\.fc1\.", ".mlp.0."),
    (r"\.mlp\.fc2\.", ".mlp.3."),
)
_names = key_map(
    (r"^backbone\.", ""),
    (r"^patch_embed\.(proj|projection|patch_model)\.", "conv_proj."),
    (r"^(cls_positional_encoding\.)?cls_token$", "pos_encoding.class_token"),
    (r"^cls_positional_encoding\.pos_embed_(\w+)$", r"pos_encoding.\1_pos"),
    *_BLOCK_RULES,
    (r"^(norm3|norm_embed)\.", "norm."),
    (r"^(head\.projection|head\.proj|cls_head\.fc_cls)\.", "head.1."),
    drop=(r"\._attention_pool_[qkv]\.",),  # pytorchvideo names each of them a second time
)


def publishers_key_map(state: State) -> dict[str, Tensor]:
    """Lead from PySlowFast's, pytorchvideo's or mmaction2's names to torchvision's.

    pytorchvideo has three matrices for what an attention asks, offers and gives, where the others have one.
    The tables of positions have no batch here.
    """
    ours = _names(state)
    for name in [name for name in ours if ".attn.q." in name]:
        three = [ours.pop(name.replace(".attn.q.", f".attn.{part}.")) for part in "qkv"]
        ours[name.replace(".attn.q.", ".attn.qkv.")] = torch.cat(three)
    for name, tensor in ours.items():
        if name.startswith("pos_encoding."):
            ours[name] = tensor.flatten(0, tensor.dim() - 2)
            if name.endswith("class_token") or name.endswith("class_pos"):
                ours[name] = tensor.flatten()
    return ours


# Both families are tested on five windows, whose centre is cut from pictures with a short side of 256.
_FACEBOOK = partial(replace, PYTORCHVIDEO, any_frames=False, any_side=False)
_FIVE_WINDOWS = Protocol(5, placing="pyslowfast-offset")
_MMACTION2: ModelInput = replace(
    MMACTION2,
    frames=16,
    fps=7.5,
    mean=(114.75 / 255,) * 3,
    std=(57.375 / 255,) * 3,
    any_frames=False,
    any_side=False,
)
_V2_ZOO = "PySlowFast, projects/mvitv2/README.md (commit 16c93c2)"


def _v2(
    file: str, parameters: int, top1: float, top5: float, frames: int, rate: int, build
) -> Source:
    return pyslowfast(
        f"model_zoo/mvitv2/pysf_video_models/MViTv2_{file}.pyth",
        parameters,
        top1,
        top5,
        _FACEBOOK(**spread_over(frames, rate)),
        publishers_key_map,
        build,
        place=_V2_ZOO,
        protocol=_FIVE_WINDOWS,
    )


def _v1(
    file: str, parameters: int, top1: float, top5: float, frames: int, rate: int, build
) -> Source:
    return pytorchvideo(
        file,
        parameters,
        top1,
        top5,
        _FACEBOOK(**spread_over(frames, rate)),
        publishers_key_map,
        build,
        protocol=Protocol(5, placing="pyslowfast"),
    )


_V1: dict[str, Any] = {
    "family": "Video transformer",
    "year": 2021,
    "paper": "Fan et al., Multiscale Vision Transformers, ICCV 2021",
    "paper_url": "https://arxiv.org/abs/2104.11227",
}
_V2: dict[str, Any] = {
    "family": "Video transformer",
    "year": 2022,
    "paper": "Li et al., MViTv2: Improved Multiscale Vision Transformers "
    "for Classification and Detection, CVPR 2022",
    "paper_url": "https://arxiv.org/abs/2112.01526",
}


CARDS: tuple[ModelCard, ...] = (
    torchvision_card(
        mvit_v1_b,
        video.MViT_V1_B_Weights.KINETICS400_V1,
        name="mvit_v1_b",
        title="MViT-B",
        idea="The first transformer that pools its patches stage by stage: fewer positions, more channels, "
        "as convolutional networks do.",
        frames=16,
        fps=7.5,
        gmacs=70.599,
        published=(PublishedCost("pytorchvideo model zoo", "printed", 36.61e6, 70.80),),
        licence=PORTED.format("pytorchvideo"),
        any_frames=False,
        others=(_v1("MVIT_B_16x4", 36_610_672, 78.85, 93.85, 16, 4, mvit_v1_b_pytorchvideo),),
        **_V1,
    ),
    ModelCard(
        name="mvit_v1_b_32",
        title="MViT-B, 32 frames",
        idea="MViT-B on twice as many frames, three apart in place of four.",
        size="paper",
        label_set="Kinetics-400",
        classes=KINETICS400,
        build=mvit_v1_b_32,
        parameters=36_611_440,
        gmacs=169.958,
        published=(PublishedCost("pytorchvideo model zoo", "printed", 36.61e6, 170.37),),
        **as_fields(_v1("MVIT_B_32x3_f294077834", 36_611_440, 80.30, 94.69, 32, 3, mvit_v1_b_32)),
        **_V1,
    ),
    torchvision_card(
        mvit_v2_s,
        video.MViT_V2_S_Weights.KINETICS400_V1,
        name="mvit_v2_s",
        title="MViTv2-S",
        idea=(
            "A transformer that starts with many small patches and pools them stage by stage, "
            "so early layers see detail and late layers see the whole clip."
        ),
        frames=16,
        fps=7.5,
        gmacs=64.224,
        published=(PublishedCost("PySlowFast's code", "verified", 34_537_744, 64.224),),
        licence=PORTED.format("PySlowFast"),
        # Its grid of patches is fixed when the network is built.
        any_frames=False,
        others=(
            _v2("S_16x4_k400_f302660347", 34_537_744, 81.0, 94.6, 16, 4, mvit_v2_s),
            mmaction2(
                "v1.0/recognition/mvit/mvit-small-p244_32xb16-16x4x1-200e_kinetics400-rgb/"
                "{}_20230201-23284ff3.pth",
                34_537_744,
                80.6,
                94.7,
                Protocol(5, 1, 224, (224, 224), placing="mmaction2"),
                _MMACTION2,
                publishers_key_map,
                about="from scratch",
                build=mvit_v2_s,
            ),
        ),
        **_V2,
    ),
    ModelCard(
        name="mvit_v2_b",
        title="MViTv2-B",
        idea="MViTv2 with 24 blocks in place of 16, on 32 frames.",
        size="paper",
        label_set="Kinetics-400",
        classes=KINETICS400,
        build=mvit_v2_b,
        parameters=51_230_128,
        gmacs=224.473,
        published=(PublishedCost(_V2_ZOO, "printed", 51.2e6, 225),),
        **as_fields(_v2("B_32x3_k400_f304025456", 51_230_128, 82.9, 95.7, 32, 3, mvit_v2_b)),
        **_V2,
    ),
)
