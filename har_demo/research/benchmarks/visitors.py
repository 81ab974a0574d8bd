"""Many visitors at once: how long they wait while models are busy, whether anything fails, and what it takes.

Each visitor has an address and a clip of their own, asks by the public API, waits for the answer, and thinks
for some seconds. Halfway somebody brings a film of ten minutes. Another asks the same short question all
the time, so that it shows what the film costs others.

    kind            what is asked
    models          the list of models, which never waits
    published       the table of published figures, which never waits
    recognize       one tiny model about the visitor's clip
    ask             four sentences about the clip
    flow            DIS on two seconds of the clip
    short           one tiny model about a known clip, by the one who only asks this
    short beside    the same while the film of ten minutes is read
    film            the film, read and asked about once
"""

import csv
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import av
import httpx2
import numpy as np

from har_demo import assets
from har_demo.profiling.timing import processor

COLUMNS = (
    *("visitors", "minutes", "kind", "asked", "median_s", "p95_s", "longest_s"),
    *("refused_by_quota", "failed", "memory_early_mb", "memory_late_mb", "machine", "date"),
)
SHARES = {"recognize": 0.35, "ask": 0.2, "flow": 0.1, "models": 0.2, "published": 0.15}
THINK = (2.0, 12.0)
"""Seconds between an answer and the next question, evenly spread."""
MODEL = "mfnet_pnl_lab"
PROMPTS = ["a person running", "a person clapping", "a person waving", "a person cooking"]
FILM_SECONDS = 600
QUOTA = ("waiting or running here", "are waiting here")
"""Parts of the sentences that refuse a visitor who has too many questions."""
PATIENCE = 900.0  # seconds for one answer


@dataclass
class Seen:
    """What happened to the questions of one kind.

    Attributes:
        seconds: of every answer.
        refused: how many were refused because too many waited.
        failed: the sentences of all others that got no answer.
    """

    seconds: list[float] = field(default_factory=list)
    refused: int = 0
    failed: list[str] = field(default_factory=list)


@dataclass
class Visit:
    """One visitor's connection: everything that is asked, and what happened, goes into `seen` by kind."""

    http: httpx2.Client
    seen: dict[str, Seen]
    lock: threading.Lock

    def upload(self, path: Path) -> dict:
        with path.open("rb") as file:
            (place,) = self.http.post("/gradio_api/upload", files={"files": file}).json()
        return {"path": place, "meta": {"_type": "gradio.FileData"}}

    def ask(self, kind: str, endpoint: str, *given) -> None:
        begun = time.monotonic()
        try:
            said = self._answer(endpoint, given)
        except (httpx2.HTTPError, KeyError, ValueError) as problem:
            said = repr(problem)
        with self.lock:
            seen = self.seen.setdefault(kind, Seen())
            if not said:
                seen.seconds.append(time.monotonic() - begun)
            elif any(part in said for part in QUOTA):
                seen.refused += 1
            else:
                seen.failed.append(said)

    def _answer(self, endpoint: str, given: Sequence) -> str:
        """Return '' for an answer, or what was said instead of one."""
        call = f"/gradio_api/call/{endpoint}"
        event = self.http.post(call, json={"data": list(given)}).json()["event_id"]
        kind = ""
        with self.http.stream("GET", f"{call}/{event}") as answer:
            for line in answer.iter_lines():
                if line.startswith("event:"):
                    kind = line.partition(":")[2].strip()
                elif line.startswith("data:") and kind in ("complete", "error"):
                    return "" if kind == "complete" else line[:300]
        return "The connection ended without an answer."


def measure(visitors: int, minutes: float, say: Callable[[str], None]) -> list[tuple]:
    """Start the app, let so many visitors in for so long, and return rows of COLUMNS.

    Raises:
        RuntimeError: the app does not start.
    """
    seen: dict[str, Seen] = {}
    with tempfile.TemporaryDirectory() as folder, _served(Path(folder)) as (url, process):
        film = _film(Path(folder) / "film.mp4")
        lock, end = threading.Lock(), time.monotonic() + 60 * minutes
        reading = threading.Event()

        def visit(number: int) -> Visit:
            # The app believes the header of a proxy on its own machine: each visitor has an address.
            address = {"X-Forwarded-For": f"10.0.{number // 256}.{number % 256}"}
            http = httpx2.Client(base_url=url, headers=address, timeout=PATIENCE, trust_env=False)
            return Visit(http, seen, lock)

        def stay(number: int) -> None:
            choose = random.Random(number)
            own, clip = visit(number), None
            time.sleep(choose.uniform(0, THINK[1]))
            while time.monotonic() < end:
                clip = clip or own.upload(choose.choice(_examples()))
                (kind,) = choose.choices(list(SHARES), list(SHARES.values()))
                own.ask(kind, *_question(kind, clip))
                time.sleep(choose.uniform(*THINK))

        def ask_shortly() -> None:
            own = visit(visitors)
            clip = own.upload(_examples()[0])
            while time.monotonic() < end:
                kind = "short beside" if reading.is_set() else "short"
                own.ask(kind, *_question("recognize", clip))
                time.sleep(THINK[0])

        def bring_film() -> None:
            time.sleep(30 * minutes)
            own = visit(visitors + 1)
            clip = own.upload(film)
            reading.set()
            own.ask("film", *_question("recognize", clip))
            reading.clear()

        work = [lambda n=number: stay(n) for number in range(visitors)] + [ask_shortly, bring_film]
        threads = [threading.Thread(target=one, daemon=True) for one in work]
        for thread in threads:
            thread.start()
        held = []
        while any(thread.is_alive() for thread in threads):
            held.append(_memory(process.pid))
            asked = sum(len(one.seconds) for one in seen.values())
            say(
                f"{visitors} visitors, {max(0, end - time.monotonic()):.0f} s left, {asked} answers"
            )
            time.sleep(5)
    return _rows(visitors, minutes, seen, held)


