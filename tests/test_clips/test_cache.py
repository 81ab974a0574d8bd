import json
import os
import threading

import pytest

from har_demo.clips import cache
from har_demo.clips import ingest as module
from har_demo.clips.cache import cached_clip
from har_demo.clips.ingest import ingest

from .make import card, film


@pytest.fixture
def readings(read_here, monkeypatch):
    """Names of the films that were really read, and not found in the cache."""
    names = []
    real = module.read_safely

    def counted(source, copy, name, on_progress):
        names.append(name)
        return real(source, copy, name, on_progress)

    monkeypatch.setattr(module, "read_safely", counted)
    return names


def test_the_same_content_is_read_once_under_any_name(tmp_path, readings):
    first = ingest(film(tmp_path / "a.mp4", 5))
    (tmp_path / "b.mp4").write_bytes((tmp_path / "a.mp4").read_bytes())
    second = ingest(tmp_path / "b.mp4")
    assert readings == ["a.mp4"]
    assert (first.path, first.sha256) == (second.path, second.sha256)
    assert second.source.name == "b.mp4"
    assert cached_clip(first.sha256) == first


@pytest.mark.parametrize("asked", ["", "0" * 64, "../../etc/passwd", "A" * 64, "0" * 63 + "\n"])
def test_what_is_not_here_is_none(asked):
    assert cached_clip(asked) is None


@pytest.mark.parametrize(
    "harm",
    [
        lambda copy, note: copy.unlink(),
        lambda copy, note: note.unlink(),
        lambda copy, note: copy.write_bytes(copy.read_bytes()[:100]),
        lambda copy, note: copy.write_bytes(bytes(copy.stat().st_size)),
        lambda copy, note: note.write_text(note.read_text()[:50]),
        lambda copy, note: note.write_text("[]"),
        lambda copy, note: note.write_text(json.dumps({"version": 0})),
        lambda copy, note: note.write_bytes(b"\xff\xfe\x00"),
    ],
    ids=["no copy", "no facts", "cut", "zeros", "half facts", "list", "old version", "not text"],
)
def test_a_damaged_entry_is_made_anew(tmp_path, readings, harm):
    clip = ingest(film(tmp_path / "a.mp4", 5))
    harm(clip.path, clip.path.with_suffix(".json"))
    assert cached_clip(clip.sha256) is None
    assert ingest(tmp_path / "a.mp4") == clip
    assert cached_clip(clip.sha256) == clip
    assert len(readings) == 2


def test_two_users_with_one_file_wait_for_one_copy(tmp_path, copies, readings):
    path = film(tmp_path / "a.mp4", [card(k, 640, 480) for k in range(60)])
    clips = []
    users = [threading.Thread(target=lambda: clips.append(ingest(path))) for _ in range(4)]
    for user in users:
        user.start()
    for user in users:
        user.join()
    assert len(clips) == 4
    assert all(clip == clips[0] for clip in clips)
    assert len(readings) == 1
    assert sorted(file.suffix for file in copies.iterdir()) == [".json", ".mp4"]


def test_two_users_with_two_files(tmp_path):
    paths = [film(tmp_path / f"{k}.mp4", 10 + k) for k in range(3)]
    clips = {}
    users = [threading.Thread(target=lambda p=p: clips.update({p: ingest(p)})) for p in paths]
    for user in users:
        user.start()
    for user in users:
        user.join()
    assert [clips[path].frames for path in paths] == [10, 11, 12]


def test_a_full_cache_drops_what_was_not_wanted_for_longest(tmp_path, monkeypatch, copies):
    clips = [ingest(film(tmp_path / f"{k}.mp4", 10 + k)) for k in range(3)]
    for age, clip in zip((300, 200, 100), clips, strict=True):
        note = clip.path.with_suffix(".json")
        os.utime(note, (note.stat().st_atime, note.stat().st_mtime - age))
    assert cached_clip(clips[0].sha256)  # wanted again, so the second is now the oldest
    room = sum(clip.path.stat().st_size for clip in clips) / 1e6
    monkeypatch.setenv("HAR_CACHE_MB", str(room))
    new = ingest(film(tmp_path / "new.mp4", 9))
    assert cached_clip(clips[1].sha256) is None
    assert not clips[1].path.exists()
    assert cached_clip(new.sha256) == new
    assert cached_clip(clips[0].sha256) == clips[0]


def test_a_clip_larger_than_the_cache_is_still_served(tmp_path, monkeypatch):
    monkeypatch.setenv("HAR_CACHE_MB", "0")
    assert ingest(film(tmp_path / "a.mp4", 5)).path.exists()


def test_clips_nobody_wanted_for_a_day_go_when_the_next_comes_in(tmp_path):
    old, young = (ingest(film(tmp_path / f"{n}.mp4", n)) for n in (5, 6))
    os.utime(old.path.with_suffix(".json"), (0, 0))
    ingest(film(tmp_path / "new.mp4", 7))
    assert cached_clip(old.sha256) is None and not old.path.exists()
    assert cached_clip(young.sha256) == young


def test_leftovers_of_a_killed_run_go_after_a_day(tmp_path, copies):
    copies.mkdir(parents=True)
    old, young = copies / "old.part.mp4", copies / "young.part.mp4"
    for file in (old, young):
        file.write_bytes(b"half a copy")
    os.utime(old, (0, 0))
    ingest(film(tmp_path / "a.mp4", 5))
    assert not old.exists()
    assert young.exists()


def test_the_folder_follows_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("HAR_CACHE", str(tmp_path / "elsewhere"))
    assert cache.folder() == tmp_path / "elsewhere" / "clips"
    assert cache.folder().is_dir()
