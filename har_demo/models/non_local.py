"""The non-local block: every position looks at every other (Wang et al., CVPR 2018, section 3).

A convolution sees its neighbourhood; what is far away in space or time reaches it only through many
layers. The non-local operation sums over all positions j of the feature map at once (equation 1):

    y_i = 1/C(x) Σ_j f(x_i, x_j) g(x_j)

with one of four functions f of a pair, and the factor C(x) that belongs to it:

    gaussian            exp(x_iᵀ x_j)                       softmax over j
    embedded_gaussian   exp(θ(x_i)ᵀ φ(x_j))                 softmax over j: the Transformer's attention
    dot_product         θ(x_i)ᵀ φ(x_j)                      divided by the number of j
    concatenation       ReLU(w_fᵀ [θ(x_i), φ(x_j)])         divided by the number of j

The block adds the result to its input, z = W_z y + x (equation 6, figure 2). For 1024 × 4 × 14 × 14:

    θ, φ, g    1×1×1 to 512 channels           512 × 4 × 14 × 14
    pool       1×2×2 maximum of φ and g        512 × 4 ×  7 ×  7     if sub-sampled
    f          784 positions by 196 (784)      times g: 512 × 4 × 14 × 14
    W_z        1×1×1, then batch norm          1024 × 4 × 14 × 14    its γ starts at 0: z = x

The lecture writes the embedded Gaussian as softmax(xᵀ W_θᵀ W_φᵀ x) g(x). With W_φ transposed the product
does not exist, as W_θᵀ is C×d and W_φᵀ is too; it has to be softmax(xᵀ W_θᵀ W_φ x).

The networks are residual ones with five such blocks, behind every other block of res3 and res4 (section
4.1): there the map is coarse enough to compare everything with everything, and not yet blurred. Two
sets of public code differ in what is around them, and so do their weights: PySlowFast scales and pools
first, and mmaction2 pools last and leaves out W_z's bias; it scales at
8 frames of Slow, not at 32 of I3D.
"""

from dataclasses import replace
from typing import Any, Literal, TypeVar

from torch import Tensor, nn
from torch.nn import functional as F

from har_demo.labels import EVERYDAY, LABEL_SET
from har_demo.models.attention import AttentionMap, flat_positions, grid_of
from har_demo.models.card import Accuracy, ModelCard, PublishedCost
from har_demo.models.key_map import key_map
from har_demo.models.label_sets import KINETICS400
from har_demo.models.publishers import (
    MMACTION2,
    PYTORCHVIDEO,
    as_fields,
    mmaction2,
    pyslowfast,
    thirty_views,
)
from har_demo.models.resnet3d import (
    C2D,
    CAFFE2_DROPPED,
    CAFFE2_RULES,
    I3D,
    MMACTION_RULES,
    PYSLOWFAST_RULES,
    RESNET101,
    SLOW,
    TINY_BLOCKS,
    TINY_WIDTH,
    BottleneckNet,
)
from har_demo.models.tiny import TINY_INPUT

Function = Literal["gaussian", "embedded_gaussian", "dot_product", "concatenation"]
Network = TypeVar("Network", bound=nn.Module)


