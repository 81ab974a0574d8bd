"""Four convolutions over space and time beside each other, by the lecture's formulas (1) to (3).

    (1)  parameters   = C_out · C_in/G · k³
    (2)  multiply-adds = (1) · T·H·W
    (3)  interactions = C_out · (C_in/G choose 2)

Two of them are made of two convolutions, whose figures add up. The formulas are those of
har_demo.models.csn, and a test builds each convolution out of our own modules and counts it.
"""

from dataclasses import dataclass

from har_demo.errors import ChoiceError
from har_demo.models.csn import channel_interactions
from har_demo.models.r2plus1d import middle_channels

MOST_CHANNELS, MOST_PLACES = 2048, 10_000_000
KERNELS = (1, 3, 5, 7)


@dataclass(frozen=True)
class Part:
    """One convolution: (time, height, width) of its kernel, channels in and out, groups."""

    kernel: tuple[int, int, int]
    inputs: int
    outputs: int
    groups: int = 1

    @property
    def parameters(self) -> int:
        """Formula (1), the kernel's places in place of k³."""
        t, h, w = self.kernel
        return self.outputs * (self.inputs // self.groups) * t * h * w

    @property
    def interactions(self) -> int:
        """Formula (3)."""
        return channel_interactions(self.inputs, self.outputs, self.groups)


@dataclass(frozen=True)
class Convolution:
    """One way to look around in space and time.

    Attributes:
        name: 'ordinary', '(2+1)D', 'ip-separated' or 'ir-separated'.
        idea: one sentence.
        parts: one after another; none where this way cannot have such channels.
        parameters, macs, interactions: all parts together.
    """

    name: str
    idea: str
    parts: tuple[Part, ...]
    parameters: int
    macs: int
    interactions: int


def convolutions(
    inputs: int = 64,
    outputs: int = 64,
    kernel: int = 3,
    groups: int = 1,
    frames: int = 8,
    side: int = 28,
) -> tuple[Convolution, ...]:
    """The four ways for the same channels, kernel and places; groups are the ordinary one's.

    Args:
        inputs, outputs: channels.
        kernel: its side k, odd.
        groups: must divide both.
        frames, side: T, and H = W, of what goes out; strides are 1.

    Raises:
        ChoiceError: the sentence says which number cannot be.

    Example:
        >>> [c.parameters for c in convolutions(64, 64, 3)]
        [110592, 110592, 5824, 1728]
    """
    _check(inputs, outputs, kernel, groups, frames, side)
    k, middle = kernel, middle_channels(inputs, outputs, kernel, kernel)
    ways = (
        (
            "ordinary",
            "Every output looks at all channels of its group, at k³ places at once.",
            (Part((k, k, k), inputs, outputs, groups),),
        ),
        (
            "(2+1)D",
            f"First within each frame, to {middle} channels, then along time: about as many "
            "parameters as the ordinary one without groups, and a ReLU more in between.",
            (Part((1, k, k), inputs, middle), Part((k, 1, 1), middle, outputs)),
        ),
        (
            "ip-separated",
            "Interactions preserved: a 1×1×1 mixes the channels, then each looks around alone.",
            (Part((1, 1, 1), inputs, outputs), Part((k, k, k), outputs, outputs, outputs)),
        ),
        (
            "ir-separated",
            "Interactions reduced: each channel looks around alone, and nothing here mixes them."
            if inputs == outputs
            else "Interactions reduced: each channel looks around alone, so that as many must go out "
            "as come in.",
            (Part((k, k, k), inputs, outputs, inputs),) if inputs == outputs else (),
        ),
    )
    places = frames * side * side
    return tuple(
        Convolution(
            name,
            idea,
            parts,
            sum(part.parameters for part in parts),
            sum(part.parameters for part in parts) * places,
            sum(part.interactions for part in parts),
        )
        for name, idea, parts in ways
    )


def _check(inputs, outputs, kernel, groups, frames, side) -> None:
    for value in (inputs, outputs, kernel, groups, frames, side):
        if value is None or value != int(value) or value < 1:
            raise ChoiceError(
                "Channels, kernel, groups, frames and side are whole numbers from 1 on."
            )
    if max(inputs, outputs) > MOST_CHANNELS:
        raise ChoiceError(f"Give at most {MOST_CHANNELS} channels.")
    if kernel not in KERNELS:
        raise ChoiceError(
            f"A kernel's side is {', '.join(map(str, KERNELS[:-1]))} or {KERNELS[-1]}."
        )
    if inputs % groups or outputs % groups:
        raise ChoiceError(
            f"{groups} groups do not divide {inputs} channels in and {outputs} out: take a number "
            "that divides both."
        )
    if frames * side * side > MOST_PLACES:
        raise ChoiceError("These are more places than any network here has: take fewer.")
