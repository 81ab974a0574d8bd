"""Image networks with a memory: LRCN, ConvNet+LSTM, DB-LSTM, and LRCN with gated recurrent units.

An image network turns each frame x_t into features, and a recurrent layer reads them in order. An
LSTM keeps a cell c_t beside its output h_t, and gates decide what is forgotten, written and shown:

    i, f, o = σ(W_xi x_t + W_hi h_t-1 + b_i), likewise f and o
    g       = tanh(W_xg x_t + W_hg h_t-1 + b_g)
    c_t     = f · c_t-1 + i · g
    h_t     = o · tanh(c_t)

A GRU makes do with two gates and no cell of its own: three quarters of the weights.

    network       frames           features of a frame     memory             answer
    LRCN          16 in a row      CaffeNet variant, 4096  LSTM 256           softmax of each step,
                                                                              averaged
    ConvNet+LSTM  25, every fifth  Inception-v1, 1024      norm, LSTM 512     the last step's
    DB-LSTM       6, every sixth   AlexNet's scores, 1000  2 × bidirectional  from both directions'
                                                           LSTM 256           last states

LRCN: Donahue et al., CVPR 2015; layers and sizes as in its public configuration. ConvNet+LSTM:
network (a) of Carreira and Zisserman, CVPR 2017. DB-LSTM: Ullah et al., IEEE Access 2018.

The lecture shows DB-LSTM's figure under a citation of Karpathy et al., who have no LSTM. Its 87.64
% of DB-LSTM on HMDB51 is far above all else it lists for that set, and not to be compared. It also
names the price of a memory: a step has to wait for the one before it, so that a GPU cannot compute
them side by side.
"""

import math
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models import alexnet, googlenet

from har_demo.labels import EVERYDAY, LABEL_SET
from har_demo.models.card import Accuracy, ModelCard, ModelInput, PublishedCost
from har_demo.models.label_sets import KINETICS400, UCF101
from har_demo.models.resnet2d import frame_by_frame, pooled_resnet2d
from har_demo.models.tiny import TINY_DIFFERENCE


class LRCN(nn.Module):
    """float [B, 3, T, H, W] → logits [B, classes]; any T.

    Args:
        features: an image network, [N, 3, H, W] → [N, channels].
        channels: of its features.
        memory: nn.LSTM or nn.GRU.
        classes: number of outputs.

    >>> lrcn(101)(torch.zeros(1, 3, 16, 227, 227)).shape
    torch.Size([1, 101])
    """

    def __init__(
        self, features: nn.Module, channels: int, memory: type[nn.LSTM | nn.GRU], classes: int
    ):
        super().__init__()
        self.features = features
        self.memory = memory(channels, 256, batch_first=True)
        self.dropout = nn.Dropout(0.5)
        self.fc = nn.Linear(256, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = frame_by_frame(self.features, x)  # [B, T, channels]
        states, _ = self.memory(x)  # [B, T, 256]
        return average_of_softmaxes(self.fc(self.dropout(states)))


def average_of_softmaxes(scores: Tensor) -> Tensor:
    """Each step's logits [B, T, classes] → logits [B, classes] whose softmax is the average.

    The paper averages probabilities. Their logarithm is a logit: log of the mean over t of
    softmax(scores_t).

    >>> average_of_softmaxes(torch.tensor([[[0.0, 0.0], [2.0, -2.0]]])).softmax(1)
    tensor([[0.7410, 0.2590]])
    """
    return scores.log_softmax(dim=2).logsumexp(dim=1) - math.log(scores.shape[1])


class ConvNetLSTM(nn.Module):
    """float [B, 3, T, H, W] → logits [B, classes], those after the last frame; any T.

    Args:
        features: an image network, [N, 3, H, W] → [N, channels].
        channels: of its features.
        classes: number of outputs.

    >>> convnet_lstm(400)(torch.zeros(1, 3, 25, 224, 224)).shape
    torch.Size([1, 400])
    """

    def __init__(self, features: nn.Module, channels: int, classes: int):
        super().__init__()
        self.features = nn.Sequential(features, nn.BatchNorm1d(channels))
        self.memory = nn.LSTM(channels, 512, batch_first=True)
        self.fc = nn.Linear(512, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = frame_by_frame(self.features, x)  # [B, T, channels]
        states, _ = self.memory(x)  # [B, T, 512]
        return self.fc(states[:, -1])


class DBLSTM(nn.Module):
    """float [B, 3, T, H, W] → logits [B, classes]; any T.

    Two layers, each of one LSTM from the first frame to the last and one from the last to the
    first. The second layer reads both of the first at every step, so that it knows what comes as
    well as what was.

    Args:
        features: an image network, [N, 3, H, W] → [N, channels].
        channels: of its features.
        hidden: units of each LSTM.
        classes: number of outputs.

    >>> db_lstm(101)(torch.zeros(1, 3, 6, 224, 224)).shape
    torch.Size([1, 101])
    """

    def __init__(self, features: nn.Module, channels: int, hidden: int, classes: int):
        super().__init__()
        self.features = features
        self.memory = nn.LSTM(channels, hidden, num_layers=2, bidirectional=True, batch_first=True)
        self.fc = nn.Linear(2 * hidden, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = frame_by_frame(self.features, x)  # [B, T, channels]
        _, (last, _) = self.memory(x)  # [layers · directions, B, hidden]
        # Forward after the last frame, and backward after the first.
        return self.fc(torch.cat([last[-2], last[-1]], dim=1))


class CaffeNet(nn.Module):
    """LRCN's image network: float [N, 3, 227, 227] → [N, 4096], the features of fc6.

    Zeiler and Fergus's variant of AlexNet, wider in the middle; some convolutions have two groups,
    a custom of times when a network was split between two GPUs.

        conv1  96 × 111 × 111     pool1  96 × 55 × 55
        conv2  384 × 26 × 26      pool2  384 × 13 × 13
        conv3  512 × 13 × 13
        conv4  512 × 13 × 13
        conv5  384 × 13 × 13      pool5  384 × 6 × 6
        fc6    4096
    """

    def __init__(self):
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.Conv2d(3, 96, 7, stride=2),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2),
            nn.LocalResponseNorm(5),
            nn.Conv2d(96, 384, 5, stride=2, groups=2),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2, ceil_mode=True),  # Caffe's pools round up
            nn.LocalResponseNorm(5),
            nn.Conv2d(384, 512, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(512, 512, 3, padding=1, groups=2),
            nn.ReLU(),
            nn.Conv2d(512, 384, 3, padding=1, groups=2),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2),
        )
        self.fc6 = nn.Linear(384 * 6 * 6, 4096)
        self.dropout = nn.Dropout(0.9)

    def forward(self, x: Tensor) -> Tensor:
        x = self.convolutions(x).flatten(1)
        return self.dropout(self.fc6(x).relu())


