"""What learned prompts gain with few clips a class, as charts on the Prompts page."""

from har_demo.interface import plots
from har_demo.interface.render import fragment
from har_demo.prompts.curves import GUESSING, FewShotPoint, shots

TESTED = {"real": "Real clips", "rendered": "Rendered people"}
LOOKS = {
    "learned prompts": {"color": "var(--accent)", "width": 3},
    "templates": {"color": "hue(28)", "width": 2, "dash": "dash"},
    "class name": {"color": "hue(224)", "width": 2, "dash": "dot"},
}


def curves() -> str:
    """Charts and the sentences around them, as HTML."""
    known = shots()
    charts = []
    for name, title in TESTED.items():
        some = [one for one in known if one.tested_on == name]
        label = f"{title}: top-1 of learned prompts against names and templates"
        charts.append(
            {"title": title, "clips": some[0].clips, "chart": plots.draw(_figure(some), label, 340)}
        )
    return fragment(
        "prompts/parts",
        "curves",
        charts=charts,
        seeds=max(one.seeds for one in known),
        chance=GUESSING,
    )


def _figure(some: list[FewShotPoint]) -> dict:
    learned = [one for one in some if one.method == "learned prompts"]
    ticks = [one.shots for one in learned]
    data = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": "learned prompts",
            "x": ticks,
            "y": [one.mean for one in learned],
            "error_y": {
                "type": "data",
                "array": [one.high - one.mean for one in learned],
                "arrayminus": [one.mean - one.low for one in learned],
                "color": "var(--accent)",
            },
            "line": LOOKS["learned prompts"],
            "hovertemplate": "%{x} clips a class: %{y:.1f} %<extra></extra>",
        }
    ]
    for one in some:
        if one.shots == 0:
            data.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "name": f"{one.method}, no clips",
                    "x": [ticks[0], ticks[-1]],
                    "y": [one.mean, one.mean],
                    "line": LOOKS[one.method],
                    "hovertemplate": f"{one.method}: {one.mean:.1f} %<extra></extra>",
                }
            )
    return {
        "data": data,
        "layout": {
            "xaxis": {"type": "log", "tickvals": ticks, "title": {"text": "clips a class"}},
            "yaxis": {"rangemode": "tozero", "title": {"text": "top-1, %"}},
            "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom"},
            "margin": {"l": 52, "r": 12, "t": 70, "b": 48},
        },
    }
