"""Whether a prompt names one of the 39 actions that the learned prompts and their transformer know.

A prompt is near when it comes as close as NEAR, a cosine of MiniLM's centred sentences, to the name of one of
the actions, alone or after "a person". NEAR was chosen on every second of these sentences and measured on
the others (tests/test_prompts/test_nearness.py does it again):

    near    captions of the 39 actions in other words, and names of Kinetics-400 and UCF101 that mean one
            of them ("jogging", "Body weight squats"), alone or after "a person": 95 % are near
    far     the other names of both lists, without those that one may argue about ("long jump", "marching"):
            92 % are far; nearest of all come "ski jumping", "curling hair" and "catching fish"
"""

from collections.abc import Sequence

from torch import Tensor

from har_demo.labels import EVERYDAY

NEAR = 0.56
NAMES = (*EVERYDAY, *(f"a person {name}" for name in EVERYDAY))
AT_CHANCE = "at chance outside its 39 actions (4.4 % of 45 clips, guessing 3.4 %)"
"""Top-1 of the learned transformer on real clips of 29 other actions."""


def far(similarity: Tensor) -> Tensor:
    """Bool [P]: which prompts are near none of the actions, by their cosines with NAMES, float [P, N]."""
    return similarity.amax(dim=1) < NEAR


def notes(prompts: Sequence[str], similarity: Tensor) -> tuple[str, ...]:
    """A sentence about the prompts that the learned transformer does not know, if there are any."""
    unknown = [prompt for prompt, one in zip(prompts, far(similarity), strict=True) if one]
    if not unknown:
        return ()
    others = len(unknown) - 1
    more = f" and {others} other{'s' * (others > 1)}" if others else ""
    verb = "are" if others else "is"
    return (
        f"'{unknown[0][:40]}'{more} {verb} not near any action that the learned transformer knows, and it "
        f"is {AT_CHANCE}: choose another pooling.",
    )
