"""A folder or disk that cannot be used is one sentence: exit code 2 of a command, no end of the app."""

import errno
import logging
import os

import gradio as gr
import pytest

from har_demo.clips import cache
from har_demo.errors import BROKEN, disk_sentence
from har_demo.interface import app
from har_demo.interface.problems import explain_error
from tests.media import numbered_frames, write
from tests.test_cli import one_sentence, run


@pytest.fixture
def blocked(tmp_path, monkeypatch):
    """A cache folder in which a file lies where the clips should go."""
    (tmp_path / "clips").write_text("in the way")
    monkeypatch.setenv("HAR_CACHE", str(tmp_path))
    return tmp_path


def test_a_command_ends_with_one_sentence_and_exit_code_2(blocked, tmp_path):
    clip = write(tmp_path / "a.mp4", numbered_frames(8))
    code, out, said = run("recognize", clip, "--models", "single_frame_lab")
    assert (code, out) == (2, "") and one_sentence(said)
    assert "'clips' cannot be used, because a file of that name is in the way" in said


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.ENOSPC, "no room left"),
        (errno.EROFS, "can only be read"),
        (errno.EACCES, "permissions"),
        (errno.ENAMETOOLONG, "shorter"),
    ],
)
def test_what_the_disk_refuses_in_the_middle_of_a_command_is_said(
    number, sentence, tmp_path, monkeypatch
):
    def refuse(*given, **named):
        raise OSError(number, os.strerror(number), "/somewhere/clip\x1b[31m.part.mp4")

    monkeypatch.setattr("har_demo.clips.ingest.tempfile.mkstemp", refuse)
    monkeypatch.setenv("HAR_CACHE", str(tmp_path / "cache"))
    clip = write(tmp_path / "a.mp4", numbered_frames(8))
    code, _, said = run("recognize", clip, "--models", "single_frame_lab")
    assert code == 2 and one_sentence(said) and sentence in said
    assert "clip[31m.part.mp4" in said and "/somewhere" not in said


def test_a_fault_that_is_not_the_disks_stays_a_fault(monkeypatch):
    for problem in (OSError(errno.EIO, "broken"), ConnectionResetError(104, "reset"), KeyError(2)):
        assert disk_sentence(problem) is None
        assert explain_error(problem, "asking failed") == BROKEN


def test_names_without_an_end_are_sentences():
    long = "a" * 5000
    for arguments in (
        ("recognize", long),
        ("recognize", "a.mp4", "--csv", long),
        ("flow", long),
    ):
        code, _, said = run(*arguments)
        assert code == 2 and one_sentence(said) and len(said) < 400, arguments


def test_the_page_says_what_the_disk_refuses_and_the_log_too(caplog):
    full = OSError(errno.ENOSPC, "No space left on device", "/cache/clips/a.mp4")
    assert explain_error(full, "take_upload failed").startswith(
        "'a.mp4' cannot be used, because there"
    )
    assert "take_upload failed" in caplog.text


def test_the_app_starts_without_a_folder_for_clips(blocked, monkeypatch, caplog):
    started = {}
    monkeypatch.setattr(app.sweeper, "start", lambda demo: None)
    monkeypatch.setattr(gr.Blocks, "launch", lambda self, **options: started.update(options))
    with pytest.raises(FileExistsError):
        cache.folder()
    with caplog.at_level(logging.WARNING):
        app.launch(gr.Blocks())
    assert started["allowed_paths"] == []
    middleware = [one.cls for one in started["app_kwargs"]["middleware"]]
    assert middleware == [app.compressed, app.uploads.bounded, app.Departures, app.Completed]
    assert "No clip can be taken in before this is mended: 'clips' cannot be used" in caplog.text
