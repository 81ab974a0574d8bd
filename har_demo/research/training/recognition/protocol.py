"""The one protocol all lab-size models are trained under, read from protocol.toml."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("protocol.toml")


@dataclass(frozen=True)
class Protocol:
    """Shares and chances are between 0 and 1; a factor f means anything between 1 / f and f.

    Attributes:
        seeds: one training each; the table shows their mean and spread.
        batch: windows of one step.
        pretrain_steps, pretrain_rate: the first stage, on rendered clips; its learning rate at most.
        finetune_steps, finetune_rate: the second, on rendered and real clips.
        transformer_rate: share of these rates for video transformers.
        warm_up: share of a stage's steps in which the rate rises; then it falls as a cosine.
        easing: share of the first stage's steps in which clips become as hard as they will be.
        decay: AdamW's weight decay, of matrices alone.
        smoothing: of the labels.
        clip_norm: gradients longer than this are shortened.
        average: the network that is kept is a running mean over about this share of a stage's steps.
        real_share: of a batch in the second stage.
        rendered_clips, rendered_seed: what is rendered for training.
        test_clips, test_seed: what is rendered for testing.
        fitted_clips: rendered ones of each class that a fitted model learns from, beside all real ones.
        speed: factor.
        backwards: chance, where played backwards the action has a name.
        smallest_crop: share of the picture's side; its aspect changes by the factor `aspect`.
        mirror: chance.
        drift: of the camera, at most about so much of the side per frame; `drifting` is its chance.
        blend: chance that a still frame of another clip lies over this one, as strong as `blend_most`.
        grey: chance of a picture without colours.
        gamma: factor of the exponent.
        relight: chance of another mean brightness, between `darkest` and `brightest`.
        noise: deviation at most, of that mean; `noisy` is its chance.
    """

    seeds: tuple[int, ...]
    batch: int
    pretrain_steps: int
    finetune_steps: int
    pretrain_rate: float
    finetune_rate: float
    transformer_rate: float
    warm_up: float
    easing: float
    decay: float
    smoothing: float
    clip_norm: float
    average: float
    real_share: float
    rendered_clips: int
    rendered_seed: int
    test_clips: int
    test_seed: int
    fitted_clips: int
    speed: float
    backwards: float
    smallest_crop: float
    aspect: float
    mirror: float
    drift: float
    drifting: float
    blend: float
    blend_most: float
    grey: float
    gamma: float
    relight: float
    darkest: float
    brightest: float
    noise: float
    noisy: float


def read_protocol(file: Path = FILE) -> Protocol:
    """The protocol of a file; TypeError when a name is missing or unknown."""
    values = tomllib.loads(file.read_text(encoding="utf-8"))
    return Protocol(**values | {"seeds": tuple(values["seeds"])})
