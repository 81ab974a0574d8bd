"""FlowNetS and FlowNetC, the first networks that learned optical flow, after Dosovitskiy et al. (ICCV 2015).

    both frames ──contract to 1/64──▶ flow at 1/64 ──┐
                  features at 1/32 ──────────────────┴─▶ flow at 1/32 ─▶ … ─▶ flow at 1/4

The simple network (S) sees both frames as one picture of six channels and has to find out by itself what
to compare. The other (C) looks at each frame alone, and a layer without parameters compares what it saw:
every place of the first frame with 21 × 21 places around it in the second.

Parameters are named as in ClementPinard/FlowNetPytorch, whose files fit; the code is this project's own.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

WIDTHS = (64, 128, 256, 512, 512, 1024)
LAB_WIDTHS = (24, 40, 64, 80, 96, 128)
SCALE = 20.0
"""Networks answer in units of so many pixels: numbers near 1 are easier to learn."""

COARSEST = 64  # sides of pictures are multiples of it, so that every level has whole pixels
MEAN = (0.45, 0.432, 0.411)  # of the red, green and blue of FlyingChairs, in [0, 1]
REACH, STEP = 20, 2  # of the correlation, in pixels of the features: 21 × 21 places


class FlowNet(nn.Module):
    """The layers of both networks behind the third convolution.

    Args:
        widths: channels of the six levels, at 1/2 to 1/64 of the picture.
    """

    def __init__(self, widths: tuple[int, ...]):
        super().__init__()
        one, two, three, four, five, six = widths
        self.conv4 = _conv(three, four, stride=2)
        self.conv4_1 = _conv(four, four)
        self.conv5 = _conv(four, five, stride=2)
        self.conv5_1 = _conv(five, five)
        self.conv6 = _conv(five, six, stride=2)
        self.conv6_1 = _conv(six, six)

        # At each level meet: its features, the coarser level's, enlarged, and the coarser flow.
        at5, at4, at3, at2 = five + four + 2, four + three + 2, three + two + 2, two + one + 2
        self.deconv5 = _deconv(six, four)
        self.deconv4 = _deconv(at5, three)
        self.deconv3 = _deconv(at4, two)
        self.deconv2 = _deconv(at3, one)
        self.predict_flow6 = _head(six)
        self.predict_flow5 = _head(at5)
        self.predict_flow4 = _head(at4)
        self.predict_flow3 = _head(at3)
        self.predict_flow2 = _head(at2)
        self.upsampled_flow6_to_5 = _enlarge_flow()
        self.upsampled_flow5_to_4 = _enlarge_flow()
        self.upsampled_flow4_to_3 = _enlarge_flow()
        self.upsampled_flow3_to_2 = _enlarge_flow()

    def flows(self, at2: Tensor, at3: Tensor) -> list[Tensor]:
        """Features at 1/4 and 1/8 of the picture → flows [B, 2, h, w] at 1/4, 1/8 … 1/64, over SCALE."""
        at4 = self.conv4_1(self.conv4(at3))
        at5 = self.conv5_1(self.conv5(at4))
        at6 = self.conv6_1(self.conv6(at5))

        flow6 = self.predict_flow6(at6)
        at5 = torch.cat([at5, self.deconv5(at6), self.upsampled_flow6_to_5(flow6)], 1)
        flow5 = self.predict_flow5(at5)
        at4 = torch.cat([at4, self.deconv4(at5), self.upsampled_flow5_to_4(flow5)], 1)
        flow4 = self.predict_flow4(at4)
        at3 = torch.cat([at3, self.deconv3(at4), self.upsampled_flow4_to_3(flow4)], 1)
        flow3 = self.predict_flow3(at3)
        at2 = torch.cat([at2, self.deconv2(at3), self.upsampled_flow3_to_2(flow3)], 1)
        return [self.predict_flow2(at2), flow3, flow4, flow5, flow6]

    def start(self) -> None:
        """First parameters: as wide as keeps the size of what flows through, biases nothing."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.kaiming_normal_(module.weight, 0.1)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)


