"""Every model is found by its name, and a wrong name gets help."""

import pytest

from har_demo.errors import ChoiceError
from har_demo.models import registry
from har_demo.models.registry import card, cards


def test_every_card_of_every_file_is_there_once():
    listed = [c.name for file in registry.files() for c in file.CARDS]
    assert len(set(listed)) == len(listed)
    assert set(cards()) == set(listed)
    assert all(name == c.name for name, c in cards().items())
    assert {"c3d", "r3d_18", "mc3_18", "r2plus1d_18", "s3d", "mvit_v2_s"} <= set(cards())


def test_families_stay_together_and_go_from_old_to_new():
    order = list(cards().values())
    families = list(dict.fromkeys(c.family for c in order))
    assert [c.family for c in order] == sorted(
        (c.family for c in order), key=families.index
    )  # together
    began = [min(c.year for c in order if c.family == family) for family in families]
    assert began == sorted(began)
    for family in families:
        years = [c.year for c in order if c.family == family]
        assert years == sorted(years)


def test_cards_are_complete():
    for c in cards().values():
        assert c.title and c.family and c.paper_url.startswith("https://"), c.name
        assert c.idea[0].isupper() and c.idea.endswith(".") and len(c.idea) < 240, c.name
        assert len(set(c.classes)) == len(c.classes) > 1, c.name
        for source in c.weights:
            assert source.url.startswith("https://"), c.name
            assert set(source.sha256) <= set("0123456789abcdef"), c.name
            assert len(source.sha256) >= 8 or source.sha256 == "", c.name  # some state none
            assert source.bytes > 1_000_000 and source.licence, c.name


@pytest.mark.parametrize(
    ("wrong", "near"),
    [
        ("r3d18", "r3d_18"),
        ("R2PLUS1D-18", "r2plus1d_18"),
        ("swin3d", "swin3d_t"),
        ("mvit", "mvit_v2_s"),
    ],
)
def test_a_near_miss_names_what_was_meant(wrong, near):
    with pytest.raises(
        ChoiceError, match=rf"no model named '{wrong}': did you mean.* {near}\b.*\?$"
    ):
        card(wrong)


@pytest.mark.parametrize("wrong", ["", "xyzzy", "../../etc/passwd", None, 7])
def test_anything_else_is_told_where_the_list_is(wrong):
    with pytest.raises(ChoiceError, match=f"lists the {len(cards())} there are"):
        card(wrong)


def test_a_very_long_name_is_not_repeated_in_full():
    with pytest.raises(ChoiceError) as error:
        card("x" * 100_000)
    assert len(str(error.value)) < 1000
