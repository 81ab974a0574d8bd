"""What is shipped for prompts is the file its note describes."""

import json

import pytest

from har_demo.prompts import embedded
from har_demo.weights import shipped
from har_demo.weights.state import sha256

NOTES = sorted((shipped.folder() / "prompts").glob("*.json"))


def test_every_file_has_its_note():
    weights = {file.stem for file in (shipped.folder() / "prompts").glob("*.safetensors")}
    assert weights == {note.stem for note in NOTES}
    assert (shipped.folder() / embedded.FILE).stem in weights


@pytest.mark.parametrize("note", NOTES, ids=lambda note: note.stem)
def test_the_file_is_the_one_described(note):
    facts = json.loads(note.read_text(encoding="utf-8"))
    file = note.parent / facts["file"]
    assert file.stat().st_size == facts["bytes"] <= shipped.LARGEST
    assert sha256(file) == facts["sha256"]
    assert facts["what"] and facts["command"] and facts["licence"]
    assert all(data["name"] and data["citation"] and data["use"] for data in facts["data"])
