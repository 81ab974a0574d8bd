"""One protocol for every lab-size model: train on some groups, report on the others, save in half precision.

    python -m har_demo.training.data DATA PREPARED
    python -m har_demo.training.train --model r2plus1d_lab --data PREPARED --out checkpoints

Takes minutes on a GPU. What a file scored is measured afterwards, by recognition itself, with
har_demo.training.evaluate.
"""

import argparse
import datetime
import hashlib
import json
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from har_demo.clips import sampling
from har_demo.clips.transforms import differences, standardised
from har_demo.labels import EVERYDAY_13
from har_demo.models import c3d, r2plus1d
from har_demo.models.card import ModelCard, ModelInput
from har_demo.models.layout import channels_last
from har_demo.training.augment import augment, draw_windows
from har_demo.training.data import HELD_OUT, Example, Footage, load, read_examples, split
from har_demo.training.figures import rendered_footage

CARDS = {card.name: card for card in c3d.CARDS + r2plus1d.CARDS if card.size == "lab"}

RATE = 1e-3
DECAY = 0.05
WARM_UP = 0.05  # of all steps
SMOOTHING = 0.1
AVERAGE = 0.2  # of all steps: the saved network is a running mean over about so many
WINDOWS = 10  # per clip when measuring, as recognition does by default


def train(
    card: ModelCard,
    footage: Footage,
    rendered: Footage | None = None,
    steps: int = 2000,
    batch: int = 64,
    seed: int = 0,
    device: torch.device | str = "cpu",
    on_step: Callable[[int, float], None] | None = None,
) -> nn.Module:
    """Train a fresh network of this card.

    Args:
        card: what to build, and the input it wants.
        footage: labelled clips.
        rendered: drawn clips; when given, half of every batch comes from them.
        steps, batch, seed: of the optimisation.
        device: where it runs.
        on_step: called after each step with its number and the loss.

    Returns:
        The running mean of the network's parameters, in evaluation mode, on the device.
    """
    device = torch.device(device)
    torch.manual_seed(seed)
    torch.backends.cudnn.benchmark = True  # every batch has one shape
    sources = [one.to(device) for one in (footage, rendered) if one is not None]
    network = channels_last(card.build(len(card.classes)).to(device))
    keep = max(1 - 1 / (AVERAGE * steps), 0)
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(keep), use_buffers=True)
    # Decay pulls weights to zero; for biases and norms that is no regularisation.
    matrices = [p for p in network.parameters() if p.ndim > 1]
    vectors = [p for p in network.parameters() if p.ndim <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": matrices}, {"params": vectors, "weight_decay": 0.0}],
        lr=RATE,
        weight_decay=DECAY,
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step / steps))

    network.train()
    for step in range(steps):
        inputs, labels = _batch(card.input, sources, batch, device)
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            logits = network(inputs)
        loss = F.cross_entropy(logits.float(), labels, label_smoothing=SMOOTHING)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        schedule.step()
        average.update_parameters(network)
        if on_step:
            on_step(step, loss.item() if step % 50 == 0 else math.nan)
    return average.module.eval()


def _rate(progress: float) -> float:
    """Share of the learning rate: a short rise, then half a cosine down to nothing."""
    return min(progress / WARM_UP, 0.5 + 0.5 * math.cos(math.pi * progress))


