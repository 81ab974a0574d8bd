"""The cache folder can always be written: where its own cannot, it is a temporary one, with a note."""

import os
import tempfile
from pathlib import Path

import huggingface_hub
import pytest

from har_demo import storage
from har_demo.prompts import online


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """A temporary folder of the test's own, and no note logged yet."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    storage._temporary.cache_clear()
    return folder


def test_har_cache_names_the_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HAR_CACHE", str(tmp_path / "new" / "cache"))
    assert storage.root() == tmp_path / "new" / "cache" and storage.root().is_dir()


def test_without_it_the_user_has_one(tmp_path, monkeypatch):
    monkeypatch.delenv("HAR_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert storage.root() == tmp_path / "har_demo" and storage.root().is_dir()


@pytest.mark.parametrize("blocked", ["below a file", "not writable"])
def test_where_it_cannot_be_written_there_is_a_temporary_one_and_one_note(
    blocked, tmp_path, temporary, monkeypatch, caplog
):
    chosen = tmp_path / "cache"
    if blocked == "below a file":
        chosen.write_text("")
        chosen = chosen / "har_demo"
    else:
        access = os.access
        monkeypatch.setattr(os, "access", lambda at, mode: at != chosen and access(at, mode))
    monkeypatch.setenv("HAR_CACHE", str(chosen))
    folder = storage.root()
    assert folder == storage.root() == temporary / f"har_demo-{os.getuid()}"
    assert folder.stat().st_mode & 0o777 == 0o700
    (note,) = caplog.messages
    assert str(chosen) in note and str(folder) in note and "HAR_CACHE" in note


def test_a_home_that_nobody_knows_is_not_a_folder_named_tilde(tmp_path, temporary, monkeypatch):
    monkeypatch.delenv("HAR_CACHE")
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: f"~/.cache/{name}")
    monkeypatch.chdir(tmp_path)
    assert storage.root().parent == temporary
    assert not (tmp_path / "~").exists()


def test_a_link_somebody_put_there_is_not_followed(tmp_path, temporary, monkeypatch):
    (tmp_path / "theirs").mkdir()
    (temporary / f"har_demo-{os.getuid()}").symlink_to(tmp_path / "theirs")
    monkeypatch.setenv("HAR_CACHE", "/dev/null/cache")
    folder = storage.root()
    assert folder.parent == temporary and not folder.is_symlink() and folder == storage.root()


def test_a_space_with_permanent_storage_keeps_its_caches_there(tmp_path, monkeypatch):
    monkeypatch.setattr(storage, "PERMANENT", tmp_path)
    monkeypatch.delenv("HAR_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SPACE_ID", raising=False)
    assert storage.root() == tmp_path / "home" / "har_demo", "/data elsewhere is none of ours"
    monkeypatch.setenv("SPACE_ID", "somebody/action-atlas")
    assert storage.root() == tmp_path / "har_demo" and storage.root().is_dir()
    monkeypatch.setenv("HAR_CACHE", str(tmp_path / "named"))
    assert storage.root() == tmp_path / "named"
    monkeypatch.delenv("HAR_CACHE")
    monkeypatch.setattr(storage, "PERMANENT", tmp_path / "none")
    assert storage.root() == tmp_path / "home" / "har_demo"
    # A disk that is mounted and cannot be written is as good as none.
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "har_demo").write_text("a file in the folder's place")
    monkeypatch.setattr(storage, "PERMANENT", tmp_path / "disk")
    assert storage.root() == tmp_path / "home" / "har_demo"


def test_models_of_the_hub_go_there_too_unless_they_were_fetched_before(tmp_path, monkeypatch):
    monkeypatch.setattr(storage, "PERMANENT", tmp_path)
    monkeypatch.setattr(online, "_fetched", lambda name, folder: None)
    own = Path(huggingface_hub.constants.HF_HUB_CACHE)
    monkeypatch.delenv("SPACE_ID", raising=False)
    assert online._cache_folder(online.DEFAULT) == own
    monkeypatch.setenv("SPACE_ID", "somebody/action-atlas")
    monkeypatch.delenv("HAR_CACHE")
    assert online._cache_folder(online.DEFAULT) == tmp_path / "har_demo" / "huggingface"
    monkeypatch.setattr(online, "_fetched", lambda name, folder: folder)
    assert online._cache_folder(online.DEFAULT) == own