class NonLocal(nn.Module):
    """float [B, C, T, H, W] → the same shape; the identity until it is trained.

    Frames of a 2D network go in as T of one clip.

    Args:
        channels: C.
        function: f, one of the four.
        subsample: max-pool φ and g by 1×2×2, which asks a quarter of the positions.
        scale: divide what the softmax is taken of by √d, as Transformers and the authors' code do; the
            paper and the lecture do not. The functions without a softmax have no such factor.
        pool_first: pool the input of φ and g, as the authors' code does, not their outputs, as the paper
            says. It saves three quarters of both convolutions, and gives other numbers.
        inner: channels d of θ, φ and g; half of C unless stated.
        bias: whether W_z has one; the batch norm behind it makes it superfluous.

    >>> NonLocal(1024)(torch.zeros(1, 1024, 4, 14, 14)).shape
    torch.Size([1, 1024, 4, 14, 14])
    """

    kind = "non-local"

    def __init__(
        self,
        channels: int,
        function: Function = "embedded_gaussian",
        subsample: bool = False,
        scale: bool = False,
        pool_first: bool = False,
        inner: int | None = None,
        bias: bool = True,
    ):
        super().__init__()
        inner = inner or channels // 2
        self.function = function
        self.pool_first = pool_first
        self.theta: nn.Module = nn.Identity()
        self.phi: nn.Module = self.theta
        if function != "gaussian":
            self.theta = nn.Conv3d(channels, inner, 1)
            self.phi = nn.Conv3d(channels, inner, 1)
        self.g = nn.Conv3d(channels, inner, 1)
        if function == "concatenation":
            self.w_f = nn.Linear(2 * inner, 1, bias=False)
        self.w_z = nn.Conv3d(inner, channels, 1, bias=bias)
        self.norm = nn.BatchNorm3d(channels)
        self.pool = nn.MaxPool3d((1, 2, 2)) if subsample else nn.Identity()
        compared = channels if function == "gaussian" else inner
        self.factor = compared**-0.5 if scale else 1.0

        for module in self.modules():
            if isinstance(module, nn.Conv3d | nn.Linear):
                nn.init.normal_(module.weight, std=0.01)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        nn.init.zeros_(self.norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        theta, phi, g = (rows(features) for features in self.embed(x))
        if self.function in ("gaussian", "embedded_gaussian"):
            one_head = (theta[:, None], phi[:, None], g[:, None])
            y = F.scaled_dot_product_attention(*one_head, scale=self.factor)[:, 0]
        else:
            y = self.pairs(theta, phi) @ g
        y = y.transpose(1, 2).unflatten(2, x.shape[2:])
        return x + self.norm(self.w_z(y))

    def embed(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """θ(x) [B, d, T, H, W], and φ(x) and g(x), pooled if the block sub-samples."""
        if self.pool_first:
            pooled = self.pool(x)
            return self.theta(x), self.phi(pooled), self.g(pooled)
        return self.theta(x), self.pool(self.phi(x)), self.pool(self.g(x))

    def pairs(self, theta: Tensor, phi: Tensor) -> Tensor:
        """f(x_i, x_j) / C(x), float [B, Q, K], of θ [B, Q, d] and φ [B, K, d]."""
        return pairs(self.function, theta, phi, self.factor, getattr(self, "w_f", None))

    def attention(self, x: Tensor, at: Tensor | None = None) -> tuple[AttentionMap, ...]:
        """One map: what the positions `at` (see flat_positions) take from each position of g(x)."""
        theta, phi, _ = self.embed(x)
        query_grid, key_grid = grid_of(x), grid_of(phi)
        queries = flat_positions(at, query_grid).to(x.device)
        weights = self.pairs(rows(theta)[:, queries], rows(phi))
        return (AttentionMap(weights[:, None], queries, query_grid, key_grid),)


def pairs(
    function: Function,
    theta: Tensor,
    phi: Tensor,
    factor: float = 1.0,
    w_f: nn.Linear | None = None,
) -> Tensor:
    """f(x_i, x_j) / C(x) of all pairs, float [B, Q, K].

    Args:
        function: f.
        theta, phi: [B, Q, d] and [B, K, d]; x itself for the Gaussian.
        factor: what the softmax is taken of is multiplied by it.
        w_f: 2d → 1, for the concatenation alone.
    """
    if function == "dot_product":
        return theta @ phi.mT / phi.shape[1]
    if function == "concatenation":
        # w_fᵀ [θ_i, φ_j] = w₁ᵀ θ_i + w₂ᵀ φ_j: no table of all pairs' 2d channels is needed.
        assert w_f is not None
        w1, w2 = w_f.weight.chunk(2, dim=1)
        return F.relu(theta @ w1.mT + (phi @ w2.mT).mT) / phi.shape[1]
    return (theta @ phi.mT * factor).softmax(dim=-1)


def rows(features: Tensor) -> Tensor:
    """[B, d, T, H, W] → [B, T·H·W, d]: one row a position.

    A row lies in one piece of memory: on others the fused kernel of attention does not run, and the
    table of all pairs would be built after all.
    """
    return features.flatten(2).transpose(1, 2).contiguous()


def insert(
    network: Network,
    res3: tuple[int, ...] = (1, 3),
    res4: tuple[int, ...] = (1, 3, 5),
    **block,
) -> Network:
    """The network with a NonLocal(channels, **block) behind the named blocks of two stages.

    As every new block is the identity, a trained network goes on scoring what it did.
    """
    for name, places in (("res3", res3), ("res4", res4)):
        stage: Any = network.get_submodule(name)
        for place in places:
            channels = stage[place].conv3[0].out_channels
            stage[place].non_local = NonLocal(channels, **block)
    return network


PYSLOWFAST: dict[str, Any] = {"subsample": True, "scale": True, "pool_first": True}
MMACTION: dict[str, Any] = {"subsample": True, "bias": False}
TINY: dict[str, Any] = {"res3": (1,), "res4": (1,), "scale": True}
"""Arguments of `insert`. In the tiny networks the positions are few enough to compare all of them."""


def c2d_nl_r50(classes: int) -> BottleneckNet:
    """C2D ResNet-50 with five blocks: 31,686,096 parameters for Kinetics-400."""
    return insert(BottleneckNet(classes, C2D), **PYSLOWFAST)


def i3d_nl_r50(classes: int) -> BottleneckNet:
    """I3D ResNet-50 with five blocks: 35,401,936 parameters for Kinetics-400."""
    return insert(BottleneckNet(classes, I3D), **PYSLOWFAST)


def i3d_nl_r101(classes: int) -> BottleneckNet:
    """I3D ResNet-101 with five blocks: 59,112,656 parameters for Kinetics-400."""
    return insert(BottleneckNet(classes, I3D, RESNET101), **PYSLOWFAST)


def slow_nl_r50(classes: int) -> BottleneckNet:
    """Slow ResNet-50 with five blocks of the dot product: 39,812,560 parameters for Kinetics-400."""
    return insert(BottleneckNet(classes, SLOW, pool2=1), function="dot_product", **PYSLOWFAST)


def slow_nl_r50_embedded(classes: int) -> BottleneckNet:
    """Slow ResNet-50 with five blocks of the embedded Gaussian: 39,808,464 parameters for Kinetics-400.

    As mmaction2 has it: behind the first of every two residual blocks, and scaled.
    """
    network = BottleneckNet(classes, SLOW, pool2=1)
    return insert(network, res3=(0, 2), res4=(0, 2, 4), scale=True, **MMACTION)


def i3d_nl_r50_32(classes: int, function: Function = "embedded_gaussian") -> BottleneckNet:
    """I3D ResNet-50 for 32 frames with five blocks: 35,397,840 parameters for Kinetics-400."""
    return insert(BottleneckNet(classes, I3D, stem_stride=2), function=function, **MMACTION)


def i3d_nl_r50_32_dot(classes: int) -> BottleneckNet:
    """The same with the dot product: as many parameters."""
    return i3d_nl_r50_32(classes, "dot_product")


def i3d_nl_r50_32_gaussian(classes: int) -> BottleneckNet:
    """The same without θ and φ: 31,723,728 parameters for Kinetics-400."""
    return i3d_nl_r50_32(classes, "gaussian")


def c2d_nl_tiny(classes: int) -> BottleneckNet:
    """C2D with 26 layers, and two blocks."""
    return insert(BottleneckNet(classes, C2D, TINY_BLOCKS, width=TINY_WIDTH), **TINY)


def i3d_nl_tiny(classes: int) -> BottleneckNet:
    """I3D with 26 layers, and two blocks."""
    return insert(BottleneckNet(classes, I3D, TINY_BLOCKS, width=TINY_WIDTH), **TINY)


_WORDS: dict[str, Any] = {
    "family": "Long-range dependencies",
    "year": 2018,
    "paper": "Wang et al., Non-local Neural Networks, CVPR 2018",
    "paper_url": "https://arxiv.org/abs/1711.07971",
}
_PAPER: dict[str, Any] = {
    "size": "paper",
    "label_set": "Kinetics-400",
    "classes": KINETICS400,
    **_WORDS,
}
_TINY: dict[str, Any] = {"size": "tiny", "label_set": LABEL_SET, "classes": EVERYDAY, **_WORDS}
_VIEWS = "10 clips of every video, 3 crops of 256 × 256"
_PICKLE = (
    "The authors' own weights for it are Caffe2's, of other layers' names and under CC BY-NC 4.0; they "
    "are not offered here."
)


def _paper_accuracy(top1: float, top5: float) -> Accuracy:
    return Accuracy("Kinetics-400", top1, top5, f"128 frames, {_VIEWS}", "lecture, non-local table")


def _mmaction2(kind: str, digits: str, top1: float, top5: float, parameters: int) -> dict:
    """Fields of the card of one of mmaction2's non-local networks."""
    return as_fields(
        mmaction2(
            f"v1.0/recognition/i3d/i3d_imagenet-pretrained-r50-nl-{kind}_8xb8-32x2x1-100e_kinetics400-rgb/"
            f"{{}}_20220812-{digits}.pth",
            parameters,
            top1,
            top5,
            thirty_views(256, "mmaction2"),
            MMACTION2,
            MMACTION_KEY_MAP,
            about="ImageNet",
        )
    )


# Names of non-local blocks, beside those of the networks they stand in.
_PYSLOWFAST_RULES = (
    (r"^s(\d)\.pathway0_nonlocal(\d+)\.", r"res\1.\2.non_local."),
    (r"\.non_local\.conv_(theta|phi|g)\.", r".non_local.\1."),
    (r"\.non_local\.conv_out\.", ".non_local.w_z."),
    (r"\.non_local\.bn\.", ".non_local.norm."),
    *PYSLOWFAST_RULES,
)

# φ and g are followed by their pooling there, and so are the first of two.
MMACTION_NL_RULES = (
    (r"\.non_local_block\.theta\.conv\.", ".non_local.theta."),
    (r"\.non_local_block\.(phi|g)\.0\.conv\.", r".non_local.\1."),
    (r"\.non_local_block\.conv_out\.conv\.", ".non_local.w_z."),
    (r"\.non_local_block\.conv_out\.bn\.", ".non_local.norm."),
)

PYSLOWFAST_KEY_MAP = key_map(*CAFFE2_RULES, *_PYSLOWFAST_RULES, drop=CAFFE2_DROPPED)
MMACTION_KEY_MAP = key_map(*MMACTION_NL_RULES, *MMACTION_RULES)


# name here, frames × rate, digits, top-1, top-5
_SLOW_NL = (
    ("mmaction2", 8, 8, "df42dc84", 76.35, 92.18),
    ("mmaction2-4x16", 4, 16, "cf739c75", 74.84, 91.41),
)


CARDS: tuple[ModelCard, ...] = (
    ModelCard(
        name="c2d_nl_r50",
        title="C2D-NL ResNet-50",
        idea="An image network, frame by frame, with five blocks in which every position of every frame "
        "looks at all others: its only way through time, and a long one.",
        input=PYTORCHVIDEO,
        build=c2d_nl_r50,
        key_map=PYSLOWFAST_KEY_MAP,
        attends=True,
        parameters=31_686_096,
        gmacs=27.621,
        published=(PublishedCost("PySlowFast's code", "verified", 31_686_096, 27.621),),
        note=_PICKLE,
        **_PAPER,
    ),
    ModelCard(
        name="i3d_nl_r50",
        title="I3D-NL ResNet-50",
        chapter="far",
        hue=262,
        idea="Kernels over three frames for what is near, and five blocks in which every position looks "
        "at all others for what is far.",
        build=i3d_nl_r50,
        attends=True,
        parameters=35_401_936,
        gmacs=36.535,
        **as_fields(
            pyslowfast(
                "model_zoo/kinetics400/I3D_NLN_8x8_R50.pkl",
                35_401_936,
                74.0,
                91.1,
                PYTORCHVIDEO,
                PYSLOWFAST_KEY_MAP,
                i3d_nl_r50,
            ),
            papers=(_paper_accuracy(76.5, 92.6),),
        ),
        published=(
            PublishedCost("PySlowFast's code", "verified", 35_401_936, 36.535),
            PublishedCost("PySlowFast's code", "verified", 35_401_936, 182.015, frames=32),
        ),
        **_PAPER,
    ),
    ModelCard(
        name="i3d_nl_r101",
        title="I3D-NL ResNet-101",
        idea="The deeper network of the paper's comparison, with the same five blocks in which every "
        "position looks at all others.",
        input=PYTORCHVIDEO,
        build=i3d_nl_r101,
        key_map=PYSLOWFAST_KEY_MAP,
        attends=True,
        parameters=59_112_656,
        gmacs=55.084,
        accuracy=(_paper_accuracy(77.7, 93.3),),
        published=(
            PublishedCost("PySlowFast's code", "verified", 59_112_656, 55.084),
            PublishedCost("PySlowFast's code", "verified", 59_112_656, 353.765, None, 32, 256),
            PublishedCost("lecture, Video Swin table", "printed", 61.8e6, 359, None, 32, 256),
        ),
        note="Blocks stand where PySlowFast has them; the paper's own code spreads the three of res4 "
        f"over all of its 23 residual blocks. {_PICKLE}",
        **_PAPER,
    ),
    ModelCard(
        name="slow_nl_r50",
        title="Slow-NL ResNet-50",
        idea="SlowFast's slow pathway with five blocks in which positions are compared by a plain dot "
        "product, without a softmax.",
        input=PYTORCHVIDEO,
        build=slow_nl_r50,
        key_map=PYSLOWFAST_KEY_MAP,
        attends=True,
        parameters=39_812_560,
        gmacs=63.976,
        published=(PublishedCost("PySlowFast's code", "verified", 39_812_560, 63.976),),
        note="No public weights of this network are known that can be opened here.",
        **_PAPER,
    ),
    ModelCard(
        name="slow_nl_r50_embedded",
        title="Slow-NL ResNet-50, embedded Gaussian",
        idea="SlowFast's slow pathway with five blocks in which positions are compared by what they ask for "
        "and what they offer.",
        build=slow_nl_r50_embedded,
        attends=True,
        parameters=39_808_464,
        gmacs=70.141,
        published=(
            PublishedCost("mmaction2 model zoo", "printed", 39.81e6, 96.66, side=256),
            PublishedCost("mmaction2 model zoo", "printed", 39.81e6, 43.23, frames=4, side=256),
        ),
        note="The address of its file for 8 frames ends in the digits of another file of mmaction2's "
        "table, which may be a slip there.",
        **as_fields(
            *(
                mmaction2(
                    "v1.0/recognition/slowonly/slowonly_r50-in1k-pre-nl-embedded-gaussian_8xb16-"
                    f"{frames}x{rate}x1-steplr-150e_kinetics400-rgb/{{}}_20220901-{digits}.pth",
                    39_808_464,
                    top1,
                    top5,
                    thirty_views(256, "mmaction2"),
                    replace(MMACTION2, frames=frames, fps=30 / rate),
                    MMACTION_KEY_MAP,
                    about="ImageNet",
                    name=name,
                )
                for name, frames, rate, digits, top1, top5 in _SLOW_NL
            )
        ),
        **_PAPER,
    ),
    ModelCard(
        name="i3d_nl_r50_32",
        title="I3D-NL ResNet-50, 32 frames",
        idea="Five blocks in which every position looks at all others, compared by what it asks for and "
        "what they offer: the attention of Transformers, in a convolutional network.",
        build=i3d_nl_r50_32,
        attends=True,
        parameters=35_397_840,
        gmacs=44.339,
        published=(PublishedCost("mmaction2's code", "verified", 35_397_840, 44.339),),
        **_PAPER,
        **_mmaction2("embedded-gaussian", "afd8f562", 74.73, 91.80, 35_397_840),
    ),
    ModelCard(
        name="i3d_nl_r50_32_dot",
        title="I3D-NL ResNet-50, 32 frames, dot product",
        idea="The same network without the softmax: weights of both signs, which need not sum to one. "
        "It does nearly as well, so what helps is the reach, not the attention.",
        build=i3d_nl_r50_32_dot,
        attends=True,
        parameters=35_397_840,
        gmacs=44.339,
        published=(PublishedCost("mmaction2's code", "verified", 35_397_840, 44.339),),
        **_PAPER,
        **_mmaction2("dot-product", "8e1f2148", 74.80, 92.07, 35_397_840),
    ),
    ModelCard(
        name="i3d_nl_r50_32_gaussian",
        title="I3D-NL ResNet-50, 32 frames, Gaussian",
        idea="The same network without learned questions and offers: positions look at those whose "
        "features are already like theirs.",
        build=i3d_nl_r50_32_gaussian,
        attends=True,
        parameters=31_723_728,
        gmacs=41.723,
        published=(PublishedCost("mmaction2's code", "verified", 31_723_728, 41.723),),
        **_PAPER,
        **_mmaction2("gaussian", "0c5cbf5a", 73.97, 91.33, 31_723_728),
    ),
    ModelCard(
        name="c2d_nl_lab",
        title="C2D-NL (tiny)",
        tiny_of="c2d_nl_r50",
        idea="The small C2D with two blocks in which every position of every frame looks at all "
        "others, trained from scratch.",
        input=TINY_INPUT,
        build=c2d_nl_tiny,
        attends=True,
        parameters=2_371_839,
        gmacs=1.733,
        **_TINY,
    ),
    ModelCard(
        name="i3d_nl_lab",
        title="I3D-NL (tiny)",
        chapter="far",
        tiny_of="i3d_nl_r50",
        idea="The small I3D ResNet with two blocks in which every position of every frame looks at all "
        "others, trained from scratch.",
        input=TINY_INPUT,
        build=i3d_nl_tiny,
        attends=True,
        parameters=2_732_703,
        gmacs=2.667,
        **_TINY,
    ),
)
