"""What visitors left goes after a day or for want of room, whoever left it, and nothing else does."""

import os
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from har_demo import storage
from har_demo.interface import sweeper

DAY = 24 * 3600
HASH = "0" * 64


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    """A cache folder and a folder for work of the test's own."""
    monkeypatch.setenv("HAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "cache" / "gradio"))
    monkeypatch.setattr(storage, "work", lambda: tmp_path / "work")
    return tmp_path / "cache"


def left(path: Path, age: float, size: int = 10) -> Path:
    """A file that was last changed `age` seconds ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size))
    os.utime(path, (time.time() - age,) * 2)
    return path


def test_leftovers_of_a_killed_server_go_after_a_day_and_nothing_younger(root, tmp_path):
    places = (
        root / "gradio" / HASH / "an upload.mp4",
        root / "gradio" / "tmpbrokenoff",
        root / "gradio" / HASH / ".answer.csv.x7",
        root / "clips" / "x7.part.mp4",
        root / "clips" / f"{HASH}.mp4",
        root / "facts" / f"{HASH}.lock",
        root / "flow" / "tmpx7" / "field.npy",
        tmp_path / "work" / "tmpx7" / "a-annotated.mp4",
    )
    old = [left(place, DAY + 60) for place in places]
    young = [left(place.with_name(f"1{place.name}"), DAY - 60) for place in places]
    other = [left(root / "weights" / "i3d.safetensors", 9 * DAY), left(tmp_path / "mine", 9 * DAY)]
    sweeper.sweep()
    assert [file for file in old if file.exists()] == []
    assert [file for file in (*young, *other) if not file.exists()] == []


def test_folders_that_became_empty_go_when_nobody_changed_them_for_an_hour(root):
    full = left(root / "gradio" / HASH / "a.mp4", 10).parent
    (root / "gradio" / ("1" * 64)).mkdir()
    os.utime(root / "gradio" / ("1" * 64), (0, 0))
    (root / "gradio" / ("2" * 64)).mkdir()
    sweeper.sweep()
    assert sorted(one.name[0] for one in (root / "gradio").iterdir()) == ["0", "2"]
    assert full.is_dir()


def test_files_that_gradio_ages_itself_stay(root):
    known = left(root / "gradio" / HASH / "shown.mp4", DAY + 60)
    sweeper.sweep({str(known)})
    assert known.exists()


def test_in_a_folder_that_a_person_named_other_programs_files_stay(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "shared"))
    ours = left(tmp_path / "shared" / HASH / "a.mp4", DAY + 60)
    others = left(tmp_path / "shared" / "tmpwork" / "a.txt", 9 * DAY)
    link = tmp_path / "shared" / ("1" * 64)
    link.symlink_to(others.parent)
    sweeper.sweep()
    assert not ours.exists() and others.exists()


def test_a_folder_that_is_in_the_way_keeps_nothing_else_from_going(root, caplog):
    root.mkdir()
    (root / "clips").write_text("in the way")
    old = left(root / "gradio" / HASH / "a.mp4", DAY + 60)
    sweeper.sweep()
    assert not old.exists()
    assert "Old files cannot be deleted" in caplog.text and "clips" in caplog.text


def test_the_oldest_uploads_go_for_want_of_room_and_none_that_may_be_in_use(root, monkeypatch):
    monkeypatch.setenv("HAR_UPLOADS_MB", "0.001")
    ages = (60, sweeper.IN_USE + 60, sweeper.IN_USE + 600)
    young, older, oldest = (left(root / "gradio" / HASH / f"{age}.mp4", age, 300) for age in ages)
    assert sweeper.make_room(100) == 100 and oldest.exists()
    assert sweeper.make_room(200) == 400 and not oldest.exists() and older.exists()
    assert sweeper.make_room(900) == 700 and not older.exists() and young.exists()


def test_the_app_sweeps_beside_itself_when_it_starts_and_every_hour(root, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    threads = []
    monkeypatch.setattr(
        sweeper.threading, "Thread", lambda **given: threads.append(given) or Mock()
    )
    known = left(root / "gradio" / HASH / "shown.mp4", DAY + 60)
    sweeper.start(SimpleNamespace(temp_file_sets=[{str(known)}, set()]))
    (thread,) = threads
    assert thread["daemon"] and tempfile.gettempdir() == str(tmp_path / "work")
    waits, old = [], []

    def wait(seconds):
        waits.append(seconds)
        assert not any(file.exists() for file in old)
        if len(waits) == 3:
            raise InterruptedError
        old.append(left(root / "gradio" / f"tmp{len(waits)}", DAY + 60))

    old.append(left(root / "gradio" / "tmp0", DAY + 60))
    monkeypatch.setattr(sweeper.time, "sleep", wait)
    with pytest.raises(InterruptedError):
        thread["target"](*thread["args"])
    assert waits == [3600] * 3 and known.exists()
