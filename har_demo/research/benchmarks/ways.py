"""The jobs that bench.py measures, each run as a process: python -m har_demo.research bench-job

`plain` is what tutorials do: decode every frame at full size with PyAV, stack, transform what is
sampled with torchvision, ask every network. `ours` is ingest and recognize. Both use the same
networks, windows and number of threads, and load the networks before the clock starts.

Peak memory is that of this process and its children together at the same moment, looked at every ten
milliseconds, and never less than the kernel's own high-water mark of this process. (RUSAGE_CHILDREN
will not do: a child begins with its parent's mark.)
"""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

WIDE, HIGH = 1920, 1080
FPS = 30
LOOP_SECONDS = 10
# What is asked of one clip, in this order: stride in frames of the clip, and number of windows. None
# is what the page takes by itself: the model's own stride, and windows that cover the clip.
QUESTIONS = {"first": (None, None), "second": (2.0, None), "single": (3.0, 1)}


def prepare(job: dict) -> dict:
    """Write the clips, and fresh parameters for models of which no others are here."""
    folder = Path(job["folder"])
    clip = folder / "hd.mp4"
    write_clip(clip, WIDE, HIGH, job["seconds"])
    loop = folder / "loop.mp4"
    write_clip(loop, 1280, 720, LOOP_SECONDS, bit_rate=1_500_000)
    for length in ("short", "long"):
        repeat_clip(loop, folder / f"{length}.mp4", job[length] // LOOP_SECONDS)

    from safetensors.torch import save_file

    from har_demo.models import registry
    from har_demo.weights import availability

    models = []
    for name in job["models"]:
        card, weights = registry.card(name), None
        if availability(card).state != "shipped":
            weights = str(folder / f"stand_in_{name}.safetensors")
            save_file(card.build(len(card.classes)).state_dict(), weights)
        models.append({"name": name, "weights": weights})
    return {
        "clip": str(clip),
        "short": str(folder / "short.mp4"),
        "long": str(folder / "long.mp4"),
        "models": models,
    }


def plain(job: dict) -> dict:
    """Some questions about one clip, everything done anew for each."""
    import av
    import torch
    from torchvision.transforms import v2

    from har_demo.clips import sampling
    from har_demo.clips.transforms import differences
    from har_demo.models import registry
    from har_demo.recognize.plan import DEFAULT_WINDOWS
    from har_demo.weights import load

    cards = [registry.card(model["name"]) for model in job["models"]]
    networks = [
        load(card, model["weights"])[0] for card, model in zip(cards, job["models"], strict=True)
    ]
    _warm_up(cards, networks)

    def question(asked: float | None, windows: int | None) -> None:
        with av.open(job["clip"]) as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            frames = np.stack([f.to_ndarray(format="rgb24") for f in container.decode(stream)])
        for card, network in zip(cards, networks, strict=True):
            spec = card.input
            preset = v2.Compose(
                [
                    v2.Resize(spec.resize, antialias=spec.antialias),
                    v2.CenterCrop(spec.crop),
                    v2.ToDtype(torch.float32, scale=True),
                    v2.Normalize(spec.mean, spec.std),
                ]
            )
            difference = spec.modality == "difference"
            read = spec.frames + difference
            stride = asked or FPS / spec.fps
            cover = min(DEFAULT_WINDOWS, sampling.covering(len(frames), read, stride))
            views = []
            for window in sampling.windows(len(frames), read, stride, windows or cover):
                x = preset(torch.from_numpy(frames[window]).permute(0, 3, 1, 2))
                views.append((differences(x) if difference else x).transpose(0, 1))
            with torch.inference_mode():
                network(torch.stack(views)).softmax(dim=1)

    return _measured(question)


def ours(job: dict) -> dict:
    """Some questions about one clip, the first with an empty cache."""
    from har_demo.clips.ingest import ingest
    from har_demo.recognize.prediction import Request
    from har_demo.recognize.recognize import recognize

    _load_shared(job["models"])

    def question(stride: float | None, windows: int | None) -> None:
        clip = ingest(job["clip"])
        asked = [
            Request(m["name"], stride=stride, windows=windows, weights=m["weights"])
            for m in job["models"]
        ]
        _insist(recognize(clip, asked, device="cpu"))

    return _measured(question)


def sliding(job: dict) -> dict:
    """Windows one after the other over the whole clip."""
    from har_demo.clips import sampling
    from har_demo.clips.ingest import ingest
    from har_demo.models import registry
    from har_demo.recognize.prediction import Request
    from har_demo.recognize.recognize import recognize

    model = job["model"]
    _load_shared([model])
    spec = registry.card(model["name"]).input
    read = spec.frames + (spec.modality == "difference")
    with _peak_memory() as memory:
        clip = ingest(job["clip"])
        windows = sampling.covering(clip.frames, read, clip.fps / spec.fps)
        asked = Request(model["name"], windows=windows, weights=model["weights"])
        _insist(recognize(clip, [asked], device="cpu"))
    return {"windows": windows, **memory}


def write_clip(
    path: Path, width: int, height: int, seconds: int, bit_rate: int = 8_000_000
) -> None:
    """A drifting texture with discs moving across: about as much to decode as a real film."""
    import av
    import cv2

    rng = np.random.default_rng(0)
    texture = np.zeros((height + 256, width + 256, 3), np.float32)
    for scale in (4, 16, 64):
        coarse = rng.random((texture.shape[0] // scale, texture.shape[1] // scale, 3), np.float32)
        texture += cv2.resize(coarse, texture.shape[1::-1], interpolation=cv2.INTER_CUBIC) * 80
    texture = texture.clip(0, 255).astype(np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            "libx264", rate=FPS, options={"preset": "veryfast", "bf": "0"}
        )
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.bit_rate = bit_rate
        for number in range(seconds * FPS):
            angle = 2 * np.pi * number / (LOOP_SECONDS * FPS)
            x, y = int(128 + 120 * np.cos(angle)), int(128 + 120 * np.sin(angle))
            picture = texture[y : y + height, x : x + width].copy()
            for disc in range(6):
                centre = (
                    int(width * (0.5 + 0.4 * np.sin((disc + 1) * angle))),
                    int(height * (0.5 + 0.4 * np.cos((6 - disc) * angle))),
                )
                cv2.circle(picture, centre, height // 12, (40 * disc, 250 - 40 * disc, 120), -1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def repeat_clip(loop: Path, path: Path, times: int) -> None:
    """The film `loop` several times over, without encoding it again."""
    import av

    with av.open(str(path), "w") as output:
        stream = None
        for number in range(times):
            with av.open(str(loop)) as container:
                source = container.streams.video[0]
                if stream is None:
                    stream = output.add_stream_from_template(source)
                for packet in container.demux(source):
                    if packet.dts is None:
                        continue
                    packet.pts += number * source.duration
                    packet.dts += number * source.duration
                    packet.stream = stream
                    output.mux(packet)


def _load_shared(models: list[dict]) -> None:
    """Networks as recognize() keeps them, and decord, ready as in a program that runs already."""
    import decord  # noqa: F401  (after torch)
    import torch

    from har_demo.models import registry
    from har_demo.recognize.networks import network

    cards = [registry.card(model["name"]) for model in models]
    networks = [
        network(card, model["weights"], torch.device("cpu"))[0]
        for card, model in zip(cards, models, strict=True)
    ]
    _warm_up(cards, networks)


def _warm_up(cards: list, networks: list) -> None:
    """One view through every network: the first pass of a process is slower than all others."""
    import torch

    for card, network in zip(cards, networks, strict=True):
        with torch.inference_mode():
            network(torch.zeros(1, 3, card.input.frames, *card.input.crop))


def _insist(answers: Iterator) -> None:
    """Run a question to its end; a refused model would make the figures worthless."""
    from har_demo.recognize.prediction import ModelError

    for answer in answers:
        if isinstance(answer, ModelError):
            raise RuntimeError(answer.message)


def _measured(question: Callable[[float | None, int | None], None]) -> dict:
    """Seconds of every question, and the memory they took."""
    seconds = {}
    with _peak_memory() as memory:
        for name, asked in QUESTIONS.items():
            started = time.perf_counter()
            question(*asked)
            seconds[name] = time.perf_counter() - started
    return {**seconds, **memory}


@contextlib.contextmanager
def _peak_memory() -> Iterator[dict]:
    """Gives a dict that holds, after the block, bytes: 'peak' in all, 'above' what there was before."""
    found: dict[str, int] = {}
    before = _status(os.getpid(), "VmRSS")
    over, together, children = threading.Event(), [0], [0]

    def watch() -> None:
        while not over.wait(0.01):
            pids = []
            for task in Path("/proc/self/task").glob("*/children"):
                with contextlib.suppress(OSError):
                    pids += task.read_text().split()
            theirs = sum(_status(int(pid), "VmHWM") for pid in pids)
            children.append(theirs)
            together.append(theirs + _status(os.getpid(), "VmRSS"))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    yield found
    over.set()
    watcher.join()
    found["peak"] = max(_status(os.getpid(), "VmHWM"), *together)
    found["above"] = found["peak"] - before
    found["children"] = max(children)


def _status(pid: int, field: str) -> int:
    """A figure of /proc/<pid>/status in bytes; 0 for a process that is gone."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(f"{field}:"):
                return int(line.split()[1]) * 1024
    return 0


JOBS = {job.__name__: job for job in (prepare, plain, ours, sliding)}
