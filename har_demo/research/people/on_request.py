"""Frames of rendered scenes for another process: har_demo.clips.rendered asks, line by line.

    standard input    {"id": 0, "action": "push-up", "seed": 1000014, "frames": [0, 3, 6]}
    standard output   {"id": 0, "action": "push-up", "seed": 1000014, "fps": 25, "file": "0.npy"}, or
                      {"id": 0, "error": "..."} when there is no such action

The file holds uint8 [N, SIDE, SIDE, 3], pixel for pixel what rendering the whole clip gives. Answers come
in the order in which they are finished. A model looks at about half of a clip's frames, and rendering them is
nearly all the work, so only those asked for are rendered.
"""

import json
import os
import traceback
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import TextIO

import numpy as np
import torch

from har_demo.clips.rendered import FPS, FRAMES, SIDE
from har_demo.labels import DATASETS
from har_demo.research.people.film import Recording
from har_demo.research.people.motion import move
from har_demo.research.people.shoot import Batch, Take, batch, batch_frames, take_of

ACTION_OF = {name: action for action, name in DATASETS["people"].items()}
"""Readable name → action of har_demo.research.people.motion."""


def answer_requests(requests: Iterable[str], folder: Path, answers: TextIO) -> None:
    """Render what each line asks for, until there are no more lines.

    Clips are rendered side by side, each on one core of the processor: the steps are too short to be shared.
    """
    workers = 1 if torch.cuda.is_available() else os.cpu_count() or 1
    with ThreadPoolExecutor(workers, "render", torch.set_num_threads, (1,)) as pool:
        for line in requests:
            pool.submit(_answer, json.loads(line), folder, answers)


def _answer(request: dict, folder: Path, answers: TextIO) -> None:
    try:
        message = _render(**request, folder=folder)
    except Exception:
        # Whoever asked learns it from the end of this process, and nothing waits for an answer.
        traceback.print_exc()
        os._exit(1)
    answers.write(json.dumps(message) + "\n")  # one write, as others answer meanwhile
    answers.flush()


def _render(id: int, action: str, seed: int, frames: list[int], folder: Path) -> dict:
    if action not in ACTION_OF:
        return {
            "id": id,
            "error": f"Nobody can be rendered {action[:40]!r}: choose another action.",
        }
    file = f"{id}.npy"
    np.save(folder / file, rendered_frames(action, seed, frames))
    return {"id": id, "action": action, "seed": seed, "fps": FPS, "file": file}


def rendered_frames(action: str, seed: int, indices: Sequence[int]) -> np.ndarray:
    """Return some frames of a scene, uint8 [N, SIDE, SIDE, 3]: rendered where there is a GPU, or here."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    whole = batch([_take(action, seed)])
    chosen = list(indices)
    film = Recording(**{name: value[chosen] for name, value in vars(whole.film).items()})
    part = Batch(whole.stage.frames(chosen), film, whole.seeds[chosen])
    return batch_frames(part.to(device), (SIDE, SIDE)).permute(0, 2, 3, 1).cpu().numpy()


@lru_cache(16)  # a clip is read in a few pieces, each a request
def _take(action: str, seed: int) -> Take:
    return take_of(move(ACTION_OF[action], seed, FRAMES / FPS, FPS), action, seed, FPS)
