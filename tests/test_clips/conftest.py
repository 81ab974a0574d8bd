import json

import pytest

from har_demo.clips import ingest as module
from har_demo.clips.transcode import transcode


@pytest.fixture(autouse=True)
def copies(tmp_path, monkeypatch):
    """An empty cache of its own for every test, and no limits from outside."""
    monkeypatch.setenv("HAR_CACHE", str(tmp_path / "cache"))
    for name in ("HAR_MAX_MB", "HAR_MAX_SECONDS", "HAR_MAX_SIDE", "HAR_CACHE_MB"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "cache" / "clips"


@pytest.fixture
def read_here(monkeypatch):
    """Files are read in this process: what comes out of them is the same, and none has to start."""

    def read(source, copy, name, on_progress):
        return json.loads(json.dumps(transcode(source, copy, name, on_progress)))

    monkeypatch.setattr(module, "read_safely", read)
