"""Train the small networks of flow on pairs whose flow is exact, all made on the GPU.

    textures ──▶ sliding shapes ────────────────┐
    takes ──▶ rendered people ──▶ on shapes ────┼─▶ relit ──▶ network ──▶ loss ──▶ AdamW
                    └──▶ turned, enlarged … ────┘

    python -m har_demo.research flow-train --out .scratch/flow --seconds 540
    python -m har_demo.research flow-train --out .scratch/flow --seconds 540 --model flownet_lab

It learns for as long as it may, to the end of a falling rate; stopped before, or told that there will be
more `--calls`, it goes on from its state when called again. In the folder are then

    NAME.state              network, optimiser, how far it has come
    NAME.csv                errors on pairs that it does not learn from, every half minute
    NAME_people.safetensors half precision, and a .json that describes them: these two are shipped
"""

import csv
import json
import math
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from har_demo.flow import flownet, raft
from har_demo.research.training.cuda_graph import captured
from har_demo.research.training.flow import layers, rendered, textures
from har_demo.research.training.flow.augment import Pairs, relit, spread, together
from har_demo.weights.state import sha256

SPARE = 10.0  # seconds before the end, for the last errors and files
UNRECORDED = 5  # first steps, in which the fastest convolutions are found
TOGETHER = 20  # steps that are handed to the GPU at most before it is waited for
GAMMA = 0.8  # of RAFT's loss: a guess counts so much less than the next one
LEVELS = (1.0, 2.0, 4.0, 16.0, 64.0)
"""Of FlowNet's loss, from the finest flow to the coarsest: the paper's, all 200 times as large."""

FIRST_SEED, TEST_SEED = 10_000_000, 9_000_000  # of takes; those of benchmarks.flow_errors are lower
COLUMNS = ("step", "seconds", "loss", "shapes", "shapes_zero", "people", "people_zero")


@dataclass(frozen=True)
class Schedule:
    """Sizes and amounts of a training.

    Attributes:
        size: (width, height) of the pictures a network learns from.
        canvas: of the people, who are cut out of it.
        batch: pairs a step: half shapes, a quarter people on them, a quarter people.
        ahead: batches that are drawn together: on a GPU many take hardly longer than few.
        textures, leaves: pictures of the bank, and shapes in each.
        takes: of people, per call; fewer when they take an eighth of the time.
        tests: pairs of either kind that errors are measured on.
        rate: the highest rate of learning.
        warm_up: steps until it is reached.
        updates: of RAFT.
        every: seconds between errors, and between states.
    """

    size: tuple[int, int] = (320, 256)
    canvas: tuple[int, int] = (384, 288)
    batch: int = 16
    ahead: int = 64
    textures: int = 384
    leaves: int = 120
    takes: int = 3000
    tests: int = 48
    rate: float = 4e-4
    warm_up: int = 200
    updates: int = 8
    every: float = 30.0


@dataclass(frozen=True)
class TrainSpec:
    """A network to be trained, and how.

    Attributes:
        build: makes the network.
        loss: of the network and a batch.
        answer: network, two pictures [B, 3, H, W] in [0, 1] → float [B, 2, H, W], pixels.
        plan: how.
    """

    build: Callable[[], nn.Module]
    loss: Callable[[nn.Module, Pairs, Schedule], Tensor]
    answer: Callable[[nn.Module, Tensor, Tensor], Tensor]
    plan: Schedule


def raft_loss(network: nn.Module, pairs: Pairs, plan: Schedule) -> Tensor:
    """Mean distance |right| + |down| of every guess, the later the more it counts."""
    found = raft.guesses(network, pairs.before, pairs.after, plan.updates)
    total = pairs.known.sum().clamp(min=1)
    distances = [((guess - pairs.flow).abs().sum(1) * pairs.known).sum() / total for guess in found]
    return sum(GAMMA ** (len(found) - 1 - i) * one for i, one in enumerate(distances))


def flownet_loss(network: nn.Module, pairs: Pairs, plan: Schedule) -> Tensor:
    """End-point error at five sizes, weighted as in the paper, over as many points as the finest has."""
    found = network(flownet.centred(pairs.before), flownet.centred(pairs.after))
    wanted = torch.where(pairs.known[:, None], pairs.flow, 0.0) / flownet.SCALE
    known = pairs.known[:, None].float()
    points = found[0][:, 0].numel()
    total = 0.0
    for flow, weight in zip(found, LEVELS, strict=True):
        share = F.adaptive_avg_pool2d(known, flow.shape[-2:])
        here = F.adaptive_avg_pool2d(wanted, flow.shape[-2:]) / share.clamp(min=1e-3)
        error = (flow - here).square().sum(1).add(1e-8).sqrt() * (share[:, 0] > 0.5)
        total = total + weight * error.sum() / points
    return total


