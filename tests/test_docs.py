"""What docs/ says in figures is what the tables say."""

import re

import pytest

from har_demo.models import registry
from har_demo.research import docs
from har_demo.tables.measured import entry
from har_demo.weights import shipped


def test_the_documents_are_those_that_the_command_writes():
    """If this fails: python -m har_demo.research docs."""
    for name, text in (("systems.md", docs.systems()), ("measured.md", docs.measured())):
        assert (docs.FOLDER / name).read_text(encoding="utf-8") == text, name


def test_hosting_has_the_table_of_visitors_that_was_measured():
    """If this fails: python -m har_demo.research docs."""
    text = (docs.FOLDER / "hosting.md").read_text(encoding="utf-8")
    assert docs.hosting(text) == text
    rows = re.findall(r"^\| list of models \| (\d+) \| ([\d.]+) \| ([\d.]+) \|", text, re.MULTILINE)
    assert len(rows) == 2 and all(float(median) <= float(p95) for _, median, p95 in rows)


def test_every_system_has_a_row():
    listed = re.findall(r"^\|[^|]+\| `(\w+)` \|", docs.systems(), re.MULTILINE)
    assert sorted(listed) == sorted(registry.cards())


def test_a_row_has_the_figures_of_its_tables():
    text, row = docs.measured(), entry("tsm_lab")
    (line,) = re.findall(r"^\| TSM \|.*%.*$", text, re.MULTILINE)
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[1:3] == [f"{row.parameters / 1e6:.2f} M", f"{row.gmacs:.1f}"]
    first, low, high = (float(one) for one in re.findall(r"\d+(?:\.\d)?", cells[3]))
    other = float(cells[4].removesuffix(" %"))
    assert low < first < high
    assert (first + other) / 2 == pytest.approx(row.figures["arid6", "top1"].mean, abs=0.06)
    (system,) = re.findall(r"^\| TSM \(tiny\) \|.*$", docs.systems(), re.MULTILINE)
    accuracy = {one["dataset"]: one["top1"] for one in shipped.entry("tsm_lab")["accuracy"]}
    assert f"ARID {accuracy['ARID']:.1f} %" in system


def test_links_lead_to_files():
    for name, text in (("systems.md", docs.systems()), ("measured.md", docs.measured())):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
            assert (docs.FOLDER / target).exists(), f"{name}: {target}"


def test_the_readme_counts_the_systems():
    readme = (docs.FOLDER.parent / "README.md").read_text(encoding="utf-8")
    cards = registry.cards().values()
    assert f"the {len(cards)} systems" in readme
    assert f"**Tiny models** ({sum(card.size == 'tiny' for card in cards)})" in readme
