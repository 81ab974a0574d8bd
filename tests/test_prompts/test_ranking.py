"""Clips are ranked for a sentence; each is looked at once, whatever is asked of it later."""

import shutil
from dataclasses import replace

import pytest

from har_demo.clips.ingest import ingest
from har_demo.errors import ChoiceError
from har_demo.prompts import answer, catalogue
from har_demo.prompts.export import ranking_json
from har_demo.prompts.ranking import MOST, search, search_files
from tests.media import acted, write


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("searched")
    return [
        ingest(write(folder / f"{seed}.mp4", acted("walk", seed, seconds=1.0))) for seed in (1, 2)
    ]


def test_every_clip_has_its_place(clips, tiny, monkeypatch):
    answer.forget()
    model = catalogue.load(tiny).network
    seen, image = [], model.encode_image
    monkeypatch.setattr(
        model, "encode_image", lambda x: seen.append(len(x)) or image(x), raising=False
    )
    first = search(clips, "walking", tiny)
    assert {one.clip for one in first.found} == set(clips)
    assert first.found[0].similarity >= first.found[1].similarity
    assert all(0 <= one.seconds < one.clip.duration for one in first.found)
    before = sum(seen)
    second = search([*clips, clips[0]], "sleeping", tiny)
    assert sum(seen) == before == 16
    assert len(second.found) == 2 and second.sentence == "sleeping"


def test_what_cannot_be_searched(clips, tiny):
    with pytest.raises(ChoiceError, match="no clip"):
        search([], "walking", tiny)
    with pytest.raises(ChoiceError, match="no prompt"):
        search(clips, " ", tiny)
    many = [replace(clips[0], sha256=str(n)) for n in range(MOST + 1)]
    with pytest.raises(ChoiceError, match="51 clips"):
        search(many, "walking", tiny)


def test_files_that_cannot_be_read_are_named_and_the_others_go_on(clips, tiny, tmp_path):
    good, bad = tmp_path / "fine.mp4", tmp_path / "broken.mp4"
    shutil.copyfile(clips[0].path, good)
    bad.write_bytes(b"no film")
    told = []
    found = search_files([bad, good], "walking", tiny, lambda *one: told.append(one))
    assert [one.clip.source.name for one in found.found] == [good.name]
    assert [one.name for one in found.unread] == ["broken.mp4"]
    assert "not a video that can be read" in found.unread[0].why
    assert ranking_json(found)["unread"][0]["name"] == "broken.mp4"
    shares = [share for share, _ in told]
    assert shares == sorted(shares) and shares[-1] == 1
    assert any("1 of 2" in sentence for _, sentence in told)
    with pytest.raises(ChoiceError, match="None of the 2 files can be searched"):
        search_files([bad, bad], "walking", tiny)
    with pytest.raises(ChoiceError, match="no prompt"):
        search_files([bad], " ", tiny)
    with pytest.raises(ChoiceError, match="51 clips"):
        search_files([good] * (MOST + 1), "walking", tiny)


def test_a_varying_rate_is_said(clips):
    varies = replace(clips[0], source=replace(clips[0].source, variable_rate=True))
    assert answer.varying(clips) == []
    assert answer.varying([varies]) == [
        "The film has a variable rate: new frames are looked at, not the time that they are held."
    ]
    assert answer.varying([varies, clips[1]])[0].startswith("'1.mp4' has a variable rate")
    assert answer.varying([varies, varies])[0].startswith("2 films have a variable rate")
