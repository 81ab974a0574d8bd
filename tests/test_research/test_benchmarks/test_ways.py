import json
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from har_demo.research.benchmarks import ways

ROOT = Path(__file__).resolve().parents[3]
MB = 2**20


def decoded(path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_the_generated_clip_moves_and_is_not_flat(tmp_path):
    ways.write_clip(tmp_path / "clip.mp4", 320, 180, 1, bit_rate=2_000_000)
    frames = decoded(tmp_path / "clip.mp4")
    assert len(frames) == ways.FPS and frames[0].shape == (180, 320, 3)
    assert frames[0].std() > 20
    assert np.abs(frames[10].astype(int) - frames[0]).mean() > 5


def test_a_repeated_clip_decodes_whole_and_in_time(tmp_path):
    ways.write_clip(tmp_path / "loop.mp4", 160, 96, 1)
    ways.repeat_clip(tmp_path / "loop.mp4", tmp_path / "long.mp4", 4)
    frames = decoded(tmp_path / "long.mp4")
    assert len(frames) == 4 * ways.FPS
    assert np.abs(frames[0].astype(int) - frames[3 * ways.FPS]).mean() < 1
    with av.open(str(tmp_path / "long.mp4")) as container:
        times = [frame.time for frame in container.decode(video=0)]
    np.testing.assert_allclose(np.diff(times), 1 / ways.FPS, atol=1e-4)


def measured_memory(work: str) -> dict:
    """What some lines take, measured in a process of its own, as the benchmark is.

    The peak of a process that has run long is an old one, and what it holds a child has too until it begins.
    """
    program = f"""
import json, subprocess, sys
import numpy as np
from har_demo.research.benchmarks import ways
with ways._peak_memory() as memory:
    {work}
print(json.dumps(memory))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_memory_counts_what_is_taken_and_given_back():
    memory = measured_memory(f"array = np.ones({300 * MB}, np.uint8); del array")
    assert 290 * MB < memory["above"] < 400 * MB
    assert memory["peak"] > memory["above"] and memory["children"] == 0


def test_memory_counts_what_a_child_takes_but_not_its_parents_share():
    hog = "import time; x = bytearray(200 * 2**20); time.sleep(0.3)"
    memory = measured_memory(f"subprocess.run([sys.executable, '-c', {hog!r}], check=True)")
    assert 200 * MB < memory["children"] < 250 * MB


def test_a_refused_model_stops_the_measurement():
    from har_demo.recognize.prediction import ModelError

    with pytest.raises(RuntimeError, match="no weights"):
        ways._insist(iter([ModelError("one", "One", "no weights here")]))


@pytest.mark.nightly
def test_both_ways_run_on_a_small_clip(tmp_path, monkeypatch):
    import torch
    from safetensors.torch import save_file

    from har_demo.models import registry
    from har_demo.recognize import networks

    monkeypatch.setenv("HAR_CACHE", str(tmp_path / "cache"))
    ways.write_clip(tmp_path / "clip.mp4", 320, 180, 4)
    torch.manual_seed(0)
    card = registry.card("c3d_lab")
    weights = str(tmp_path / "stand_in.safetensors")
    save_file(card.build(len(card.classes)).state_dict(), weights)
    model = {"name": "c3d_lab", "weights": weights}
    job = {"clip": str(tmp_path / "clip.mp4"), "models": [model]}
    for found in (ways.plain(job), ways.ours(job)):
        assert min(found[name] for name in ways.QUESTIONS) > 0
        assert found["peak"] > found["above"]
    found = ways.sliding({"clip": job["clip"], "model": model})
    assert found["windows"] > 1
    networks.forget()
