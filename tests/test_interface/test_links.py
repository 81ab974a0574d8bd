"""A shared link names a clip by its hash, and tells nothing of the file that it came in."""

from types import SimpleNamespace

from har_demo.clips.ingest import ingest
from har_demo.interface import links
from tests.media import numbered_frames, write
from tests.test_interface.pressed import pressed


def test_neither_the_link_nor_what_it_brings_back_has_the_files_name(tmp_path, monkeypatch):
    monkeypatch.setenv("HAR_CACHE", str(tmp_path / "cache"))
    clip = ingest(write(tmp_path / "my secret.mp4", numbered_frames(8)))
    assert clip.source.name == "my secret.mp4"
    answer = SimpleNamespace(
        prompts=["a dog"], background="", model="embedded", templates=["{}"], pooling="mean"
    )
    link = links.prompts_link(clip, answer)
    assert link["clip"] == clip.sha256 and "secret" not in str(link)
    for restore in (links.restore, links.restore_prompts):
        brought = pressed(restore, {"clip": clip.sha256})[-1]
        assert brought["current"].path == clip.path
        assert brought["current"].source.name == f"clip-{clip.sha256[:8]}"
        assert "secret" not in str(brought)
