"""Numbers and names as people read them: the same words on every card and page."""

import zlib

# One hue per approach of the field, so that a family has one colour on every page; the first
# word that a family's name contains decides, so the special cases of 3D come before it.
HUES = {
    "Hand-crafted": 0,
    "2D": 28,
    "Recurrent": 48,
    "Two-stream": 96,
    "Factorised": 200,
    "Grouped": 224,
    "3D": 172,
    "Long-range": 262,
    "Transformer": 292,
    "Language": 330,
}


def hue(family: str) -> int:
    """Degrees on the colour wheel for a family's name; unknown families get a steady one too."""
    for word, degrees in HUES.items():
        if word.lower() in family.lower():
            return degrees
    return zlib.crc32(family.encode()) % 360


def percent(value: float) -> str:
    """A probability as people read it: '62 %', '0.4 %', '< 0.1 %'."""
    if value >= 0.1:
        return f"{value * 100:.0f} %"
    if value >= 0.001:
        return f"{value * 100:.1f} %"
    return "< 0.1 %"


def seconds(value: float) -> str:
    """A moment of a clip: '3.2 s', or '2:05' from a minute on."""
    if value < 60:
        return f"{value:.2f} s" if 0 < value < 0.1 else f"{value:.1f} s"
    return f"{int(value // 60)}:{int(value % 60):02d}"


def milliseconds(value: float) -> str:
    """A span of computing time: '85 ms' or '1.9 s'."""
    return f"{value:.0f} ms" if value < 1000 else f"{value / 1000:.1f} s"


def gmacs(value: float | None) -> str:
    """Multiply-adds in 10⁹: '0.63 GMACs', '87.8 GMACs', '2,106 GMACs', or that nobody counted."""
    if value is None:
        return "cost unknown"
    return f"{value:,.0f} GMACs" if value >= 1000 else f"{value:.3g} GMACs"


def count(number: int, thing: str) -> str:
    """'1 window', '3 windows'."""
    return f"{number} {thing if number == 1 else thing + 's'}"


def sentence_list(names: list[str]) -> str:
    """'A', 'A and B', 'A, B and C'."""
    if len(names) < 2:
        return "".join(names)
    return ", ".join(names[:-1]) + " and " + names[-1]


def signed(value: float) -> str:
    """A similarity, which may be negative: '0.14', '−0.07'."""
    text = f"{value:.2f}"
    return "0.00" if text == "-0.00" else text.replace("-", "−")
