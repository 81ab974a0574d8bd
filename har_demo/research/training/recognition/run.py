"""Train many models on one machine: a queue that can be cut at any time and goes on where it was.

    python -m har_demo.research train --data PREPARED --models c3d_lab,r2plus1d_lab --inputs own,rgb
    python -m har_demo.research train --data PREPARED --ablations frames,kernel
    python -m har_demo.research train --data PREPARED --done results/measured/tiny.csv    # all that is left
    make train MODEL=c3d_lab

The data set is rendered and decoded once, and its optical flow computed where a model reads it, beside the
training of those that do not; both are kept in the work folder and read by all processes. Every run that
is finished has a folder WORK/done/NAME: weights, figures, confusions, curve. Runs that are there are not
done again; a run that was cut goes on from its last state. Who learns from another model waits for it.

Several workers on one GPU get more done where NVIDIA's MPS daemon lets their kernels run at once.
"""

import itertools
import multiprocessing
import shutil
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

import torch

from har_demo.research.training.recognition.data import VideoDataset
from har_demo.research.training.recognition.fitted import FITTED, fitted
from har_demo.research.training.recognition.protocol import Protocol
from har_demo.research.training.recognition.report import measure, run_of, write_curve
from har_demo.research.training.recognition.ship import save
from har_demo.research.training.recognition.train import (
    Run,
    teacher_of,
    train,
    trainable,
)
from har_demo.research.training.recognition.variants import can_be_trained, card_of
from har_demo.research.training.recognition.work_folder import (
    Queue,
    comes,
    flow_beside,
    flow_rate,
    make_footage,
    missing,
    read_real,
    read_rendered,
    rendered_file,
    with_flow,
)
from har_demo.tables.ablations import ABLATIONS
from har_demo.tables.rows import read_rows

FAILED = 3  # exit status of a worker one of whose runs failed; a fresh one goes on with the others


def work(queue: Queue, number: int) -> None:
    """Train what no other worker has claimed; exit with FAILED after a run's error, which may have hurt the device."""
    torch.set_num_threads(2)
    device = torch.device(queue.devices[number % len(queue.devices)])
    if device.type == "cuda":
        torch.cuda.set_device(device)
        torch.cuda.set_stream(torch.cuda.Stream())  # steps cannot be recorded on the default one
    drawn, test = (read_rendered(queue, side, device) for side in ("train", "test"))
    real: dict[str, dict[str, VideoDataset]] = {}
    left = list(queue.runs)
    while left:
        needed = {run: missing(queue, run) for run in left}
        run = next((run for run in left if not needed[run]), None)
        if run is None:
            for given_up in [run for run in left if not comes(queue, needed[run])]:
                left.remove(given_up)
                print(f"{given_up.name}: needs {needed[given_up]}, which is not there", flush=True)
            time.sleep(1)
            continue
        left.remove(run)
        try:
            # Two splits of one start are not trained at once: they share its first stage.
            (queue.folder / "claims" / run.start).mkdir()
        except FileExistsError:
            continue
        for same in queue.starting_as(run):
            try:
                if same.split not in real:
                    real = {same.split: read_real(queue, same.split, device)}
                rate = flow_rate(same)
                filmed = {
                    name: with_flow(footage, queue.folder / f"real-{same.split}-{name}.pt", rate)
                    for name, footage in real[same.split].items()
                }
                seen, unseen = (
                    with_flow(footage, rendered_file(queue.folder, queue.protocol, side), rate)
                    for side, footage in (("train", drawn), ("test", test))
                )
                one(queue, same, seen, filmed.pop("train"), filmed | {"rendered": unseen})
            except Exception:
                (queue.folder / f"{same.name}.failed").write_text(traceback.format_exc())
                print(f"{same.name}: failed\n{traceback.format_exc()}", flush=True)
                sys.exit(FAILED)


def one(
    queue: Queue, run: Run, drawn: VideoDataset, real: VideoDataset, tests: dict[str, VideoDataset]
) -> None:
    """One run from its state to its folder, which appears when it is complete."""
    began, card = time.monotonic(), card_of(run.model)
    log = queue.folder / f"{run.name}.log"

    def on_step(stage: str, step: int, loss: float) -> None:
        with open(log, "a") as file:
            file.write(f"{stage},{step},{loss:.4f},{time.monotonic() - began:.1f}\n")

    given = (card, run, drawn, real, queue.protocol, queue.folder / "states")
    network = fitted(*given) if run.model in FITTED else train(*given, on_step)
    trained = time.monotonic()
    part = queue.folder / f"{run.name}.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    save(network, run, part)
    rows = measure(network, card, run, tests, part)
    if log.exists():  # what is fitted has no steps
        write_curve(log, run, part / "curve.csv")
        log.unlink()
    queue.done(run).parent.mkdir(exist_ok=True)
    part.rename(queue.done(run))
    (queue.folder / f"{run.name}.failed").unlink(missing_ok=True)
    top1 = ", ".join(f"{r['dataset']} {r['value']:.1f}" for r in rows if r["metric"] == "top1")
    print(
        f"{run.name}: {top1} % ({trained - began:.0f} s of training, "
        f"{time.monotonic() - trained:.0f} s of testing)",
        flush=True,
    )


