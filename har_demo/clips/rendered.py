"""Clips of rendered people: scenes that no file holds, whose frames a process of its own renders when they are read.

    scene (action, seed) ──▶ Clip and what reads it ──frames──▶ python -m har_demo.research render-frames ──▶ pixels

The renderer belongs to research, which nothing served may load; it runs beside this process and ends with it.
"""

import itertools
import json
import subprocess
import tempfile
import threading
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from har_demo import assets, child
from har_demo.clips.clip import Clip, SourceFacts
from har_demo.errors import ChoiceError
from har_demo.labels import DATASETS

FPS = 25
FRAMES = 60
"""Of each clip: a window of 17 frames at 8 fps, and room to move it."""
SIDE = 144
"""Width and height in pixels: more than a network's 112, so that crops stay sharp."""
TEST_SEED = 1_000_000
"""Seed of the first test clip; no network is trained on a scene from here on."""
PATIENCE = 300.0  # seconds for one answer of the renderer, its start included

RenderedReader = Callable[[Clip, np.ndarray], np.ndarray]
"""(clip, int64 [N]) → uint8 [N, SIDE, SIDE, 3], RGB."""
Open = Callable[..., tuple[Clip, RenderedReader]]
"""(RenderedScene, frames kept so far or None) → its clip, at once; frames are rendered when they are
first read, and each once."""


@dataclass(frozen=True)
class RenderedScene:
    """A person doing something.

    Attributes:
        action: readable name, one of har_demo.labels.DATASETS['people'].
        seed: draws the person, the place, the camera and the motion.
    """

    action: str
    seed: int


def scenes(names: Collection[str], count: int, seed: int = TEST_SEED) -> list[RenderedScene]:
    """Return the first `count` test scenes that show one of the named actions.

    Scene i shows action i mod 39 with seed + i, so fewer scenes are always the first of more. Empty
    when none of the names can be rendered.

    >>> [scene.seed for scene in scenes(["push-up"], 2)]
    [1000014, 1000053]
    """
    actions = list(DATASETS["people"].values())
    if not set(names) & set(actions):
        return []
    numbered = zip(itertools.count(seed), itertools.cycle(actions), strict=False)
    shown = (RenderedScene(action, number) for number, action in numbered if action in names)
    return list(itertools.islice(shown, count))


@contextmanager
def renderer() -> Iterator[Open]:
    """Open scenes as clips; the renderer starts with the first frame read and ends with the block.

    Readers may be used by several threads at once, within the block.

    Example:
        >>> with renderer() as open_scene:
        ...     clip, read = open_scene(RenderedScene("push-up", 1_000_014))
        ...     frames = read(clip, np.arange(clip.frames))

    Raises:
        ChoiceError: this copy of the project has no renderer, or (a reader) there is no such action.
        RuntimeError: (a reader) the renderer ended or did not answer, which is a fault of the program.
    """
    if not (assets.PACKAGE / "research").is_dir():
        raise ChoiceError(
            "This copy of the project comes without the renderer of people: do it in a full copy, "
            "such as a clone of the repository."
        )
    with tempfile.TemporaryDirectory(prefix="har_rendered_") as folder:
        process = _Renderer(Path(folder))
        try:
            yield process.open
        finally:
            process.close()


class _Renderer:
    """The process and the answers that are waited for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._waiting: dict[int, Future] = {}
        self._process: subprocess.Popen | None = None
        self._listener: threading.Thread | None = None
        self._closed = False

    def open(
        self, scene: RenderedScene, kept: dict[int, np.ndarray] | None = None
    ) -> tuple[Clip, RenderedReader]:
        rendered = {} if kept is None else kept

        def read(clip: Clip, indices: np.ndarray) -> np.ndarray:
            new = sorted({int(i) for i in indices} - rendered.keys())
            if new:
                rendered.update(zip(new, self._frames(scene, new), strict=True))
            return np.stack([rendered[int(i)] for i in indices])

        facts = SourceFacts(scene.action, "none", "none", SIDE, SIDE, FPS, FRAMES / FPS, 0)
        return Clip(Path(), FPS, FRAMES, SIDE, SIDE, "", facts), read

    def close(self) -> None:
        with self._lock:
            self._closed = True
            process, listener = self._process, self._listener
        if process:
            process.kill()
            assert listener is not None  # it starts with the process
            listener.join()
            # Closes the pipes, where one may hold words for a process that ended.
            with suppress(BrokenPipeError), process:
                pass

    def _frames(self, scene: RenderedScene, indices: list[int]) -> np.ndarray:
        request = {"action": scene.action, "seed": scene.seed, "frames": indices}
        answer: Future = Future()
        with self._lock:
            process = self._started()
            assert process.stdin is not None
            number = next(self._numbers)
            self._waiting[number] = answer
            try:
                process.stdin.write(json.dumps({"id": number, **request}).encode() + b"\n")
                process.stdin.flush()
            except BrokenPipeError as error:
                del self._waiting[number]
                raise _ended(process) from error
        try:
            message = answer.result(PATIENCE)
        except TimeoutError as error:
            raise RuntimeError(f"the renderer gave no frame for {PATIENCE:g} seconds") from error
        if "error" in message:
            raise ChoiceError(message["error"])
        file = self._folder / message["file"]
        frames = np.load(file)
        file.unlink()
        return frames

    def _started(self) -> subprocess.Popen:
        if self._closed:
            raise ValueError("this renderer is closed")
        if self._process is None:
            self._process = subprocess.Popen(
                child.command("har_demo.research", "render-frames", self._folder),
                env=child.environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            self._listener = threading.Thread(target=self._listen, args=[self._process])
            self._listener.start()
        return self._process

    def _listen(self, process: subprocess.Popen) -> None:
        """Hand each answer to the reader that waits for it, until the process ends."""
        assert process.stdout is not None
        for line in process.stdout:
            message = json.loads(line)
            self._waiting.pop(message["id"]).set_result(message)
        problem = _ended(process)
        with self._lock:
            waiting, self._waiting = self._waiting, {}
            if self._process is process:
                self._process = None  # the next reader starts another
        for answer in waiting.values():
            answer.set_exception(problem)


def _ended(process: subprocess.Popen) -> RuntimeError:
    return RuntimeError(f"the renderer of people ended with exit code {process.wait()}")
