"""One list of endings, by which folders are searched, evaluated and trained on."""

import av
import pytest

from har_demo.clips.probe import CONTAINERS, VIDEOS
from har_demo.prompts.ranking import video_files
from har_demo.recognize import eval_set

# Of the same containers, but of sound, subtitles and photographs.
NO_FILMS = {"m4a", "m4b", "isma", "mka", "mks", "avif", "heic", "heif", "mpo"}
SOUND = ["mp3", "wav", "w64", "flac", "aac", "ac3", "aiff", "amr", "au", "caf"]


def test_every_ending_that_ffmpeg_gives_to_what_is_let_in_is_listed():
    known = set()
    for name in CONTAINERS.split(","):
        if name in av.formats_available and name not in SOUND:
            known |= av.ContainerFormat(name, "r").extensions
    assert {"mkv", "mp4", "dv"} <= known
    assert {f".{ending}" for ending in known - NO_FILMS} <= VIDEOS
    assert {".mts", ".m2ts", ".vob", ".wmv", ".mpg", ".webp", ".mjpeg"} <= VIDEOS


@pytest.mark.parametrize("name", ["CLIP.MTS", "a.m2ts", "a.vob", "a.webp"])
def test_folders_are_searched_and_evaluated_by_it(tmp_path, name):
    (tmp_path / "walking").mkdir()
    path = tmp_path / "walking" / name
    path.write_bytes(b"any")
    assert video_files([path.parent]) == [path]
    assert eval_set._videos(tmp_path) == [(path, "walking")]