SPECS = {
    "raft_small": TrainSpec(raft.raft_small, raft_loss, raft.answer, Schedule()),
    "flownet_lab": TrainSpec(
        flownet.flownet_lab, flownet_loss, flownet.answer, Schedule(batch=32, rate=6e-4)
    ),
}


@dataclass(frozen=True)
class TrainingPairs:
    """Textures and rendered people from which pairs are drawn, on a device."""

    bank: Tensor
    people: rendered.People

    def shapes(self, count: int, plan: Schedule) -> Pairs:
        return layers.draw(self.bank, count, plan.size)

    def moving(self, count: int, plan: Schedule) -> Pairs:
        return spread(plan.size, self.people.drawn(count)[0])

    def on_shapes(self, count: int, plan: Schedule) -> Pairs:
        """People in front of shapes, enlarged and turned with them."""
        people, person = self.people.drawn(count)
        return spread(
            plan.size, rendered.on(people, person, layers.draw(self.bank, count, plan.canvas))
        )

    def batches(self, plan: Schedule) -> Iterator[Pairs]:
        """Without end: the mixture that a network learns from."""
        # Many batches at once, as drawing is thousands of small steps, whether for few pairs or many.
        count = plan.batch * plan.ahead
        quarter = count // 4
        while True:
            shapes = self.shapes(count - 2 * quarter, plan)
            parts = [shapes, self.on_shapes(quarter, plan), self.moving(quarter, plan)]
            mixed = relit(together(parts))
            order = torch.randperm(count, device=self.bank.device)
            for some in order.split(plan.batch):
                yield Pairs(*(value[some] for value in vars(mixed).values()))


def material(plan: Schedule, first: int, device: torch.device, until: float) -> TrainingPairs:
    """A bank of textures and rendered people whose seeds start at `first`."""
    bank = textures.bank(plan.textures, plan.canvas, plan.leaves, device)
    workers = max(1, (os.cpu_count() or 2) - 1) if device.type == "cuda" else 0
    seeds = range(first, first + plan.takes)
    return TrainingPairs(bank, rendered.render(seeds, plan.canvas, device, workers, until))