def lrcn(classes: int) -> LRCN:
    """LRCN on RGB."""
    return LRCN(CaffeNet(), 4096, nn.LSTM, classes)


def convnet_lstm(classes: int) -> ConvNetLSTM:
    """Over torchvision's Inception-v1 up to its pooled features."""
    network = googlenet(weights=None, aux_logits=False, transform_input=False, init_weights=False)
    network.fc = nn.Identity()
    return ConvNetLSTM(network, 1024, classes)


def db_lstm(classes: int) -> DBLSTM:
    """Over the 1000 scores of torchvision's AlexNet."""
    return DBLSTM(alexnet(weights=None), 1000, 256, classes)


def lrcn_tiny(classes: int) -> LRCN:
    """LRCN over the small image network that all 2D systems share."""
    return LRCN(pooled_resnet2d(), 256, nn.LSTM, classes)


def gru_tiny(classes: int) -> LRCN:
    """The same with gated recurrent units."""
    return LRCN(pooled_resnet2d(), 256, nn.GRU, classes)


def db_lstm_tiny(classes: int) -> DBLSTM:
    """Half of the units over the small image network that all 2D systems share."""
    return DBLSTM(pooled_resnet2d(), 256, 128, classes)


_LRCN: dict[str, Any] = {
    "family": "Recurrent",
    "year": 2015,
    "paper": "Donahue et al., Long-term Recurrent Convolutional Networks for Visual Recognition "
    "and Description, CVPR 2015",
    "paper_url": "https://arxiv.org/abs/1411.4389",
}
_DB_LSTM: dict[str, Any] = {
    "family": "Recurrent",
    "year": 2018,
    "paper": "Ullah et al., Action Recognition in Video Sequences using Deep Bi-Directional LSTM "
    "With CNN Features, IEEE Access 2018",
    "paper_url": "https://doi.org/10.1109/ACCESS.2017.2778011",
}
_GRU: dict[str, Any] = {
    "family": "Recurrent",
    "year": 2014,
    "paper": "Cho et al., Learning Phrase Representations using RNN Encoder-Decoder for "
    "Statistical Machine Translation, EMNLP 2014",
    "paper_url": "https://arxiv.org/abs/1406.1078",
}
_I3D_TABLE = "lecture, I3D table"

