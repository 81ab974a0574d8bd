"""A file's reading is estimated before it is decoded, and ends when it takes far longer than that."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from har_demo.clips import budget, ingest
from har_demo.clips.transcode import transcode
from har_demo.errors import ClipError

from .make import animation, film


def test_ten_minutes_of_ordinary_film_are_within_the_allowance():
    for width, height, rate in (
        (1280, 720, 60),
        (1920, 1080, 30),
        (1080, 1920, 60),
        (3840, 2160, 30),
    ):
        budget.check(budget.estimate(width, height, 600 * rate, 600 * 30), "holiday.mp4")


def test_a_hundred_kilobytes_that_hold_hours_of_work_are_refused_before_decoding(
    tmp_path, monkeypatch
):
    path = tmp_path / "large.gif"
    small = [Image.fromarray(np.full((2, 2), shade, np.uint8)) for shade in (0, 255)]
    small[0].save(path, save_all=True, append_images=small[1:], duration=100, loop=0)
    # The screen becomes 8192 × 8192, on which every frame changes one pixel.
    gif = path.read_bytes()
    screen = (8192).to_bytes(2, "little") * 2
    frame = b"\x21\xf9\x04\x04\x0a\0\0\0\x2c\0\0\0\0\1\0\1\0\0\2\2\x44\1\0"
    path.write_bytes(gif[:6] + screen + gif[10:-1] + 5000 * frame + b"\x3b")
    assert path.stat().st_size < 300_000
    monkeypatch.setattr("har_demo.clips.transcode.clock", lambda *given: pytest.fail("decoded"))
    with pytest.raises(ClipError, match=r"large\.gif would take about .* minutes.*fewer pixels"):
        transcode(path, tmp_path / "copy.mp4", "large.gif")


def test_the_allowance_is_set_by_a_variable(tmp_path, monkeypatch):
    pictures = [np.full((64, 64, 3), 20 * n, np.uint8) for n in range(9)]
    files = [film(tmp_path / "a.mp4", 20)]
    files.append(animation(tmp_path / "a.webp", pictures, [100] * 9))
    monkeypatch.setenv("HAR_BUDGET_READ_SECONDS", "0.001")
    for path in files:
        with pytest.raises(ClipError, match="would take about 0 seconds to read here"):
            transcode(path, tmp_path / "copy.mp4", path.name)
    monkeypatch.setenv("HAR_BUDGET_READ_SECONDS", "0")
    assert budget.allowance() == float("inf")


@pytest.mark.parametrize(
    "endless", ["while True: pass", "import time; time.sleep(600)"], ids=["busy", "waiting"]
)
def test_a_process_over_its_time_ends_and_the_visitor_is_told(endless, monkeypatch, tmp_path):
    work = (
        "from har_demo.clips import budget\n"
        "budget.START, budget.WAITING = 0.1, 3\n"
        f"budget.limit_process(0)\nprint('{json.dumps({'progress': 0.1})}', flush=True)\n{endless}"
    )
    monkeypatch.setattr(ingest, "command", lambda *given: [sys.executable, "-c", work])
    with pytest.raises(ClipError, match="took far longer than its size lets expect"):
        ingest.read_safely("a.mp4", tmp_path / "copy.mp4", "a.mp4", lambda fraction: None)


def test_the_child_is_limited_by_what_the_file_should_take(tmp_path, monkeypatch):
    """The limits hold in the process that reads, and follow the file's estimate."""
    path = film(tmp_path / "a.mp4", 20)
    work = (
        "import resource, signal, sys\n"
        "from har_demo.clips import ingest_child\n"
        "ingest_child.main(*sys.argv[1:])\n"
        "print(resource.getrlimit(resource.RLIMIT_CPU)[0], signal.getitimer(signal.ITIMER_REAL)[0])"
    )
    given = [str(path), str(tmp_path / "copy.mp4"), "a.mp4"]
    done = subprocess.run([sys.executable, "-c", work, *given], capture_output=True, text=True)
    seconds, clock = done.stdout.splitlines()[-1].split()
    expected = budget.START + budget.MARGIN * budget.estimate(128, 96, 20, 24)
    assert expected <= int(seconds) <= expected + 2
    assert 0 < float(clock) <= 2 * expected + 2
