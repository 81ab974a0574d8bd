"""What breaks for reasons of ours is not blamed on the file, and what breaks because of it is."""

import sys
import traceback

import numpy as np
import pytest

from har_demo.clips import cache, probe
from har_demo.clips import ingest as module
from har_demo.clips.frames import read_frames
from har_demo.clips.ingest import ingest
from har_demo.errors import BROKEN, ClipError, InternalError
from tests import plant

from .make import film, number

CHILD = "har_demo.clips.ingest_child"
BREAKS = "import har_demo.clips.transcode as t\ndef transcode(*given):\n    raise {}\nt.transcode = transcode"


def fault(path) -> str:
    """What the log would show when reading a file meets a fault of ours."""
    with pytest.raises(InternalError) as broken:
        ingest(path)
    assert str(broken.value) == BROKEN and "damaged" not in BROKEN
    return "".join(traceback.format_exception(broken.value))


@pytest.mark.parametrize("error", ["TypeError('planted')", "AttributeError('planted')"])
def test_a_fault_in_the_reading_process_is_ours(tmp_path, monkeypatch, error):
    planted = plant.in_process(tmp_path / "planted", CHILD, BREAKS.format(error))
    monkeypatch.setenv("PYTHONPATH", str(planted))
    logged = fault(film(tmp_path / "a.mp4", 3))
    assert f"{error.split('(')[0]}: planted" in logged and "ingest_child.py" in logged


def test_an_argument_that_pyav_no_longer_has_is_ours(tmp_path, monkeypatch):
    code = "from har_demo.clips import probe\nprobe.ANY_TEXT['no_such_argument'] = 1"
    monkeypatch.setenv("PYTHONPATH", str(plant.in_process(tmp_path / "planted", CHILD, code)))
    assert "no_such_argument" in fault(film(tmp_path / "a.mp4", 3))


def test_a_library_that_does_not_load_is_ours(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(plant.missing(tmp_path / "planted", "av")))
    assert "ImportError: no such library" in fault(film(tmp_path / "a.mp4", 3))


@pytest.mark.parametrize("code", ["raise SystemExit(7)", "pass"])
def test_a_process_that_ends_without_a_report_is_ours(tmp_path, monkeypatch, code):
    monkeypatch.setattr(module, "command", lambda *given: [sys.executable, "-c", code])
    fault(film(tmp_path / "a.mp4", 3))


def test_a_process_that_cannot_start_is_ours(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "command", lambda *given: [str(tmp_path / "nowhere")])
    with pytest.raises(FileNotFoundError):
        ingest(film(tmp_path / "a.mp4", 3))


def test_nothing_is_left_behind_by_a_fault(tmp_path, monkeypatch):
    path = film(tmp_path / "a.mp4", 3)
    with monkeypatch.context() as patch:
        patch.setattr(module, "command", lambda *given: [sys.executable, "-c", "1 / 0"])
        assert "ZeroDivisionError" in fault(path)
    assert list(cache.folder().iterdir()) == []
    assert ingest(path).frames == 3


def test_what_ffmpeg_says_anywhere_is_about_the_file(tmp_path, monkeypatch):
    error = "__import__('av').error.InvalidDataError(1094995529, 'planted')"
    planted = plant.in_process(tmp_path / "planted", CHILD, BREAKS.format(error))
    monkeypatch.setenv("PYTHONPATH", str(planted))
    with pytest.raises(ClipError, match=r"Reading a\.mp4 failed: the file is damaged"):
        ingest(film(tmp_path / "a.mp4", 3))


def test_a_disk_that_refuses_the_copy_is_not_the_file(tmp_path, monkeypatch):
    ours = module.command
    monkeypatch.setattr(module, "command", lambda s, c, n: ours(s, tmp_path / "no" / "copy.mp4", n))
    assert "FileNotFoundError" in fault(film(tmp_path / "a.mp4", 3))


def test_a_file_that_may_not_be_read_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(probe.os, "access", lambda path, mode: False)
    with pytest.raises(ClipError, match=r"a\.mp4 may not be read by this user"):
        ingest(film(tmp_path / "a.mp4", 3))


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
def test_a_title_that_is_not_utf8_is_no_obstacle(tmp_path, name):
    path = film(tmp_path / name, 8, codec="mpeg4", title="TITLE")
    content = path.read_bytes()
    assert b"TITLE" in content
    path.write_bytes(content.replace(b"TITLE", b"\xff\xfe\xc3(\x80"))
    clip = ingest(path)
    assert [number(frame) for frame in read_frames(clip, np.arange(8))] == list(range(8))
    assert probe.probe(path).name == name


def test_readers_that_fail_on_a_sound_copy_are_ours(tmp_path, monkeypatch):
    clip = ingest(film(tmp_path / "a.mp4", 3))

    def broken(*given, **named):
        raise RuntimeError("planted")

    monkeypatch.setattr("har_demo.clips.frames._with_decord", lambda *given: False)
    monkeypatch.setattr("har_demo.clips.frames.av.open", broken)
    with pytest.raises(RuntimeError, match="planted"):
        read_frames(clip, np.array([0]))
