"""One protocol for every lab-size model: first rendered clips, then rendered and real ones mixed.

    network ──pretrain: rendered──▶ ──finetune: rendered + real──▶ a running mean of its parameters

The loop is here; har_demo.research.training.recognition.run trains many, har_demo.research.training.recognition.score asks what they learned.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import get_ema_multi_avg_fn

from har_demo.errors import WeightsError
from har_demo.flow import views
from har_demo.labels import EVERYDAY
from har_demo.models.card import ModelCard, ModelInput
from har_demo.models.layout import channels_last
from har_demo.models.mars import mars_loss
from har_demo.models.registry import cards
from har_demo.recognize.inputs import network_inputs
from har_demo.research.training.cuda_graph import captured
from har_demo.research.training.recognition.augment import (
    augment,
    augment_flow,
    constant,
    draw_windows,
    eased,
    mirror,
)
from har_demo.research.training.recognition.data import VideoDataset
from har_demo.research.training.recognition.grouped import ungrouped
from har_demo.research.training.recognition.motion import fields_at
from har_demo.research.training.recognition.protocol import Protocol

Inputs = tuple[Tensor, ...]
"""RGB [B, 3, T, h, w], or flow [B, 2, T, h, w], or both."""

Loss = Callable[[nn.Module, Inputs, Tensor, Protocol], Tensor]
"""(network, inputs, labels [B], protocol) → scalar."""


def classify(network: nn.Module, inputs: Inputs, labels: Tensor, protocol: Protocol) -> Tensor:
    """Cross-entropy with the labels."""
    return F.cross_entropy(network(*inputs).float(), labels, label_smoothing=protocol.smoothing)


def each_path(network: nn.Module, inputs: Inputs, labels: Tensor, protocol: Protocol) -> Tensor:
    """Of each path by itself: they share nothing, so neither learns from how sure the other is."""
    paths = network.paths(*inputs)
    smoothing = protocol.smoothing
    return sum(F.cross_entropy(p.float(), labels, label_smoothing=smoothing) for p in paths)


LOSSES: dict[str, Loss] = {"resframe_ts_lab": each_path}
"""By the card's name, what a model minimises in place of `classify`."""

TEACHERS = {"mars_lab": "mars_flow_lab"}
"""Who learns to give another's features beside its classes, and whose; see har_demo.models.mars."""


@dataclass(frozen=True)
class Run:
    """One training.

    Attributes:
        model: name of a lab-size card.
        input: what it is shown, whatever its card says.
        seed: of the first parameters and everything drawn.
        split: a name of har_demo.recognize.splits.
    """

    model: str
    input: Literal["rgb", "difference", "flow", "rgb+flow"]
    seed: int
    split: str = "a"

    @property
    def start(self) -> str:
        """Name of the first stage: the second may start from it in any split.

        >>> Run("c3d_lab", "rgb", 0, "b").start, Run("c3d_lab", "rgb", 0, "b").name
        ('c3d_lab-rgb-s0', 'c3d_lab-rgb-s0-b')
        """
        return f"{self.model}-{self.input}-s{self.seed}"

    @property
    def name(self) -> str:
        return f"{self.start}-{self.split}"


def trainable() -> dict[str, ModelCard]:
    """Lab-size networks by name; what has no multiply-adds is fitted (see training.fitted)."""
    return {
        name: card
        for name, card in cards().items()
        if card.size == "tiny" and card.gmacs is not None
    }


def teacher_of(run: Run) -> Run | None:
    """The run whose features this one learns, which has to be finished first."""
    name = TEACHERS.get(run.model)
    return name and Run(name, cards()[name].input.modality, run.seed, run.split)


def shown(card: ModelCard, run: Run) -> ModelInput:
    """Return the input that is drawn for a run: the network's, and its teacher's."""
    teacher = teacher_of(run)
    if teacher is None:
        return replace(card.input, modality=run.input)
    return replace(cards()[teacher.model].input, modality="rgb+flow")


