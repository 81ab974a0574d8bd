"""python -m har_demo.research: everything that renders, trains, prepares and measures for the tables."""

from har_demo.research.cli import app

app(prog_name="python -m har_demo.research")
