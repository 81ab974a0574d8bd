"""What is said to numerical libraries before they are loaded."""

import os
import subprocess
import sys

import pytest

from har_demo import threads

SERVED = """
import os, sys
import har_demo.interface
print(os.environ["GOMP_SPINCOUNT"], "torch" in sys.modules)
"""


@pytest.mark.parametrize(("given", "kept"), [(None, "1000"), ("77", "77")])
def test_the_app_bounds_spinning_before_torch_is_loaded(given, kept):
    variables = {name: value for name, value in os.environ.items() if name != "GOMP_SPINCOUNT"}
    if given:
        variables["GOMP_SPINCOUNT"] = given
    said = subprocess.run(
        [sys.executable, "-c", SERVED], env=variables, capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == [kept, "False"]


def test_without_the_gnu_c_library_nothing_fails(monkeypatch):
    class NoLibrary:
        def __init__(self, name):
            raise OSError("no such library")

    monkeypatch.setattr(threads.ctypes, "CDLL", NoLibrary)
    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)
    threads.share()
    assert os.environ["GOMP_SPINCOUNT"] == threads.SPINS


def test_arenas_are_bounded_unless_the_person_has(monkeypatch):
    asked = []

    class Library:
        def __init__(self, name):
            self.mallopt = lambda *given: asked.append(given)

    monkeypatch.setattr(threads.sys, "platform", "linux")
    monkeypatch.setattr(threads.ctypes, "CDLL", Library)
    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    threads.share()
    monkeypatch.setenv("MALLOC_ARENA_MAX", "4")
    threads.share()
    assert asked == [(-8, 2)]
