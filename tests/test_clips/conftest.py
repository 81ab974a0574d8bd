import pytest


@pytest.fixture(autouse=True)
def copies(tmp_path, monkeypatch):
    """An empty cache of its own for every test, and no limits from outside."""
    monkeypatch.setenv("HAR_CACHE", str(tmp_path / "cache"))
    for name in ("HAR_MAX_MB", "HAR_MAX_SECONDS", "HAR_MAX_SIDE", "HAR_CACHE_MB"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "cache" / "clips"