def supervise(queue: Queue, workers: int) -> None:
    """Keep so many workers busy until all runs are done."""
    shutil.rmtree(queue.folder / "claims", ignore_errors=True)
    (queue.folder / "claims").mkdir(parents=True)
    context = multiprocessing.get_context("spawn")

    def fresh(number: int) -> multiprocessing.process.BaseProcess:
        process = context.Process(target=work, args=(queue, number))
        process.start()
        return process

    alive = {number: fresh(number) for number in range(min(workers, len(queue.runs)))}
    while alive:
        next(iter(alive.values())).join(0.5)
        ended = {number: process for number, process in alive.items() if not process.is_alive()}
        alive = {number: process for number, process in alive.items() if number not in ended}
        failed = [number for number, process in ended.items() if process.exitcode == FAILED]
        alive |= {number: fresh(number) for number in failed}


def runs_of(
    models: Sequence[str], inputs: Sequence[str], seeds: Sequence[int], splits: Sequence[str]
) -> list[Run]:
    """All combinations, every model once before any a second time.

    Args:
        inputs: 'own' is the card's; 'other' is rgb for difference and difference for rgb. Networks of
            flow and fitted models take nothing else.
    """
    runs = []
    for seed, wanted, model in itertools.product(seeds, inputs, models):
        spec = card_of(model).input
        other = "rgb" if spec.modality == "difference" else "difference"
        modality = {"own": spec.modality, "other": other}.get(wanted, wanted)
        if ("flow" in spec.modality or model in FITTED) and modality != spec.modality:
            continue
        runs += [Run(model, modality, seed, split) for split in splits]
    return list(dict.fromkeys(runs))


def with_teachers(runs: list[Run]) -> list[Run]:
    """The runs, and before each the one that it learns from: figures in a table teach nobody."""
    pairs = ((teacher_of(run), run) for run in runs)
    return list(dict.fromkeys(run for pair in pairs for run in pair if run))


def runs_of_ablations(
    questions: Sequence[str], seeds: Sequence[int], splits: Sequence[str]
) -> list[Run]:
    """Return the trainable runs of these questions, every row once before any a second time."""
    rows = [row for ablation in ABLATIONS if ablation.name in questions for row in ablation.rows]
    runs = [
        Run(row.model, row.input, seed, split)
        for seed, row, split in itertools.product(seeds, rows, splits)
        if can_be_trained(row)
    ]
    return list(dict.fromkeys(runs))


def train_all(
    data: Path,
    models: Sequence[str],
    ablations: Sequence[str],
    inputs: Sequence[str],
    seeds: Sequence[int],
    splits: Sequence[str],
    protocol: Protocol,
    folder: Path,
    workers: int,
    done: Path | None,
) -> None:
    """Train every run that is not finished yet; with neither models nor ablations, all there are.

    Args:
        data: a prepared folder.
        models, ablations: names of models, and of questions whose rows have inputs of their own.
        inputs: as `runs_of` takes them.
        seeds: the protocol's where there are none.
        splits: names of har_demo.recognize.splits.
        folder: the work folder.
        workers: processes side by side.
        done: a table of figures whose runs are left out.
    """
    devices = tuple(f"cuda:{i}" for i in range(torch.cuda.device_count())) or ("cpu",)
    seeds = list(seeds or protocol.seeds)
    every = not models and not ablations
    runs = []
    if every or models:
        runs += runs_of(models or [*trainable(), *FITTED], inputs, seeds, splits)
    if every or ablations:
        questions = ablations or [ablation.name for ablation in ABLATIONS]
        runs += runs_of_ablations(questions, seeds, splits)
    runs = sorted(dict.fromkeys(runs), key=lambda run: seeds.index(run.seed))
    there = {run_of(row) for row in read_rows(done)} if done else set()
    queue = Queue(tuple(runs), folder, protocol, devices)
    left = with_teachers([run for run in runs if run not in there])
    left = [run for run in left if not queue.done(run).exists()]
    states = folder / "states"
    left.sort(key=lambda run: not any(states.glob(f"{run.start}*.state")))  # those cut first
    queue = Queue(tuple(left), folder, protocol, devices)

    print(f"{len(left)} of {len(runs)} runs to do on {', '.join(devices)}", flush=True)
    began = time.monotonic()
    make_footage(data, splits, protocol, folder, devices)
    print(f"footage after {time.monotonic() - began:.0f} s", flush=True)
    with flow_beside(queue):
        supervise(queue, workers)
    finished = sum(queue.done(run).exists() for run in left)
    print(f"{finished} finished, {len(left) - finished} left", flush=True)
