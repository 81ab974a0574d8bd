"""Errors of every method of optical flow on pairs whose flow is known, and its time for a pair.

    har-demo flow --evaluate --data FOLDER --out results/measured/flow.csv

Rendered people are drawn from fixed seeds, so everybody can measure the same; pairs of FlyingChairs come
from a folder. The end-point error is the distance, in pixels, between the place that a method gives for a
point in the next frame and the true one, on average over all points of all pairs.
"""

import csv
import os
import platform
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import cv2
import numpy as np
import torch

from har_demo.flow.field import TITLES, flow
from har_demo.flow.files import KnownPair
from har_demo.flow.learned import LEARNED, at_hand
from har_demo.flow.scores import COLUMNS, STILL, FlowScore, read
from har_demo.research.training.flow.rendered import known_pairs

FIRST_SEED = 8_000_000  # of rendered takes; those that networks learn from are higher
PEOPLE_SIZE = (192, 144)
TIMED_SIZE = (320, 240)  # width, height
REPEATS = 3


def people(count: int) -> list[KnownPair]:
    """The first so many rendered pairs, each of another take: actions in turn, anybody, anywhere."""
    return list(known_pairs(range(FIRST_SEED, FIRST_SEED + count), PEOPLE_SIZE))


PEOPLE = f"rendered people, {PEOPLE_SIZE[0]} × {PEOPLE_SIZE[1]}"


def ready() -> tuple[list[str], list[str]]:
    """The methods that can answer here and now, and a sentence for each of the others."""
    missing = {name: at_hand(name) for name in LEARNED}
    if not hasattr(cv2, "optflow"):
        missing["tv-l1"] = "TV-L1 is not in this OpenCV: install opencv-contrib-python-headless."
    names = [name for name in TITLES if not missing.get(name)]
    return names, [sentence for sentence in missing.values() if sentence]


def measure(
    methods: Sequence[str],
    data: dict[str, list[KnownPair]],
    device: str | None = None,
    on_progress: Callable[[float, str], None] = lambda done, what: None,
) -> list[FlowScore]:
    """Errors of every method on every set of pairs, and its time for a pair of 320 × 240 pixels.

    Args:
        methods: keys of TITLES.
        data: pairs by the name of their set.
        device: where networks run; classical methods run on the processor.

    Raises:
        ChoiceError, WeightsError: a method is not at hand.
    """
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    rows = []
    for name, pairs in data.items():
        rows += _errors(STILL, name, pairs, "cpu", lambda frames: np.zeros((2, *frames.shape[1:3])))
    for number, method in enumerate(methods):
        runs_on = device if method in LEARNED else "cpu"

        def answer(frames: np.ndarray, method=method) -> np.ndarray:
            return flow(frames, method, device=device).pixels[0]

        for name, pairs in data.items():
            on_progress(number / len(methods), f"{TITLES[method]} on {name}")
            rows += _errors(method, name, pairs, runs_on, answer)
        timed = milliseconds(answer)
        size = f"{TIMED_SIZE[0]} × {TIMED_SIZE[1]}"
        row = FlowScore(method, size, "ms_per_pair", timed, REPEATS, runs_on, machine(runs_on))
        rows.append(row)
    return rows


def _errors(
    method: str,
    name: str,
    pairs: Sequence[KnownPair],
    device: str,
    answer: Callable[[np.ndarray], np.ndarray],
) -> list[FlowScore]:
    sums: dict[str, np.ndarray] = {}
    for pair in pairs:
        distance = np.linalg.norm(answer(pair.frames) - pair.flow, axis=0)
        known = np.isfinite(distance)
        points = {"epe": known}
        if pair.visible is not None:
            points["epe_visible"] = known & pair.visible
        if pair.visible is not None and pair.person is not None:
            points["epe_person"] = known & pair.visible & pair.person
        for metric, where in points.items():
            new = np.array([distance[where].sum(dtype=np.float64), where.sum()])
            sums[metric] = sums.get(metric, 0) + new
    return [
        FlowScore(method, name, metric, total / count, len(pairs), device, machine(device))
        for metric, (total, count) in sums.items()
        if count
    ]


def milliseconds(answer: Callable[[np.ndarray], np.ndarray]) -> float:
    """For one pair, the median of some, after one that warms up."""
    width, height = TIMED_SIZE
    chance = np.random.default_rng(0)
    coarse = chance.integers(0, 256, (1, height // 8, width // 8, 3), dtype=np.uint8)
    picture = coarse.repeat(8, 1).repeat(8, 2)
    frames = np.concatenate([picture, np.roll(picture, (2, 3), (1, 2))])
    answer(frames)
    took = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        answer(frames)  # its result is on the processor: nothing is still under way
        took.append(1000 * (time.perf_counter() - began))
    return median(took)


def machine(device: str) -> str:
    """The GPU's name, or the processor's with the number of cores that may be used."""
    if device.startswith("cuda"):
        return torch.cuda.get_device_name(device)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{_processor()}, {cores} cores, {torch.get_num_threads()} threads"


def _processor() -> str:
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text().splitlines() if facts.is_file() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def write(file: Path, rows: Sequence[FlowScore]) -> None:
    """Put figures into a table, in place of older ones of the same; others stay.

    Raises:
        ChoiceError: the file is another table.
    """
    there = {row.key: row for row in read(file)} if file.exists() else {}
    there |= {row.key: row for row in rows}
    with open(file, "w", encoding="utf-8", newline="") as opened:
        table = csv.writer(opened, lineterminator="\n")
        table.writerow(COLUMNS)
        for row in there.values():
            digits = 1 if row.metric == "ms_per_pair" else 4
            values = vars(row) | {"value": f"{row.value:.{digits}f}"}
            table.writerow([values[column] for column in COLUMNS])