def tests(plan: Schedule, device: torch.device) -> dict[str, list[Pairs]]:
    """Pairs that nobody learns from, the same in every call: shapes, and people as they were rendered."""
    torch.manual_seed(TEST_SEED)
    bank = textures.bank(max(1, plan.tests // 4), plan.canvas, plan.leaves, device)
    people = rendered.render(range(TEST_SEED, TEST_SEED + plan.tests), plan.size, device)
    which = torch.arange(len(people), device=device)
    known, _ = people.pairs(which, which % (rendered.FRAMES - 1))
    return {"shapes": _split(layers.draw(bank, plan.tests, plan.size)), "people": _split(known)}


def _split(pairs: Pairs, step: int = 8) -> list[Pairs]:
    parts = zip(*(value.split(step) for value in vars(pairs).values()), strict=True)
    return [Pairs(*part) for part in parts]


@torch.no_grad()
def errors(
    student: TrainSpec, network: nn.Module, known: dict[str, list[Pairs]]
) -> dict[str, float]:
    """Mean end-point error in pixels, and that of the answer that nothing moves."""
    network.eval()
    found = {}
    for name, parts in known.items():
        sums = torch.zeros(3, dtype=torch.float64)
        for part in parts:
            answer = student.answer(network, part.before, part.after)
            distance = (answer - part.flow).norm(dim=1)[part.known]
            still = part.flow.norm(dim=1)[part.known]
            sums += torch.stack([distance.sum(), still.sum(), part.known.sum()]).double().cpu()
        found[name], found[f"{name}_zero"] = (sums[:2] / sums[2]).tolist()
    network.train()
    return found


def train(
    name: str,
    out: Path,
    seconds: float,
    calls: int,
    plan: Schedule,
    device: torch.device,
    steps: int | None = None,
) -> None:
    """Learn for `seconds` on a device.

    Args:
        name: a key of SPECS.
        out: the folder of states and results.
        calls: as many such calls bring the rate to nothing.
        steps: stop after so many of this call, in tests.
    """
    began = time.monotonic()
    end = began + seconds - SPARE
    student, cuda = SPECS[name], device.type == "cuda"
    if cuda:
        torch.cuda.set_stream(torch.cuda.Stream())  # steps cannot be recorded on the default one
        torch.backends.cudnn.benchmark = True
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.manual_seed(0)
    network = student.build().to(device).train()
    # A tensor, as a recorded step would go on with the number it was recorded with.
    rate = torch.tensor(plan.rate, device=device)
    optimizer = torch.optim.AdamW(
        network.parameters(), rate, weight_decay=1e-5, fused=cuda, capturable=cuda
    )
    step, spent, come = _resume(out / f"{name}.state", network, optimizer, device)
    for group in optimizer.param_groups:
        group["lr"] = rate
    source = material(plan, FIRST_SEED + 100 * step, device, began + seconds / 8)  # other people
    known = tests(plan, device)
    torch.manual_seed(1 + step)
    print(
        f"{name} on {device}: {len(source.people)} takes, ready after "
        f"{time.monotonic() - began:.0f} s; {step} steps in {spent:.0f} s before this",
        flush=True,
    )

    def advance(pictures: tuple[Tensor, ...], known: Tensor) -> Tensor:
        value = student.loss(network, Pairs(*pictures, known, known), plan)
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        for parameter in network.parameters():
            parameter.grad.nan_to_num_(0, 0, 0)  # a batch that overflows is passed over
        optimizer.step()
        return value.detach()

    batches = source.batches(plan)
    started = reported = time.monotonic()
    row, last, first = {}, None if steps is None else step + steps, step
    total, counted = torch.zeros((), device=device), 0  # of losses since the last report

    def report() -> dict:
        row = {"step": step, "seconds": round(spent + time.monotonic() - started, 1)}
        row["loss"] = round(total.item() / counted, 4) if counted else ""
        row |= {key: round(value, 4) for key, value in errors(student, network, known).items()}
        _append(out / f"{name}.csv", row)
        print("  ".join(f"{key} {value}" for key, value in row.items()), flush=True)
        return row

    def keep() -> None:
        so_far = {"seconds": spent + time.monotonic() - started, "progress": progress}
        _keep(out / f"{name}.state", network, optimizer, {"step": step, **so_far})

    while True:
        now = time.monotonic()
        progress = come + (now - started) / max(end - started, 1e-6) / calls
        if now >= end or progress >= 1 or step == last:
            break
        falling = 0.5 + 0.5 * math.cos(math.pi * progress)
        rate.fill_(plan.rate * min((step + 1) / plan.warm_up, falling))
        pairs = next(batches)
        given = (pairs.before, pairs.after, pairs.flow), pairs.known
        if cuda and step == first + UNRECORDED:
            advance = captured(advance, *given)
        total += advance(*given)
        counted, step = counted + 1, step + 1
        if cuda and step % TOGETHER == 0:
            torch.cuda.synchronize()  # else the clock here runs far ahead of the GPU
        if time.monotonic() - reported > plan.every:
            row = report()
            keep()
            total.zero_()
            counted, reported = 0, time.monotonic()

    row = row if row.get("step") == step else report()
    keep()
    _publish(name, out, network, row, plan.batch, device)


def _resume(
    file: Path, network: nn.Module, optimizer: torch.optim.Optimizer, device: torch.device
) -> tuple[int, float, int]:
    """Steps, seconds and the progress before this call, whose state becomes the network's."""
    if not file.exists():
        return 0, 0.0, 0
    saved = torch.load(file, map_location=device, weights_only=True)
    network.load_state_dict(saved["network"])
    optimizer.load_state_dict(saved["optimizer"])
    return saved["step"], saved["seconds"], saved["progress"]


def _keep(file: Path, network: nn.Module, optimizer: torch.optim.Optimizer, come: dict) -> None:
    """Write the state: 12 bytes a parameter, complete as soon as it has its name."""
    part = file.with_name(f"{file.name}.part")
    parts = {"network": network.state_dict(), "optimizer": optimizer.state_dict()}
    torch.save({**parts, **come}, part)
    part.replace(file)


def _append(file: Path, row: dict) -> None:
    new = not file.exists()
    with open(file, "a", newline="") as opened:
        table = csv.DictWriter(opened, COLUMNS, lineterminator="\n")
        if new:
            table.writeheader()
        table.writerow(row)


def _publish(
    name: str, out: Path, network: nn.Module, row: dict, batch: int, device: torch.device
) -> None:
    """Write what is shipped: half precision, and what it is."""
    file = out / f"{name}_people.safetensors"
    halves = {
        key: value.half() if value.is_floating_point() else value
        for key, value in network.state_dict().items()
    }
    save_file({key: value.cpu().contiguous() for key, value in halves.items()}, file)
    described = {
        "file": file.name,
        "sha256": sha256(file),
        "bytes": file.stat().st_size,
        "parameters": sum(p.numel() for p in network.parameters()),
        "data": [
            {
                "name": "rendered people and sliding shapes with exact flow",
                "citation": "this project",
                "use": "drawn anew at every step; no filmed picture",
            }
        ],
        "steps": row["step"],
        "batch": batch,
        "seconds": row["seconds"],
        "errors": {key: row[key] for key in COLUMNS[3:]},
        "machine": torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU",
        "command": f"python -m har_demo.research flow-train --model {name}",
    }
    file.with_suffix(".json").write_text(json.dumps(described, indent=1) + "\n")
