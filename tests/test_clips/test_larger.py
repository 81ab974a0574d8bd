"""A larger copy is made where a model needs it, beside the usual one."""

import re

from har_demo.clips.cache import cached_clip
from har_demo.clips.ingest import ingest

from .make import card as picture
from .make import film


def test_a_larger_copy_lies_beside_the_usual_one(tmp_path):
    path = film(tmp_path / "a.mp4", [picture(k, 960, 640) for k in range(4)])
    usual = ingest(path)
    assert (usual.width, usual.height) == (510, 340)
    assert ingest(path, lines=340) == usual
    larger = ingest(path, lines=400)
    assert (larger.width, larger.height, larger.sha256) == (600, 400, usual.sha256)
    assert re.fullmatch(r"[0-9a-f]{64}-400\.mp4", larger.path.name)
    assert cached_clip(usual.sha256).path == usual.path
    assert cached_clip(usual.sha256, 400).path == larger.path


def test_no_copy_is_larger_than_the_film(tmp_path):
    small = film(tmp_path / "b.mp4", [picture(k, 480, 320) for k in range(4)])
    usual = ingest(small)
    assert ingest(small, lines=400).path == usual.path
