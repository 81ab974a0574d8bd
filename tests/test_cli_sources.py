"""Public sources on the command line: listed, chosen, verified, and run by their protocol."""

import pytest
from typer.testing import CliRunner

from har_demo.cli import app
from har_demo.models.registry import cards

pytestmark = pytest.mark.timeout(120)


def run(*words: object):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_every_source_is_listed_with_accuracy_protocol_licence_size_and_address():
    listed = run("weights", "--sources").stdout
    for card in cards().values():
        for source in card.sources:
            assert source.url in listed and source.licence in listed, card.name
    (row,) = (
        line
        for line in listed.splitlines()
        if line.split()[:2] == ["slowfast_r50_8x8", "mmaction2"]
    )
    for words in (
        "76.8 %",
        "10 windows, 3 crops of 256 × 256",
        "Apache-2.0",
        "138 MB",
        "2022-08-18",
    ):
        assert words in row, row


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("weights", "--check", "--sources"), "give one."),
        (("weights", "--weights-from", "mmaction2"), "goes with --fetch or --verify"),
        (("weights", "--verify", "nothing"), "There is no model named 'nothing'"),
        (
            ("weights", "--verify", "slow_r50", "--weights-from", "x"),
            "choose pytorchvideo, mmaction2",
        ),
        (
            ("evaluate", "--model", "slow_r50", "--data", "people", "--protocol", "own"),
            "give published.",
        ),
        (
            ("evaluate", "--model", "r2plus1d_34", "--data", "people", "--protocol", "published"),
            "is not published, or cannot be run here",
        ),
        (
            (
                "evaluate",
                "--model",
                "slow_r50,c3d",
                "--data",
                "people",
                "--weights-from",
                "mmaction2",
            ),
            "is given as model=PUBLISHER, not as 'mmaction2'",
        ),
    ],
)
def test_mistakes_are_one_sentence(words, sentence):
    done = run(*words)
    assert done.exit_code == 2
    assert sentence in done.stderr and len(done.stderr.strip().splitlines()) == 1