CARDS: tuple[ModelCard, ...] = (
    ModelCard(
        name="lrcn",
        title="LRCN",
        chapter="recurrent",
        hue=48,
        **_LRCN,
        idea="Gives an image network a memory: an LSTM reads the frames' features in order and "
        "answers after each, and the answers are averaged.",
        size="paper",
        # 16 frames in a row; 25 a second is UCF101's own rate. The public configuration feeds BGR
        # and so lists its means; here they are in the order of RGB.
        input=ModelInput(
            frames=16,
            fps=25.0,
            resize=(240, 320),
            crop=(227, 227),
            mean=(128.68 / 255, 116.779 / 255, 103.939 / 255),
            std=(1 / 255, 1 / 255, 1 / 255),
        ),
        label_set="UCF101",
        classes=UCF101,
        build=lrcn,
        parameters=65_422_309,
        gmacs=19.110,
        accuracy=(
            Accuracy("UCF101", 71.1, None, "RGB, windows of 16 frames", "lecture, C3D table"),
        ),
        note="Its weights exist for Caffe only. PyTorch's LSTM has two biases where Caffe's has "
        "one: 1,024 parameters more.",
    ),
    ModelCard(
        name="convnet_lstm",
        title="ConvNet+LSTM (Inception-v1)",
        chapter="recurrent",
        family="Recurrent",
        year=2017,
        paper="Carreira and Zisserman, Quo Vadis, Action Recognition? A New Model and the Kinetics "
        "Dataset, CVPR 2017",
        paper_url="https://arxiv.org/abs/1705.07750",
        idea="An LSTM watches five seconds of Inception's features and answers when it has seen "
        "the last frame: what I3D was measured against.",
        size="paper",
        input=ModelInput(
            frames=25,
            fps=5.0,
            resize=256,
            crop=(224, 224),
            mean=(0.5, 0.5, 0.5),
            std=(0.5, 0.5, 0.5),
        ),
        label_set="Kinetics-400",
        classes=KINETICS400,
        build=convnet_lstm,
        parameters=8_956_976,
        gmacs=37.513,
        accuracy=(
            Accuracy("UCF101", 81.0, None, "split 1, RGB, 50 frames of ten seconds", _I3D_TABLE),
            Accuracy("HMDB51", 36.0, None, "split 1, RGB, 50 frames of ten seconds", _I3D_TABLE),
            Accuracy("miniKinetics", 69.9, None, "RGB, 50 frames of ten seconds", _I3D_TABLE),
        ),
        published=(PublishedCost(_I3D_TABLE, "printed", parameters=9e6),),
        note="No weights are public. The paper has batch normalisation in its LSTM; here it stands "
        "in front of it. It trains on the answers after every frame, this one on the last.",
    ),
    ModelCard(
        name="db_lstm",
        title="DB-LSTM",
        chapter="recurrent",
        **_DB_LSTM,
        idea="Two layers of LSTMs read AlexNet's scores of every sixth frame forwards and "
        "backwards, so that each moment is seen with its past and its future.",
        size="paper",
        input=ModelInput(
            frames=6,
            fps=5.0,  # every sixth of 30 a second
            resize=256,
            crop=(224, 224),
            mean=(0.485, 0.456, 0.406),
            std=(0.229, 0.224, 0.225),
        ),
        label_set="UCF101",
        classes=UCF101,
        build=db_lstm,
        parameters=65_305_997,
        gmacs=4.310,
        accuracy=(
            Accuracy("UCF101", 91.21, None, "the authors' own protocol", "lecture, DB-LSTM table"),
            Accuracy("YouTube", 92.84, None, "the authors' own protocol", "lecture, DB-LSTM table"),
        ),
        note="A reconstruction: neither code nor weights are public, and the 256 units of each "
        "LSTM are our assumption.",
    ),
    ModelCard(
        name="lrcn_lab",
        title="LRCN (tiny)",
        chapter="recurrent",
        tiny_of="lrcn",
        **_LRCN,
        idea="An LSTM reads what the shared small image network sees in sixteen changes from frame to "
        "frame, in order, and its answers after each are averaged.",
        size="tiny",
        input=TINY_DIFFERENCE,
        label_set=LABEL_SET,
        classes=EVERYDAY,
        build=lrcn_tiny,
        parameters=1_766_599,
        gmacs=3.327,
    ),
    ModelCard(
        name="gru_lab",
        title="GRU (tiny)",
        chapter="recurrent",
        **_GRU,
        idea="LRCN with gated recurrent units in place of the LSTM: two gates instead of three, "
        "no separate cell, three quarters of the memory's weights.",
        size="tiny",
        input=TINY_DIFFERENCE,
        label_set=LABEL_SET,
        classes=EVERYDAY,
        build=gru_tiny,
        parameters=1_635_015,
        gmacs=3.325,
    ),
    ModelCard(
        name="db_lstm_lab",
        title="DB-LSTM (tiny)",
        chapter="recurrent",
        tiny_of="db_lstm",
        **_DB_LSTM,
        idea="Six changes from frame to frame, seen by the shared small image network and read forwards "
        "and backwards by two layers of small LSTMs.",
        size="tiny",
        input=replace(TINY_DIFFERENCE, frames=6, fps=3.0),
        label_set=LABEL_SET,
        classes=EVERYDAY,
        build=db_lstm_tiny,
        parameters=2_030_791,
        gmacs=1.249,
    ),
)
