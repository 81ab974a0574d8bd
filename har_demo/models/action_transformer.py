"""Video Action Transformer: a person asks the whole clip what matters (Girdhar et al., CVPR 2019).

The network was made to detect the actions of each person in a film. I3D gives features of the clip; a
box around a person, pooled from the centre frame, becomes the query of a transformer, and all positions
of the clip are its keys and values. Layer by layer the query collects what it finds there: hands, faces,
the others in the room.

Here the whole frame is the one box, so that the network answers as the other classifiers do: a clip in,
one score for each class out.

    layer                                             output for 3 × 64 × 400 × 400
    trunk      I3D up to mixed_4f                     832 × 16 × 25 × 25
    location   where a position lies, by two MLPs     848 × 16 × 25 × 25     8 channels each
    memory     all positions                          10,000 × 848
    query      centre frame, pooled to 7 × 7          848 × 7 × 7
               HighRes: 1×1 to 128, then one vector   128                    LowRes: the mean, to 128
    3 layers   two Tx units side by side              2 × 128
    fc                                                classes

A Tx unit projects the query to Q and the memory to K and V, 128 channels D each, and gives

    A  = softmax(QKᵀ/√D) V
    Q' = LayerNorm(Q + Dropout(A))
    Q" = LayerNorm(Q' + Dropout(FFN(Q')))

The authors published no code, and this is recalled, not checked against their text. Widths of the
location's MLPs and of the FFN, dropout, and that every unit has all 128 channels to itself are our
reading. Figures that Papers with Code lists speak for it: the detector has 19.3 M parameters with this
head (HighRes) and 16.2 M with I3D's own; the head below has 3.2 M. Beside the first stand 39.6 GFLOPs,
which cannot hold the trunk; for the paper's 300 boxes the head below takes 2 × 19.8 GMACs.

The lecture's list of references calls the network "ViT". That is the name of another one (Dosovitskiy
et al., 2021), which cuts a picture into patches and has no convolutional trunk.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from har_demo.labels import EVERYDAY, LABEL_SET
from har_demo.models.attention import AttentionMap, flat_positions, grid_of
from har_demo.models.card import ModelCard, ModelInput, PublishedCost
from har_demo.models.i3d import MIXED, i3d_trunk, outputs_of, scaled
from har_demo.models.label_sets import KINETICS400
from har_demo.models.tiny import TINY_INPUT

ROI = 7
"""Cells of a pooled box along height and width."""


class TxUnit(nn.Module):
    """One head of one layer: query [B, Q, inputs], memory [B, K, C] → updated query [B, Q, D].

    Args:
        inputs: channels of the query.
        memory: C.
        channels: D.

    >>> TxUnit(128, 848, 128)(torch.zeros(1, 300, 128), torch.zeros(1, 10_000, 848)).shape
    torch.Size([1, 300, 128])
    """

    def __init__(self, inputs: int, memory: int, channels: int):
        super().__init__()
        self.query = nn.Linear(inputs, channels)
        self.key = nn.Linear(memory, channels)
        self.value = nn.Linear(memory, channels)
        self.norm1 = nn.LayerNorm(channels)
        self.ffn = nn.Sequential(
            nn.Linear(channels, 4 * channels), nn.ReLU(), nn.Linear(4 * channels, channels)
        )
        self.norm2 = nn.LayerNorm(channels)
        self.dropout = nn.Dropout(0.1)

    def forward(self, query: Tensor, memory: Tensor) -> Tensor:
        q = self.query(query)
        a = F.scaled_dot_product_attention(q, self.key(memory), self.value(memory))
        q = self.norm1(q + self.dropout(a))
        return self.norm2(q + self.dropout(self.ffn(q)))

    def weights(self, query: Tensor, memory: Tensor) -> Tensor:
        """softmax(QKᵀ/√D), float [B, Q, K]."""
        q, k = self.query(query), self.key(memory)
        return (q @ k.mT / math.sqrt(q.shape[-1])).softmax(dim=-1)


class Layer(nn.Module):
    """Tx units side by side; their outputs in a row are the next layer's query."""

    def __init__(self, inputs: int, memory: int, channels: int, heads: int):
        super().__init__()
        self.units = nn.ModuleList(TxUnit(inputs, memory, channels) for _ in range(heads))

    def forward(self, query: Tensor, memory: Tensor) -> Tensor:
        return torch.cat([unit(query, memory) for unit in self.units], dim=-1)