class FlowNetS(FlowNet):
    """Both frames as one picture. The paper's size has 38,675,536 parameters.

    forward: two pictures [B, 3, H, W] less MEAN, H and W multiples of COARSEST → flows [B, 2, h, w] in
    units of SCALE pixels of the whole picture, at 1/4, 1/8, 1/16, 1/32 and 1/64 of its size.
    """

    def __init__(self, widths: tuple[int, ...] = WIDTHS):
        super().__init__(widths)
        one, two, three = widths[:3]
        self.conv1 = _conv(6, one, 7, stride=2)
        self.conv2 = _conv(one, two, 5, stride=2)
        self.conv3 = _conv(two, three, 5, stride=2)
        self.conv3_1 = _conv(three, three)
        self.start()

    def forward(self, before: Tensor, after: Tensor) -> list[Tensor]:
        at2 = self.conv2(self.conv1(torch.cat([before, after], 1)))
        return self.flows(at2, self.conv3_1(self.conv3(at2)))


class FlowNetC(FlowNet):
    """Each frame by itself, then compared. The paper's size has 39,174,320 parameters.

    forward: as FlowNetS.
    """

    def __init__(self, widths: tuple[int, ...] = WIDTHS):
        super().__init__(widths)
        one, two, three = widths[:3]
        self.conv1 = _conv(3, one, 7, stride=2)
        self.conv2 = _conv(one, two, 5, stride=2)
        self.conv3 = _conv(two, three, 5, stride=2)
        self.conv_redir = _conv(three, three // 8, 1)
        self.conv3_1 = _conv(three // 8 + (2 * REACH // STEP + 1) ** 2, three)
        self.start()

    def forward(self, before: Tensor, after: Tensor) -> list[Tensor]:
        at2 = self.conv2(self.conv1(before))
        seen, compared_with = self.conv3(at2), self.conv3(self.conv2(self.conv1(after)))
        alike = F.leaky_relu(correlation(seen, compared_with), 0.1)
        return self.flows(at2, self.conv3_1(torch.cat([self.conv_redir(seen), alike], 1)))


def correlation(before: Tensor, after: Tensor, reach: int = REACH, step: int = STEP) -> Tensor:
    """Return the similarity of every place of one picture to the places around it in the other.

    Args:
        before, after: features [B, C, H, W].
        reach: how far away places are compared, in pixels, a multiple of step.
        step: from one displacement to the next.

    Returns:
        [B, D², H, W], D = 2 · reach / step + 1: the mean product of the C features of a place and of the
        one that lies `dy` below and `dx` to the right, row after row of displacements from −reach
        to reach; 0 where that is outside.

    >>> correlation(torch.ones(1, 8, 4, 4), torch.ones(1, 8, 4, 4), 2, 1)[0, 12]
    tensor([[1., 1., 1., 1.],
            [1., 1., 1., 1.],
            [1., 1., 1., 1.],
            [1., 1., 1., 1.]])
    """
    height, width = before.shape[-2:]
    around = F.pad(after, (reach,) * 4)
    # One displacement at a time: all at once would hold D² copies of the features.
    moves = range(0, 2 * reach + 1, step)
    products = [
        (before * around[..., y : y + height, x : x + width]).mean(1) for y in moves for x in moves
    ]
    return torch.stack(products, 1)


def centred(picture: Tensor) -> Tensor:
    """Pictures [B, 3, H, W] in [0, 1] as the networks take them."""
    return picture - torch.tensor(MEAN, device=picture.device).view(3, 1, 1)


def answer(network: nn.Module, before: Tensor, after: Tensor) -> Tensor:
    """The finest flow, enlarged to the size of the pictures [B, 3, H, W] in [0, 1]; in pixels."""
    finest = network(centred(before), centred(after))[0] * SCALE
    return F.interpolate(finest, before.shape[-2:], mode="bilinear", align_corners=False)


def flownet_lab() -> FlowNetS:
    """A FlowNetS small enough to be trained here in minutes and shipped: 1,138,256 parameters."""
    return FlowNetS(LAB_WIDTHS)


def _conv(inside: int, outside: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(inside, outside, kernel, stride, padding=kernel // 2)
    return nn.Sequential(convolution, nn.LeakyReLU(0.1, inplace=True))


def _deconv(inside: int, outside: int) -> nn.Sequential:
    larger = nn.ConvTranspose2d(inside, outside, 4, stride=2, padding=1, bias=False)
    return nn.Sequential(larger, nn.LeakyReLU(0.1, inplace=True))


def _head(inside: int) -> nn.Conv2d:
    return nn.Conv2d(inside, 2, 3, padding=1, bias=False)


def _enlarge_flow() -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(2, 2, 4, stride=2, padding=1, bias=False)
