"""The app as it is served loads no trainer, no renderer and no compiler of networks."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import sys
import app
unwanted = ("har_demo.research", "torch._inductor")
print(*sorted(name for name in sys.modules if name.startswith(unwanted)))
"""


def test_the_app_loads_nothing_of_research():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
