"""The commands ask, search and image-text-models give what the functions give."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from har_demo import cli
from har_demo.prompts import catalogue
from tests.media import acted, write


def run(*arguments) -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    result = CliRunner().invoke(cli.app, [str(a) for a in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("some clips")
    write(made / "waving.mp4", acted("wave_both_hands"))
    write(made / "walking.mp4", acted("walk", seconds=1.0))
    (made / "notes.txt").write_text("no clip")
    return made


def test_ask(folder, tiny):
    code, out, _ = run("ask", folder / "waving.mp4", "waving", "cooking", "--model", tiny)
    assert code == 0 and "waving.mp4: 2.0 s, 128 × 96" in out
    assert out.count("%") == 2 and "best at" in out and "temperature 0.07" in out


def test_ask_in_json(folder, tiny):
    asked = ("ask", folder / "waving.mp4", "waving", "  ", "Waving", "a 🚴", "--model", tiny)
    code, out, _ = run(*asked, "--json", "--none", "--frames", "4", "--template", "someone {}")
    found = json.loads(out)
    assert code == 0 and found["tower"] == tiny and found["templates"] == ["someone {}"]
    assert [one["text"] for one in found["prompts"]] == ["waving", "a 🚴"]
    shares = sum(one["probability"] for one in found["prompts"]) + found["none_of_these"]
    assert shares == pytest.approx(1, abs=1e-5)
    assert len(found["similarity"]) == len(found["seconds"]) == 4 and len(found["notes"]) == 2
    assert found["provenance"][0]["source"] == "user"


def test_a_list_of_classes(folder, tiny):
    code, out, _ = run(
        "ask", folder / "waving.mp4", "--classes", "UCF101", "--model", tiny, "--json"
    )
    assert code == 0 and len(json.loads(out)["prompts"]) == 101


def test_search(folder, tiny):
    code, out, _ = run("search", "walking", folder, "--model", tiny)
    assert code == 0 and out.count(".mp4") == 2 and "notes" not in out
    code, out, _ = run("search", "walking", folder / "walking.mp4", "--model", tiny, "--json")
    found = json.loads(out)
    assert code == 0 and [one["name"] for one in found["clips"]] == ["walking.mp4"]


def test_image_text_models():
    code, out, _ = run("image-text-models")
    lines = out.splitlines()
    assert code == 0 and len(lines) == 1 + len(catalogue.image_text_models())
    assert lines[1].startswith("embedded") and "Apache-2.0" in lines[1]
    code, out, _ = run("image-text-models", "--json")
    assert code == 0 and json.loads(out)[0]["name"] == "embedded"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("ask", "nowhere.mp4", "walking"), "no file"),
        (("ask", "{clip}"), "no prompt"),
        (("ask", "{clip}", "a", "--model", "nobody"), "no image-text model 'nobody'"),
        (("ask", "{clip}", "a", "--model", "{tiny}", "--pooling", "sum"), "no pooling"),
        (("ask", "{clip}", "a", "--model", "{tiny}", "--template", "x"), "exactly one"),
        (("ask", "{clip}", "--classes", "mine"), "no list of classes"),
        (("search", "walking", "nowhere"), "no file or folder"),
        (("search", " ", "{clip}", "--model", "{tiny}"), "no prompt"),
    ],
)
def test_mistakes_are_one_sentence(folder, tiny, arguments, says):
    given = [one.format(clip=folder / "waving.mp4", tiny=tiny) for one in arguments]
    code, out, err = run(*given)
    assert (code, out) == (2, "")
    assert says in err and err.count("\n") == 1
