"""Numbers and names as people read them: the same words on every card and page."""

from har_demo.models import registry

# Families of results and chapters that no model here belongs to.
_HUES_WITHOUT_MODELS = {"2D image network": 28, "Language": 330}


def hue(family: str) -> int:
    """Return a family's colour on every page, as degrees on the colour wheel."""
    return _HUES_WITHOUT_MODELS.get(family, registry.hue(family))


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
        return "cost not counted"
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