def train(
    card: ModelCard,
    run: Run,
    rendered: VideoDataset,
    real: VideoDataset,
    protocol: Protocol,
    folder: Path,
    on_step: Callable[[str, int, float], None] = lambda stage, step, loss: None,
) -> nn.Module:
    """Train a network of this card, or go on where the last call was cut.

    Args:
        card: what to build.
        run: with which input and seed.
        rendered, real: labelled clips, on the device where it is done.
        protocol: everything else.
        folder: where states are kept; the outcome of the first stage stays there.
        on_step: called now and then with the stage, the step and the loss.

    Returns:
        The network in evaluation mode, on the device, with one output for each of EVERYDAY.

    Raises:
        WeightsError: its teacher is not trained.
    """
    device = rendered.frames.device
    torch.backends.cudnn.benchmark = True  # every batch has one shape
    torch.backends.cudnn.benchmark_limit = 4  # trying all ways takes longer than it saves
    folder.mkdir(parents=True, exist_ok=True)
    spec, teacher = shown(card, run), teacher_of(run)
    torch.manual_seed(run.seed)
    network = placed(card.build(len(EVERYDAY)), device)

    if device.type == "cuda":
        torch.compiler.reset()  # what earlier runs of this process compiled: only so many are kept
    learned, presented = fused(LOSSES.get(card.name, classify), device), fused(present, device)
    # How hard clips are now; a tensor, as what is compiled would keep a number for good.
    strength = torch.ones((), device=device)

    def stage(
        name: str, mixture: list[tuple[VideoDataset, int]], steps: int, rate: float, state: str
    ):
        torch.manual_seed(run.seed)  # so that a stage is the same whatever ran before it
        easing = protocol.easing if name == "pretrain" else 0
        if card.family == "Video transformer":
            rate *= protocol.transformer_rate
        loss = learned
        if teacher:
            loss = fused(imitate(placed(trained(teacher, name, folder), device)), device)

        def batch(step: int) -> tuple[Inputs, Tensor]:
            strength.fill_(risen(step / steps, easing))
            return draw(spec, mixture, eased(protocol, strength), presented)

        return optimise(
            network,
            batch,
            lambda inputs, labels: loss(network, inputs, labels, protocol),
            steps,
            rate,
            protocol,
            folder / f"{state}.state",
            lambda step, value: on_step(name, step, value),
        )

    started = folder / f"{run.start}.pt"
    if not started.exists():
        only = [(rendered, protocol.batch)]
        steps, rate = protocol.pretrain_steps, protocol.pretrain_rate
        write(stage("pretrain", only, steps, rate, run.start), started)
    network.load_state_dict(torch.load(started, map_location=device, weights_only=True))
    of_real = round(protocol.batch * protocol.real_share)
    mixed = [(rendered, protocol.batch - of_real), (real, of_real)]
    steps, rate = protocol.finetune_steps, protocol.finetune_rate
    network.load_state_dict(stage("finetune", mixed, steps, rate, run.name))
    return network.eval()


def placed(network: nn.Module, device: torch.device) -> nn.Module:
    """The network itself on a device, in the form that learns fastest there."""
    network = channels_last(network.to(device))
    return ungrouped(network) if device.type == "cuda" else network


def trained(run: Run, stage: str, folder: Path) -> nn.Module:
    """The network of a finished run in evaluation mode, as it was after a stage.

    The first stage has seen rendered clips alone: whoever learns from it in his own first stage may
    start any split from there.

    Raises:
        WeightsError: it is not there.
    """
    file = folder.parent / "done" / run.name / "weights.safetensors"
    if stage == "pretrain":
        file = folder / f"{run.start}.pt"
    if not file.exists():
        raise WeightsError(f"{run.name} is not trained, which teaches: train {run.model} first.")
    network = cards()[run.model].build(len(EVERYDAY))
    load = load_file if file.suffix == ".safetensors" else partial(torch.load, weights_only=True)
    network.load_state_dict(load(file))
    return network.eval().requires_grad_(False)


