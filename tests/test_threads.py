"""What is said to numerical libraries before they are loaded."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from threading import get_ident

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


def test_one_thread_asks_for_all_who_call_and_knows_their_context():
    who = ContextVar("who")

    @threads.in_one_thread
    def ask(number):
        return get_ident(), who.get(), nested(number)

    @threads.in_one_thread
    def nested(number):
        return get_ident(), number + 1

    def visit(number):
        who.set(f"visitor {number}")
        return ask(number)

    with ThreadPoolExecutor(4) as visitors:
        answers = list(visitors.map(visit, range(8)))
    one = answers[0][0]
    assert one != get_ident()
    assert answers == [(one, f"visitor {i}", (one, i + 1)) for i in range(8)]


def test_whoever_calls_gets_the_exception():
    @threads.in_one_thread
    def ask():
        raise ValueError("no such layer")

    with pytest.raises(ValueError, match="no such layer"):
        ask()


FORKED = """
import os, sys
from har_demo import threads
double = threads.in_one_thread(lambda x: 2 * x)
assert double(1) == 2
child = os.fork()
if not child:
    os._exit(double(3))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="only where processes fork")
def test_a_forked_process_has_a_thread_of_its_own():
    assert subprocess.run([sys.executable, "-c", FORKED], timeout=20).returncode == 6


def test_memory_is_given_back_now_and_then(monkeypatch):
    asked = []

    class Library:
        def __init__(self, name):
            self.malloc_trim = asked.append

    monkeypatch.setattr(threads.sys, "platform", "linux")
    monkeypatch.setattr(threads.ctypes, "CDLL", Library)
    monkeypatch.setattr(threads, "_given_back", 0.0)
    for now, times in ((100.0, 1), (119.0, 1), (121.0, 2)):
        monkeypatch.setattr(threads.time, "monotonic", lambda now=now: now)
        threads.give_back()
        assert asked == [0] * times
