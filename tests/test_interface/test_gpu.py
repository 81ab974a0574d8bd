import sys
from types import ModuleType

from har_demo.interface.gpu import on_gpu


def test_elsewhere_the_function_is_left_alone(monkeypatch):
    monkeypatch.setitem(sys.modules, "spaces", None)
    assert on_gpu(len) is len


def test_on_spaces_the_function_asks_for_the_gpu(monkeypatch):
    asked = []

    def gpu(duration):
        asked.append(duration)
        return lambda function: ("on gpu", function)

    spaces = ModuleType("spaces")
    spaces.GPU = gpu
    monkeypatch.setitem(sys.modules, "spaces", spaces)
    assert on_gpu(len) == ("on gpu", len)
    assert asked == [120]
