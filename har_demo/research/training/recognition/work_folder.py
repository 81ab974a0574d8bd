"""The work folder of a training: what is to be done, and the footage and flow that all its processes read.

    rendered-SIDE-COUNT-SEED.pt, real-SPLIT-DATASET.pt    footage, rendered and decoded once
    flow-RATE-FOOTAGE.pt                                  its optical flow, where a run reads that
    states/, claims/, done/                               of runs: under way, taken, finished

A file has its name when it is complete, so whoever finds one can read it.
"""

import multiprocessing
import os
import signal
import time
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from har_demo.recognize.prepared import read_examples
from har_demo.research.training.recognition.data import VideoDataset, load, split
from har_demo.research.training.recognition.figures import rendered_footage
from har_demo.research.training.recognition.motion import all_cores, fields_of
from har_demo.research.training.recognition.protocol import Protocol
from har_demo.research.training.recognition.train import Run, shown, teacher_of, write
from har_demo.research.training.recognition.variants import card_of

FLOW = "flow"  # what runs wait for that read it


@dataclass(frozen=True)
class Queue:
    """The runs of a work folder and how they are trained.

    Attributes:
        runs: in this order.
        folder: the work folder.
        protocol: of all of them.
        devices: such as 'cuda:0', among which the workers are shared out; 'cpu' where there is none.
    """

    runs: tuple[Run, ...]
    folder: Path
    protocol: Protocol
    devices: tuple[str, ...]

    def done(self, run: Run) -> Path:
        """The folder of a finished run."""
        return self.folder / "done" / run.name

    def starting_as(self, run: Run) -> list[Run]:
        """All splits of the same first stage."""
        return [other for other in self.runs if other.start == run.start]


def make_footage(
    prepared: Path, splits: Sequence[str], protocol: Protocol, folder: Path, devices: Sequence[str]
) -> None:
    """Render and decode what is not in the folder yet; one is written while the next is made."""
    folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(1) as disk:
        made = _lacking_footage(prepared, splits, protocol, folder, devices)
        written = [disk.submit(footage.save, file) for file, footage in made]
    for one in written:
        one.result()
    torch.cuda.empty_cache()  # what rendering took, 29 GiB of every GPU that workers share


def _lacking_footage(
    prepared: Path, splits: Sequence[str], protocol: Protocol, folder: Path, devices: Sequence[str]
) -> Iterator[tuple[Path, VideoDataset]]:
    for side, (count, seed) in rendered(protocol).items():
        file = rendered_file(folder, protocol, side)
        if not file.exists():
            recordings = prepared / "recordings" / side
            known = recordings if recordings.exists() else None
            yield file, rendered_footage(count, known, seed, devices)
    for name in splits:
        seen, unseen = split(read_examples(prepared), name)
        for dataset in ("train", *sorted({example.dataset for example in unseen})):
            file = folder / f"real-{name}-{dataset}.pt"
            if not file.exists():
                own = [example for example in unseen if example.dataset == dataset]
                yield file, load(seen if dataset == "train" else own)


def make_flow(queue: Queue) -> None:
    """Compute the optical flow of the footage that a run reads it of, if it is not there."""
    if lacking := lacking_flow(queue):
        with all_cores() as mapped:
            for kept, (file, rate) in lacking.items():
                write(fields_of(file, rate, mapped), kept)


def lacking_flow(queue: Queue) -> dict[Path, tuple[Path, float]]:
    """Return missing files of flow: file → (its footage, fields a second)."""
    return {
        kept: (file, flow_rate(run))
        for run in queue.runs
        for file, kept in flow_files(queue, run).items()
        if not kept.exists()
    }


def flow_files(queue: Queue, run: Run) -> dict[Path, Path]:
    """Return the footage of which a run reads flow → file of the flow."""
    rate = flow_rate(run)
    if rate is None:
        return {}
    files = [rendered_file(queue.folder, queue.protocol, side) for side in ("train", "test")]
    files += sorted(queue.folder.glob(f"real-{run.split}-*.pt"))
    return {file: flow_file(file, rate) for file in files}


@contextmanager
def flow_beside(queue: Queue) -> Iterator[None]:
    """Compute that flow in a process of its own, out of the others' way; not longer than the context."""
    (queue.folder / f"{FLOW}.failed").unlink(missing_ok=True)
    if not lacking_flow(queue):
        yield
        return
    maker = multiprocessing.get_context("spawn").Process(target=_make_flow_beside, args=(queue,))
    maker.start()
    try:
        yield
    finally:
        with suppress(ProcessLookupError):  # it has ended, or has no pool yet
            os.killpg(maker.pid, signal.SIGKILL)
        maker.kill()
        maker.join()


def _make_flow_beside(queue: Queue) -> None:
    os.setsid()  # so that its pool can be ended with it
    os.nice(10)
    began = time.monotonic()
    try:
        make_flow(queue)
        print(f"flow after {time.monotonic() - began:.0f} s", flush=True)
    except Exception:
        (queue.folder / f"{FLOW}.failed").write_text(traceback.format_exc())
        print(f"{FLOW}: failed\n{traceback.format_exc()}", flush=True)


def flow_rate(run: Run) -> float | None:
    """Fields a second that a run reads in training, or None."""
    spec = shown(card_of(run.model), run)
    return spec.fps if "flow" in spec.modality else None


def flow_file(file: Path, rate: float) -> Path:
    """Return the file of the flow of some footage."""
    return file.with_name(f"flow-{rate:g}-{file.name}")


def with_flow(footage: VideoDataset, file: Path, rate: float | None) -> VideoDataset:
    """The footage of a file, and its flow beside it where it is read."""
    if rate is None:
        return footage
    fields = torch.load(flow_file(file, rate), mmap=True, weights_only=True)
    return replace(footage, fields=fields.to(footage.frames.device))


def rendered(protocol: Protocol) -> dict[str, tuple[int, int]]:
    """Return number of clips and seed of the rendered footage, by side."""
    return {
        "train": (protocol.rendered_clips, protocol.rendered_seed),
        "test": (protocol.test_clips, protocol.test_seed),
    }


def rendered_file(folder: Path, protocol: Protocol, side: str) -> Path:
    """Return the file of that footage."""
    count, seed = rendered(protocol)[side]
    return folder / f"rendered-{side}-{count}-{seed}.pt"


def read_rendered(queue: Queue, side: str, device: torch.device) -> VideoDataset:
    """Rendered footage of the work folder, on a device."""
    return VideoDataset.read(rendered_file(queue.folder, queue.protocol, side)).to(device)


def read_real(queue: Queue, name: str, device: torch.device) -> dict[str, VideoDataset]:
    """Real footage of a split on a device: 'train', and by data set what is tested."""
    return {
        file.stem.split("-")[2]: VideoDataset.read(file).to(device)
        for file in sorted(queue.folder.glob(f"real-{name}-*.pt"))
    }


def missing(queue: Queue, run: Run) -> str | None:
    """Return what the run, or another split of its start, waits for; None if nothing."""
    for same in queue.starting_as(run):
        if not all(file.exists() for file in flow_files(queue, same).values()):
            return FLOW
        teacher = teacher_of(same)
        if teacher and not queue.done(teacher).exists():
            return teacher.name
    return None


def comes(queue: Queue, needed: str) -> bool:
    """Return True when what somebody waits for is on its way."""
    failed = (queue.folder / f"{needed}.failed").exists()
    return not failed and (needed == FLOW or needed in [run.name for run in queue.runs])
