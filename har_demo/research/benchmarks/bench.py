"""Time and memory of a request, as ratios against the plain way: har-demo bench

Every measurement runs in a fresh process (ways.py), the two ways in turn, on clips generated for
the occasion. This module stays light on purpose: what a process weighs when it starts others would
otherwise show in their figures.
"""

import csv
import json
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from har_demo import child
from har_demo.errors import ChoiceError

COLUMNS = ("measure", "plain way", "this project", "ratio", "target", "verdict")

# The shipped networks. Where a checkpoint is missing, `ways.prepare` gives that network fresh
# parameters: what it answers means nothing and is never shown, but it costs the same.
MODELS = ("c3d_lab", "r2plus1d_lab", "r2plus1d_rgb_lab")
SLIDING_MODEL = "c3d_lab"

Row = tuple[str, str, str, str, str, str]


def measure(quick: bool = False, say: Callable[[str], None] = lambda words: None) -> list[Row]:
    """All measurements as rows of words under COLUMNS; minutes, or about one when quick.

    Args:
        quick: shorter clips and a single round, for a first look; targets are for the long ones.
        say: called with what is being done.

    Raises:
        ChoiceError: the system has no /proc to read memory from.
    """
    if not Path("/proc/self/status").exists():
        raise ChoiceError("The benchmark reads memory from /proc, which only Linux has.")
    seconds, short, long = (3, 10, 60) if quick else (10, 30, 600)
    rounds = 1 if quick else 3
    with tempfile.TemporaryDirectory(prefix="har_bench_") as folder:
        say("Generating clips")
        job = {"folder": folder, "models": MODELS, "seconds": seconds, "short": short, "long": long}
        made = _run("prepare", job, folder)
        plain, ours = [], []
        for number in range(rounds):
            say(f"Round {number + 1} of {rounds}: the plain way")
            plain.append(_run("plain", made, folder))
            say(f"Round {number + 1} of {rounds}: this project")
            ours.append(_run("ours", made, folder))
        sliding = {}
        for length in ("short", "long"):
            say(f"Sliding windows over {job[length]} s")
            model = next(m for m in made["models"] if m["name"] == SLIDING_MODEL)
            sliding[length] = _run("sliding", {"clip": made[length], "model": model}, folder)
    clip = f"{seconds} s of 1080p, {len(MODELS)} models"
    return [
        _time_row(f"first question ({clip})", "first", plain, ours, 1.0),
        _time_row(f"second question ({clip})", "second", plain, ours, 3.0),
        _time_row("another question, one window a model", "single", plain, ours, 3.0),
        _memory_row("peak memory above the idle program", "above", plain, ours),
        _memory_row("peak memory in all", "peak", plain, ours),
        _sliding_row(sliding, short, long, "above"),
        _sliding_row(sliding, short, long, "peak"),
    ]


def write(rows: list[Row], path: Path | str) -> None:
    """The table as CSV."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *rows])


def _run(way: str, job: dict, folder: str) -> dict:
    """One job in a fresh process with an empty cache; its last line of output is the result."""
    with tempfile.TemporaryDirectory(dir=folder) as cache:
        done = subprocess.run(
            child.command("har_demo.research", "bench-job", way, json.dumps(job)),
            env={**child.environment(), "HAR_CACHE": cache},
            stdout=subprocess.PIPE,
            text=True,
        )
    if done.returncode:
        raise RuntimeError(f"the benchmark's '{way}' ended with exit code {done.returncode}")
    return json.loads(done.stdout.splitlines()[-1])


def _time_row(what: str, key: str, plain: list[dict], ours: list[dict], least: float) -> Row:
    # The best round of each: whatever else the machine does can only add to a time.
    theirs, mine = min(r[key] for r in plain), min(r[key] for r in ours)
    ratio = theirs / mine
    return (
        what,
        f"{theirs:.2f} s",
        f"{mine:.2f} s",
        f"{ratio:.2f}× faster",
        f"at least {least:g}×",
        _verdict(ratio >= least),
    )


def _memory_row(what: str, key: str, plain: list[dict], ours: list[dict]) -> Row:
    theirs, mine = max(r[key] for r in plain), max(r[key] for r in ours)
    ratio = mine / theirs
    return (
        what,
        f"{theirs / 1e6:.0f} MB",
        f"{mine / 1e6:.0f} MB",
        f"{ratio:.2f} of it",
        "at most 0.25",
        _verdict(ratio <= 0.25),
    )


def _sliding_row(sliding: dict[str, dict], short: int, long: int, key: str) -> Row:
    """Not against the plain way, which has no chance here, but a long clip against a short one."""
    small, large = sliding["short"][key], sliding["long"][key]
    words = {"above": "peak memory above idle", "peak": "peak memory in all"}[key]
    windows = sliding["long"]["windows"]
    return (
        f"{words}, {windows} sliding windows over {long} s of 720p",
        f"({short} s: {small / 1e6:.0f} MB)",
        f"{large / 1e6:.0f} MB",
        f"{large / small:.2f} of it",
        "at most 1.3",
        _verdict(large / small <= 1.3),
    )


def _verdict(met: bool) -> str:
    return "met" if met else "MISSED"
