import errno
import json
import os
import tempfile
import threading
from dataclasses import replace

import pytest

from har_demo import storage
from har_demo.clips import cache
from har_demo.clips import ingest as module
from har_demo.clips.cache import cached_clip
from har_demo.clips.ingest import ingest

from .make import card, film


def facts_of(clip):
    """The file of a clip's facts, beside the folder of copies."""
    return clip.path.parents[1] / "facts" / f"{clip.path.stem}.json"


def unnamed(clip):
    """The clip as it is found by its hash: whoever asks so has not seen the file."""
    return replace(clip, source=replace(clip.source, name=f"clip-{clip.sha256[:8]}"))


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
    assert cached_clip(first.sha256) == unnamed(first)


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
    harm(clip.path, facts_of(clip))
    assert cached_clip(clip.sha256) is None
    assert ingest(tmp_path / "a.mp4") == clip
    assert cached_clip(clip.sha256) == unnamed(clip)
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
    assert [file.suffix for file in copies.iterdir()] == [".mp4"]
    assert [file.suffix for file in (copies.parent / "facts").iterdir()] == [".json"]


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
        note = facts_of(clip)
        os.utime(note, (note.stat().st_atime, note.stat().st_mtime - age))
    assert cached_clip(clips[0].sha256)  # wanted again, so the second is now the oldest
    room = sum(clip.path.stat().st_size for clip in clips) / 1e6
    monkeypatch.setenv("HAR_CACHE_MB", str(room))
    new = ingest(film(tmp_path / "new.mp4", 9))
    assert cached_clip(clips[1].sha256) is None
    assert not clips[1].path.exists()
    assert cached_clip(new.sha256) == unnamed(new)
    assert cached_clip(clips[0].sha256) == unnamed(clips[0])


def test_a_clip_larger_than_the_cache_is_still_served(tmp_path, monkeypatch):
    monkeypatch.setenv("HAR_CACHE_MB", "0")
    assert ingest(film(tmp_path / "a.mp4", 5)).path.exists()


def test_clips_nobody_wanted_for_a_day_go_when_the_next_comes_in(tmp_path):
    old, young = (ingest(film(tmp_path / f"{n}.mp4", n)) for n in (5, 6))
    os.utime(facts_of(old), (0, 0))
    ingest(film(tmp_path / "new.mp4", 7))
    assert cached_clip(old.sha256) is None and not old.path.exists()
    assert cached_clip(young.sha256) == unnamed(young)


def test_leftovers_of_a_killed_run_go_after_a_day(tmp_path, copies):
    copies.mkdir(parents=True)
    old, young = copies / "old.part.mp4", copies / "young.part.mp4"
    for file in (old, young):
        file.write_bytes(b"half a copy")
    os.utime(old, (0, 0))
    ingest(film(tmp_path / "a.mp4", 5))
    assert not old.exists()
    assert young.exists()


def test_no_name_of_a_visitors_file_is_kept_or_found_by_the_clips_hash(tmp_path, copies):
    secret = "my medical record"
    clip = ingest(film(tmp_path / f"{secret}.mp4", 5))
    assert clip.source.name == f"{secret}.mp4", "whoever sent it still reads it"
    assert ingest(tmp_path / f"{secret}.mp4", name="again.mp4").source.name == "again.mp4"
    assert cached_clip(clip.sha256).source.name == f"clip-{clip.sha256[:8]}"
    kept = [file for file in copies.parent.rglob("*") if file.is_file()]
    assert {file.parent.name for file in kept} == {"clips", "facts"}
    assert not [
        file for file in kept if secret in file.name or secret.encode() in file.read_bytes()
    ]


def test_facts_with_names_that_an_earlier_version_kept_beside_the_copies_go_at_once(copies):
    copies.mkdir(parents=True)
    old = copies / f"{'0' * 64}.json"
    old.write_text(json.dumps({"version": 3, "clip": {"source": {"name": "mine.mp4"}}}))
    cache.prune()
    assert not old.exists()


def test_a_known_clip_needs_nothing_written(tmp_path, copies, monkeypatch):
    clip = ingest(film(tmp_path / "a.mp4", 5))

    def refuse(*given, **named):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    for name in ("os.utime", "tempfile.mkstemp", "fcntl.flock"):
        monkeypatch.setattr(name, refuse)
    assert ingest(tmp_path / "a.mp4") == clip
    monkeypatch.undo()
    # A cache folder that cannot be written at all is still read, while new clips go elsewhere.
    access = os.access
    monkeypatch.setattr(os, "access", lambda at, mode: at != copies.parent and access(at, mode))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("HAR_CACHE", str(copies.parent))
    monkeypatch.setattr(os, "utime", refuse)
    storage._temporary.cache_clear()
    assert ingest(tmp_path / "a.mp4") == clip
    assert copies in cache.served() and cache.folder() != copies
    new = ingest(film(tmp_path / "b.mp4", 6))
    assert new.path.parent == cache.folder()


def test_the_folder_follows_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("HAR_CACHE", str(tmp_path / "elsewhere"))
    assert cache.folder() == tmp_path / "elsewhere" / "clips"
    assert cache.folder().is_dir()
