"""A raw call may leave out its last values; too few and too many are refused by name."""

import inspect
import json
import urllib.error
import urllib.request

from har_demo.interface.arguments import complete


def walk(steps: int, speed: float = 1.5, name: str = "on") -> None: ...


PARAMETERS = tuple(inspect.signature(walk).parameters.values())


def test_the_last_values_are_the_defaults():
    assert complete([3], PARAMETERS) == [3, 1.5, "on"]
    assert complete([3, 2.0, "off"], PARAMETERS) == [3, 2.0, "off"]


def test_what_is_missing_or_too_much_is_named():
    assert complete([], PARAMETERS) == "Values are missing: give also steps."
    assert complete([1, 2, "on", 4], PARAMETERS) == (
        "There are 4 values, but at most 3 are known: leave out the others."
    )


def test_raw_calls_of_the_served_app(server):
    def call(name: str, body: bytes):
        request = urllib.request.Request(
            f"{server}/gradio_api/call/{name}", body, {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                event = json.load(answer)["event_id"]
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()
        with urllib.request.urlopen(f"{request.full_url}/{event}", timeout=60) as answer:
            return 200, answer.read().decode()

    code, said = call("layers", b'{"data": ["r3d_18"]}')
    assert code == 200 and "event: complete" in said and "conv" in said
    code, said = call("layers", b'{"data": []}')
    assert code == 422 and json.loads(said) == {
        "error": "/layers: Values are missing: give also model."
    }
    code, said = call("layers", json.dumps({"data": ["r3d_18", *range(20)]}).encode())
    assert code == 422 and "values, but at most" in json.loads(said)["error"]
    for broken in (b"[]", b"{}", b'{"data": 3}', b"not JSON"):
        code, said = call("layers", broken)
        assert code in (400, 422), broken