def _batch(
    spec: ModelInput, sources: list[Footage], batch: int, device: torch.device
) -> tuple[Tensor, Tensor]:
    """A random batch, in equal parts from every source: [B, 3, T, h, w] and labels [B]."""
    windows, labels = [], []
    for source in sources:
        clips = torch.multinomial(source.weights, batch // len(sources), replacement=True)
        positions, label = draw_windows(source, clips, frames_read(spec), spec.fps)
        windows.append(source.frames[positions])
        labels.append(label)
    return as_input(augment(torch.cat(windows), spec.crop), spec), torch.cat(labels)


def frames_read(spec: ModelInput) -> int:
    """How many frames one window reads: a difference needs one more."""
    return spec.frames + (spec.modality == "difference")


def as_input(frames: Tensor, spec: ModelInput) -> Tensor:
    """float [B, T, 3, h, w] in [0, 1] to what the network takes, [B, 3, T, h, w], as recognition does."""
    mean = torch.tensor(spec.mean, device=frames.device).view(3, 1, 1)
    std = torch.tensor(spec.std, device=frames.device).view(3, 1, 1)
    x = (frames - mean) / std
    if spec.modality == "difference":
        x = differences(x)
    x = x.transpose(1, 2)
    if spec.standardise:
        x = standardised(x)
    return x.contiguous(memory_format=torch.channels_last_3d)


@torch.inference_mode()
def scores(network: nn.Module, card: ModelCard, footage: Footage) -> Tensor:
    """Mean probabilities over windows spread through each clip, float32 [clips, classes] on the CPU."""
    spec, device = card.input, footage.frames.device
    result = []
    for first, count, fps in zip(
        footage.first.tolist(), footage.count.tolist(), footage.fps.tolist(), strict=True
    ):
        stride, read = fps / spec.fps, frames_read(spec)
        windows = min(WINDOWS, sampling.covering(count, read, stride))
        positions = torch.from_numpy(first + sampling.windows(count, read, stride, windows))
        frames = footage.frames[positions.to(device)].float() / 255
        small = F.interpolate(
            frames.flatten(0, 1), spec.crop, mode="bilinear", antialias=spec.antialias
        ).unflatten(0, frames.shape[:2])
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            logits = network(as_input(small, spec))
        result.append(logits.float().softmax(-1).mean(0).cpu())
    return torch.stack(result)


def save(network: nn.Module, card: ModelCard, folder: Path, facts: dict) -> Path:
    """Write the parameters as float16 safetensors and their entry into manifest.json.

    Args:
        facts: what the entry says beyond file, hash, size and classes: data, protocol, seed ...
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{card.name}.safetensors"
    state = {
        name: (value.half() if value.is_floating_point() else value).contiguous().cpu()
        for name, value in network.state_dict().items()
    }
    save_file(state, file)
    entry = {
        "model": card.name,
        "file": file.name,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "bytes": file.stat().st_size,
        "classes": list(card.classes),
        "label_set": card.label_set,
        "parameters": sum(p.numel() for p in network.parameters()),
        "gmacs": card.gmacs,
        **facts,
        "accuracy": [],
    }
    write_entry(folder, entry)
    return file


def write_entry(folder: Path, entry: dict) -> None:
    """Put an entry into manifest.json, in place of what it said of the same model."""
    path = folder / "manifest.json"
    listed = json.loads(path.read_text(encoding="utf-8"))["checkpoints"] if path.exists() else []
    listed = [one for one in listed if one["model"] != entry["model"]] + [entry]
    listed.sort(key=lambda one: one["model"])
    text = json.dumps({"checkpoints": listed}, indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


DATA = [
    {
        "name": "Weizmann",
        "citation": "Blank et al., Actions as Space-Time Shapes, ICCV 2005; Gorelick et al., PAMI 2007",
        "use": "60 clips of 10 actions by 6 people; split by person",
    },
    {
        "name": "ARID",
        "citation": "Xu et al., ARID: A New Dataset for Recognizing Action in the Dark, 2021",
        "use": "150 clips of 6 actions in 9 places; split by place",
    },
]
RENDERED_DATA = [
    {
        "name": "Drawn figures",
        "citation": "har_demo.people.motion and har_demo.training.figures, made here",
        "use": "invented motions of the 13 actions, seen from all sides; training only",
    },
    {
        "name": "UTD-MHAD",
        "citation": "Chen et al., UTD-MHAD: A Multimodal Dataset for Human Action Recognition, "
        "ICIP 2015",
        "use": "160 skeleton recordings of 5 actions by 8 people, drawn as figures; training only",
    },
]


PROTOCOL = (
    "trained from scratch without these people and places: {}. Frame rate, camera motion and the "
    "kinds of jumps were chosen while looking at clips of them, so expect a little less elsewhere. "
    "The same people may appear in several of ARID's places."
)


def main() -> None:
    parser = argparse.ArgumentParser(description="Train lab-size models without some groups.")
    parser.add_argument("--model", choices=sorted(CARDS), nargs="+", required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder of training.data")
    parser.add_argument("--out", type=Path, required=True, help="folder for weights and manifest")
    parser.add_argument("--split", choices=sorted(HELD_OUT), default="a")
    parser.add_argument("--rendered", type=int, default=0, help="how many drawn clips to add")
    parser.add_argument("--recordings", type=Path, help="folder with UTD-MHAD's skeletons.npz")
    parser.add_argument("--steps", type=int, default=2500)
    parser.add_argument("--batch", type=int, default=48)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    held_out = HELD_OUT[arguments.split]
    seen, unseen = split(read_examples(arguments.data), held_out)
    footage, test = load(seen, device), load(unseen, device)
    rendered = None
    if arguments.rendered:
        rendered = rendered_footage(
            arguments.rendered, arguments.recordings, arguments.seed, device
        )
    for name in arguments.model:
        card = CARDS[name]
        started = time.perf_counter()
        network = train(
            card,
            footage,
            rendered,
            arguments.steps,
            arguments.batch,
            arguments.seed,
            device,
            lambda step, loss: (
                print(f"step {step}: loss {loss:.3f}", flush=True) if step % 250 == 0 else None
            ),
        )
        facts = {
            "data": DATA + (RENDERED_DATA if arguments.rendered else []),
            "protocol": PROTOCOL.format(", ".join(sorted(held_out))),
            "split": arguments.split,
            "seed": arguments.seed,
            "command": _command(name, arguments),
            "date": datetime.date.today().isoformat(),
            "machine": torch.cuda.get_device_name() if device.type == "cuda" else "CPU",
        }
        file = save(network, card, arguments.out, facts)
        print(f"{file}: {time.perf_counter() - started:.0f} s of training")
        _report(facts["command"], scores(network, card, test), unseen)


def _command(model: str, arguments: argparse.Namespace) -> str:
    """How to train this model again, whatever the folders are called."""
    drawn = f" --rendered {arguments.rendered}" if arguments.rendered else ""
    drawn += " --recordings UTD-MHAD" if arguments.recordings else ""
    return (
        f"python -m har_demo.training.train --model {model} --data PREPARED --out checkpoints "
        f"--split {arguments.split}{drawn} --steps {arguments.steps} --batch {arguments.batch} "
        f"--seed {arguments.seed}"
    )


def _report(title: str, probabilities: Tensor, examples: list[Example]) -> None:
    """Print how many clips of each data set and class are right."""
    labels = np.array([example.label for example in examples])
    right = probabilities.argmax(1).numpy() == labels
    for dataset in sorted({example.dataset for example in examples}):
        rows = np.array([example.dataset == dataset for example in examples])
        print(f"{title}\n  {dataset}: {right[rows].mean():.1%} of {rows.sum()} clips")
        for label in np.unique(labels[rows]):
            of_class = rows & (labels == label)
            print(
                f"    {right[of_class].sum()} of {of_class.sum()} {EVERYDAY_13[label]}", flush=True
            )


if __name__ == "__main__":
    main()
