"""The app as it is served loads no trainer, no renderer, no compiler of networks, no client of an index."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# torchvision of its own accord imports some of the compiler, which nothing here can prevent.
SCRIPT = """
import sys
import torchvision
before = set(sys.modules)
import app
unwanted = ("har_demo.research", "torch._inductor", "unearth")
print(*sorted(name for name in set(sys.modules) - before if name.startswith(unwanted)))
"""


def test_the_app_loads_nothing_that_it_does_not_need_to_start():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