def imitate(teacher: nn.Module) -> Loss:
    """Return the loss of MARS."""

    def loss(network: nn.Module, inputs: Inputs, labels: Tensor, protocol: Protocol) -> Tensor:
        return mars_loss(network, teacher, *inputs, labels, smoothing=protocol.smoothing)

    return loss


UNPADDED = {"shape_padding": False, "comprehensive_padding": False}
"""With padding, a kernel made of grouped.of_pictures for three frames of 11 × 11 places read or wrote where it must
not (torch 2.11), which ends every process that shares the GPU by MPS."""


def fused(function: Callable, device: torch.device) -> Callable:
    """The same on a GPU with small steps made one: norms, ReLUs, sums and changes of light read and
    write memory for most of the time. Making it takes half a minute.
    """
    if device.type != "cuda":
        return function
    return torch.compile(function, dynamic=False, options=UNPADDED)


SAVE_EVERY = 60.0  # seconds between saved states
REPORT_EVERY = 50  # steps
UNRECORDED = 5  # first steps, in which the fastest convolutions are found


def optimise(
    network: nn.Module,
    batch: Callable[[int], tuple[Inputs, Tensor]],
    loss: Callable[[Inputs, Tensor], Tensor],
    steps: int,
    rate: float,
    protocol: Protocol,
    state: Path,
    on_step: Callable[[int, float], None] = lambda step, loss: None,
) -> dict[str, Tensor]:
    """One stage: `steps` steps of AdamW, or what is left of them.

    Args:
        network: trained in place.
        batch: draws inputs and labels of a step.
        loss: of inputs and labels.
        rate: the learning rate at its highest.
        state: file that is written every SAVE_EVERY seconds, and read when it is there.

    On a GPU the current stream must not be the default one (see har_demo.research.training.cuda_graph).

    Returns:
        The running mean of the network's parameters and buffers.
    """
    device = next(network.parameters()).device
    cuda = device.type == "cuda"
    values = network.state_dict()
    mean = {name: value.clone() for name, value in values.items()}
    moving = [name for name, value in values.items() if value.is_floating_point()]
    move_mean = get_ema_multi_avg_fn(max(1 - 1 / (protocol.average * steps), 0))
    # Decay pulls weights to zero; for biases, tables of them and norms that is no regularisation.
    weights, others = [], []
    for name, parameter in network.named_parameters():
        (weights if parameter.ndim > 1 and "bias" not in name else others).append(parameter)
    # A tensor, as a recorded step would go on with the number it was recorded with.
    now_rate = torch.tensor(rate, device=device)
    optimizer = torch.optim.AdamW(
        [{"params": weights}, {"params": others, "weight_decay": 0.0}],
        now_rate,
        weight_decay=protocol.decay,
        fused=cuda,
        capturable=cuda,
    )
    first = 0
    if state.exists():
        saved = torch.load(state, map_location=device, weights_only=True)
        network.load_state_dict(saved["network"])
        optimizer.load_state_dict(saved["optimizer"])
        for group in optimizer.param_groups:
            group["lr"] = now_rate
        for name, value in saved["mean"].items():
            mean[name].copy_(value)
        torch.set_rng_state(saved["random"].cpu())
        if cuda:
            torch.cuda.set_rng_state(saved["random_cuda"].cpu(), device)
        first = saved["step"]

    def advance(inputs: Inputs, labels: Tensor) -> Tensor:
        with torch.autocast(device.type, torch.bfloat16, enabled=cuda):
            value = loss(inputs, labels)
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        nn.utils.clip_grad_norm_(network.parameters(), protocol.clip_norm)
        optimizer.step()
        move_mean([mean[name] for name in moving], [values[name] for name in moving], 0)
        return value.detach()

    network.train()
    written = time.monotonic()
    for step in range(first, steps):
        if time.monotonic() > written + SAVE_EVERY:
            random = {"random": torch.get_rng_state()}
            if cuda:
                random["random_cuda"] = torch.cuda.get_rng_state(device)
            parts = {"network": values, "mean": mean, "optimizer": optimizer.state_dict()}
            write({"step": step, **random, **parts}, state)
            written = time.monotonic()
        now_rate.fill_(rate * share(step / steps, protocol.warm_up))
        inputs, labels = batch(step)
        if cuda and step == first + UNRECORDED:
            advance = captured(advance, inputs, labels)
        value = advance(inputs, labels)
        if step % REPORT_EVERY == 0 or step + 1 == steps:
            on_step(step, value.item())
    state.unlink(missing_ok=True)
    return {name: mean[name] if name in moving else value for name, value in values.items()}


