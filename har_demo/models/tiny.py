"""The common input of all tiny models: small views of two seconds, so that they can be compared."""

from dataclasses import replace

from .card import ModelInput

TINY_INPUT = ModelInput(
    frames=16,
    fps=8.0,  # two seconds: sitting down or one jump takes as long
    resize=(112, 112),  # the whole picture, squeezed, so that nobody stands outside the crop
    crop=(112, 112),
    mean=(0.5, 0.5, 0.5),
    std=(0.25, 0.25, 0.25),
    antialias=True,
    standardise=True,
)
"""RGB, 16 frames at 8 a second, whatever the light. Models that want fewer frames take them from the same
two seconds."""

TINY_DIFFERENCE = replace(TINY_INPUT, modality="difference")
"""The change from each frame to the next, sixteen of them. It suits networks whose filters look at one picture at
a time: of plain frames these learn the place, which says nothing where nobody has filmed before
(results/measured/ablations.md, differences)."""

TINY_CHANGE = replace(TINY_DIFFERENCE, frames=1, fps=4.0)
"""One change, over a quarter of a second: from one over an eighth, networks that see no other learned less of
dark places."""

TINY_FLOW = replace(TINY_INPUT, modality="flow", flow_frames=16, flow_limit=8.0, flow_method="DIS")
"""Sixteen fields of optical flow between frames an eighth of a second apart. On rendered and filmed clips
alike 8 pixels are more than 99 in 100 points move in that time; only exercises seen from close by move
faster, at 3 in 100."""
