"""python -m har_demo"""

from har_demo.cli import app

app(prog_name="har-demo")