def share(progress: float, warm_up: float) -> float:
    """Of the learning rate: a short rise, then half a cosine down to nothing."""
    return min(risen(progress, warm_up), 0.5 + 0.5 * math.cos(math.pi * progress))


def risen(progress: float, over: float) -> float:
    """From 0 to 1 in the first part `over` of a stage, then 1."""
    return min(progress / over, 1) if over else 1


def write(values: dict, file: Path) -> None:
    """torch.save to a file that is complete as soon as it has its name."""
    part = file.with_name(f"{file.name}.part")
    torch.save(values, part)
    part.replace(file)


def present(
    frames: Tensor | None,
    fields: Tensor | None,
    mirrored: Tensor,
    spec: ModelInput,
    protocol: Protocol,
) -> Inputs:
    """Windows of footage, uint8 [B, T, 3, S, S] and float [B, T, 2, s, s], changed at random as the
    protocol says: what the network takes.

    It is compiled on a GPU, so it must put no tensor of numbers there by itself.
    """
    if fields is None:
        changed = augment(frames, mirrored, spec.crop, protocol)
        return as_inputs(normalised(changed, spec), None, spec)
    moved, changed = augment_flow(fields, frames, spec.pictures, mirrored, spec.crop, protocol)
    pictures = None if changed is None else normalised(changed, spec)
    return as_inputs(pictures, moved, spec)


def draw(
    spec: ModelInput,
    mixture: list[tuple[VideoDataset, int]],
    protocol: Protocol,
    presented: Callable = present,
) -> tuple[Inputs, Tensor]:
    """A random batch, so many of each source, changed by `presented`: `present`, or the same compiled."""
    windows, fields, labels = [], [], []
    for source, count in mixture:
        clips = torch.multinomial(source.weights, count, replacement=True)
        segments = spec.sampling == "segments"
        positions, label = draw_windows(
            source, clips, spec.frames_read, spec.fps, protocol, segments
        )
        labels.append(label)
        if "flow" in spec.modality:
            fields.append(fields_at(source, clips, positions, spec.fps))
        if spec.modality == "rgb+flow":
            positions = positions[:, constant(spec.pictures, positions.device)]
        if spec.modality != "flow":
            windows.append(source.frames[positions])
    mirrored, labels = mirror(torch.cat(labels), protocol)
    frames = torch.cat(windows) if windows else None
    flow = torch.cat(fields) if fields else None
    return presented(frames, flow, mirrored, spec, protocol), labels


def as_inputs(pictures: Tensor | None, fields: Tensor | None, spec: ModelInput) -> Inputs:
    """Normalised frames [B, T, 3, h, w] and flow [B, T, 2, h, w] in pixels to what the network takes."""
    flow = None if fields is None else views.as_input(fields, spec.flow_limit)
    inputs = network_inputs(pictures, flow, spec)
    return tuple(x.contiguous(memory_format=torch.channels_last_3d) for x in inputs)


def normalised(frames: Tensor, spec: ModelInput) -> Tensor:
    """float [B, T, 3, h, w] in [0, 1], each colour less its mean and divided by its deviation."""
    colours = zip(frames.unbind(2), spec.mean, spec.std, strict=True)
    return torch.stack([(colour - mean) / std for colour, mean, std in colours], dim=2)