def write(rows: list[tuple], path: Path | str) -> None:
    """Write the table as CSV."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *rows])


def _question(kind: str, clip: dict) -> tuple:
    return {
        "recognize": ("recognize", clip, [MODEL], None, None, None, 1),
        "ask": ("ask", clip, PROMPTS, "default", ["{}"], True, "mean", None),
        "flow": ("flow", clip, ["dis"], 0, 2),
        "models": ("models",),
        "published": ("published", "Kinetics-400", "", ""),
    }[kind]


def _rows(visitors: int, minutes: float, seen: dict[str, Seen], held: Sequence[int]) -> list[tuple]:
    fifth = max(1, len(held) // 5)
    memory = [
        round(float(np.mean(part)) / 1e6) for part in (held[fifth : 2 * fifth], held[-fifth:])
    ]
    machine = f"{processor()}, {os.cpu_count()} cores"
    rows = []
    for kind, one in sorted(seen.items()):
        times = (
            [round(float(np.percentile(one.seconds, q)), 2) for q in (50, 95, 100)]
            if one.seconds
            else ["", "", ""]
        )
        counts = (one.refused, len(one.failed))
        asked = len(one.seconds) + sum(counts)
        row = (
            visitors,
            f"{minutes:g}",
            kind,
            asked,
            *times,
            *counts,
            *memory,
            machine,
            date.today(),
        )
        rows.append(tuple(map(str, row)))
        for said in sorted(set(one.failed)):
            print(f"{kind}: {said}", file=sys.stderr)
    return rows


@contextmanager
def _served(folder: Path) -> Iterator[tuple[str, subprocess.Popen]]:
    """Start the app with a cache of its own; its address and process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    variables = {"HAR_CACHE": str(folder / "cache"), "GRADIO_SERVER_PORT": str(port)}
    log = folder / "app.log"
    with log.open("w") as sink:
        command = [sys.executable, assets.ROOT / "app.py"]
        process = subprocess.Popen(
            command, env=os.environ | variables, stdout=sink, stderr=subprocess.STDOUT
        )
        try:
            begun = time.monotonic()
            while True:
                try:
                    httpx2.get(url, trust_env=False, timeout=10).raise_for_status()
                    break
                except httpx2.HTTPError as problem:
                    if process.poll() is not None or time.monotonic() - begun > 300:
                        raise RuntimeError(
                            f"app.py does not answer:\n{log.read_text()}"
                        ) from problem
                    time.sleep(0.3)
            yield url, process
        finally:
            process.terminate()
            process.wait()


def _examples() -> list[Path]:
    return sorted((assets.PACKAGE / "interface" / "examples").glob("*.mp4"))


def _film(path: Path) -> Path:
    """Write a film of ten minutes: ten seconds of moving noise at 640 × 360, again and again."""
    random_numbers = np.random.default_rng(0)
    ground = random_numbers.integers(0, 256, (360, 1280, 3), np.uint8)
    with av.open(path, "w") as film:
        stream = film.add_stream("libx264", rate=30, options={"preset": "ultrafast", "crf": "30"})
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        packets = []
        for number in range(300):
            picture = np.ascontiguousarray(ground[:, 2 * number % 640 :][:, :640])
            packets += stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24"))
        packets += stream.encode(None)
        kept = [(bytes(packet), packet.pts, packet.dts, packet.is_keyframe) for packet in packets]
        # Packets have the encoder's time base, a thirtieth of a second.
        for round_ in range(FILM_SECONDS // 10):
            for content, pts, dts, key in kept:
                packet = av.Packet(content)
                packet.stream, packet.time_base, packet.is_keyframe = (
                    stream,
                    packets[0].time_base,
                    key,
                )
                packet.pts, packet.dts = pts + 300 * round_, dts + 300 * round_
                film.mux(packet)
    return path


def _memory(pid: int) -> int:
    """Return the bytes that a process holds; 0 when it has just ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0