class LocationEmbedding(nn.Module):
    """[B, C, T, H, W] → [B, C + 16, T, H, W]: each position is told when and where it is.

    Attention alone could not tell the first frame from the last. Moments and places are measured from
    the centre of the clip, which is where the query comes from, as shares of half its extent.
    """

    CHANNELS = 8 + 8

    def __init__(self):
        super().__init__()
        self.time = nn.Sequential(nn.Linear(1, 4), nn.ReLU(), nn.Linear(4, 8))
        self.place = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 8))

    def forward(self, x: Tensor) -> Tensor:
        axes = [(2 * torch.arange(n, device=x.device) + 1) / n - 1 for n in x.shape[2:]]
        t, h, w = torch.meshgrid(*axes, indexing="ij")
        time, place = self.time(t[..., None]), self.place(torch.stack((h, w), dim=-1))
        where = torch.cat((time, place), dim=-1).permute(3, 0, 1, 2)
        return torch.cat((x, where.to(x.dtype).expand(x.shape[0], -1, -1, -1, -1)), dim=1)


class HighResolutionQuery(nn.Module):
    """[B, C, 7, 7] → [B, channels]: fewer channels, then all cells in one vector.

    Unlike a mean, it still knows where in the box a hand is.
    """

    def __init__(self, inputs: int, channels: int):
        super().__init__()
        self.reduce = nn.Conv2d(inputs, channels, 1)
        self.combine = nn.Linear(channels * ROI * ROI, channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.combine(self.reduce(x).flatten(1))


class LowResolutionQuery(nn.Module):
    """[B, C, 7, 7] → [B, channels]: the mean of all cells."""

    def __init__(self, inputs: int, channels: int):
        super().__init__()
        self.reduce = nn.Linear(inputs, channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.reduce(x.mean(dim=(2, 3)))


class ActionTransformerHead(nn.Module):
    """Features [B, inputs, T, H, W] → what the query has collected, [B, heads · channels].

    Args:
        inputs: channels of the trunk's features.
        channels: D of every Tx unit.
        high_resolution: how the query is made of the box.
        layers, heads: Tx units behind one another and side by side.
    """

    kind = "transformer head"
    attention_by_layer = True

    def __init__(
        self,
        inputs: int,
        channels: int = 128,
        high_resolution: bool = True,
        layers: int = 3,
        heads: int = 2,
    ):
        super().__init__()
        self.location = LocationEmbedding()
        memory = inputs + LocationEmbedding.CHANNELS
        query = HighResolutionQuery if high_resolution else LowResolutionQuery
        self.query = query(memory, channels)
        widths = [channels] + [heads * channels] * (layers - 1)
        self.layers = nn.ModuleList(Layer(width, memory, channels, heads) for width in widths)

    def forward(self, x: Tensor) -> Tensor:
        query, memory = self.query_and_memory(x)
        for layer in self.layers:
            query = layer(query, memory)
        return query[:, 0]

    def query_and_memory(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Of the box, [B, 1, D], and of all positions, [B, T·H·W, C]."""
        x = self.location(x)
        # RoIPool of a box that is the whole frame.
        box = F.adaptive_max_pool2d(x[:, :, x.shape[2] // 2], ROI)
        return self.query(box)[:, None], x.flatten(2).transpose(1, 2)

    def attention(self, x: Tensor, at: Tensor | None = None) -> tuple[AttentionMap, ...]:
        """Return one map a layer: the attention of the box, the same for all of its positions."""
        query, memory = self.query_and_memory(x)
        box = (1, 1, 1)
        queries = flat_positions(at, box).to(x.device)
        maps = []
        for layer in self.layers:
            units: Any = layer.units
            weights = torch.stack([unit.weights(query, memory) for unit in units], dim=1)
            maps.append(AttentionMap(weights[:, :, queries], queries, box, grid_of(x)))
            query = layer(query, memory)
        return tuple(maps)


class ActionTransformer(nn.Module):
    """float [B, 3, T, H, W] → logits [B, classes]; any T and size.

    Args:
        classes: number of outputs.
        width: all channels of the trunk are I3D's times this.
        channels: D of the head.
        high_resolution: see ActionTransformerHead.

    >>> ActionTransformer(400)(torch.zeros(1, 3, 64, 400, 400)).shape
    torch.Size([1, 400])
    """

    def __init__(
        self,
        classes: int,
        width: float = 1.0,
        channels: int = 128,
        high_resolution: bool = True,
    ):
        super().__init__()
        self.trunk = i3d_trunk(width=width, last="mixed_4f")
        features = outputs_of(scaled(MIXED["4f"], width))
        self.head = ActionTransformerHead(features, channels, high_resolution)
        self.fc = nn.Linear(2 * channels, classes)

        for module in self.trunk.modules():
            if isinstance(module, nn.Conv3d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.head(self.trunk(x)))


def action_transformer(classes: int) -> ActionTransformer:
    """The paper's head with a high-resolution query, on its trunk."""
    return ActionTransformer(classes)


def action_transformer_lowres(classes: int) -> ActionTransformer:
    """The same with the mean of the box as its query."""
    return ActionTransformer(classes, high_resolution=False)


def action_transformer_tiny(classes: int) -> ActionTransformer:
    """Trunk and head at half of their widths: 4 × 7 × 7 positions answer."""
    return ActionTransformer(classes, width=1 / 2, channels=64)


_ABOUT: dict[str, Any] = {
    "family": "Video transformer",
    "year": 2019,
    "paper": "Girdhar et al., Video Action Transformer Network, CVPR 2019",
    "paper_url": "https://arxiv.org/abs/1812.02707",
}
_INPUT = ModelInput(
    frames=64,
    fps=25.0,  # "about 3 seconds" of context
    resize=400,
    crop=(400, 400),
    mean=(0.5, 0.5, 0.5),
    std=(0.5, 0.5, 0.5),
)
_NOTE = (
    "A reconstruction: no code and no weights were published. The paper's are the I3D trunk, the query "
    "from the centre frame, and three layers of two Tx units with 128 channels. Ours are the whole frame "
    "as the one box in place of a person's, a softmax over the classes in place of 80 sigmoids, and "
    "widths that the paper's figures do not settle."
)

CARDS: tuple[ModelCard, ...] = (
    ModelCard(
        name="action_transformer",
        title="Action Transformer (HighRes)",
        chapter="transformer",
        idea="What is seen in the centre frame becomes a question to the whole clip: attention picks "
        "the moments and places that answer it, such as hands, faces and other people.",
        size="paper",
        input=_INPUT,
        label_set="Kinetics-400",
        classes=KINETICS400,
        build=action_transformer,
        attends=True,
        parameters=10_804_788,
        gmacs=361.539,
        published=(
            PublishedCost(
                "Papers with Code: the whole detector of 80 actions, with box proposals",
                "printed",
                19.3e6,
                classes=80,
            ),
        ),
        note=_NOTE,
        **_ABOUT,
    ),
    ModelCard(
        name="action_transformer_lowres",
        title="Action Transformer (LowRes)",
        idea="The same question asked more coarsely: the mean of the centre frame, which no longer "
        "tells where in it a hand is.",
        size="paper",
        input=_INPUT,
        label_set="Kinetics-400",
        classes=KINETICS400,
        build=action_transformer_lowres,
        attends=True,
        parameters=10_001_844,
        gmacs=361.533,
        note=_NOTE,
        **_ABOUT,
    ),
    ModelCard(
        name="action_transformer_lab",
        title="Action Transformer (tiny)",
        chapter="transformer",
        tiny_of="action_transformer",
        idea="Half of I3D's width, and a query that asks 196 places of the clip; fed with the change "
        "from frame to frame and trained from scratch.",
        size="tiny",
        input=TINY_INPUT,
        label_set=LABEL_SET,
        classes=EVERYDAY,
        build=action_transformer_tiny,
        attends=True,
        parameters=2_708_587,
        gmacs=2.188,
        note=_NOTE,
        **_ABOUT,
    ),
)
