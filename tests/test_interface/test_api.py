"""The same job through gradio_client and MCP, against the running app."""

import json
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from har_demo import prompts as prompted
from har_demo.clips.ingest import ingest
from har_demo.models.registry import cards
from har_demo.recognize.defaults import default_models
from har_demo.recognize.prediction import Request
from har_demo.recognize.recognize import recognize
from har_demo.weights import availability
from tests.media import figure_clip
from tests.test_interface.pressed import finished


@pytest.fixture(scope="module")
def client(server) -> Client:
    return Client(server, verbose=False)


@pytest.fixture(scope="module")
def clip_file(tmp_path_factory):
    return figure_clip(tmp_path_factory.mktemp("clips") / "wave.mp4", "wave_both_hands")


def shipped() -> list[str]:
    return [c.name for c in cards().values() if availability(c).state == "shipped"]


def ask(client, file, models, **settings):
    return client.predict(
        clip=handle_file(str(file)), models=models, api_name="/recognize", **settings
    )


def test_a_program_gets_what_the_engine_says(client, clip_file):
    models = shipped()[:2]
    told = ask(client, clip_file, models, windows=3)
    answers = list(recognize(ingest(clip_file), [Request(m, windows=3) for m in models]))
    assert [a["model"] for a in told["predictions"]] == models
    for said, answer in zip(told["predictions"], answers, strict=True):
        name, probability = answer.top(1)[0]
        assert said["top"][0]["class"] == name
        assert said["top"][0]["probability"] == pytest.approx(probability, abs=1e-4)


def test_two_users_at_once_get_their_own_answers(client, clip_file, tmp_path):
    other = figure_clip(tmp_path / "walk.mp4", "walk", seed=3)
    model = shipped()[:1]
    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(lambda file: ask(client, file, model), (clip_file, other)))
    assert [t["clip"]["source"]["name"] for t in told] == ["wave.mp4", "walk.mp4"]


def test_the_catalogue_lists_every_model(client):
    listed = client.predict(api_name="/models")
    assert [row["name"] for row in listed] == list(cards())
    assert all(row["idea"] and row["classes"] and row["weights"] for row in listed)


def test_an_annotated_clip_comes_back_as_a_video(client, clip_file):
    video = client.predict(
        clip=handle_file(str(clip_file)), models=shipped()[:1], api_name="/annotate"
    )
    path = video["video"] if isinstance(video, dict) else video
    assert ingest(path).source.codec == "h264"


def test_without_models_the_default_ones_answer(client, clip_file):
    told = ask(client, clip_file, [])
    assert [one["model"] for one in told["predictions"]] == list(default_models())
    assert [one["doubt"] for one in told["predictions"]] == ["", ""]  # I3D was not asked


@pytest.mark.parametrize(
    ("models", "settings", "sentence"),
    [
        (["no_such_model"], {}, "no_such_model"),
        (["c3d_lab"], {"stride": -1}, "stride"),
        (["c3d_lab"], {"crops": 7}, "Crops"),
        (["c3d_lab"], {"windows": 10**9}, "windows"),
    ],
)
def test_bad_questions_come_back_as_sentences(client, clip_file, models, settings, sentence):
    with pytest.raises(AppError, match=sentence):
        ask(client, clip_file, models, **settings)


def test_a_file_that_is_no_clip_is_refused_and_the_server_goes_on(client, clip_file, tmp_path):
    bad = tmp_path / "noise.mp4"
    bad.write_bytes(bytes(range(256)) * 40)
    with pytest.raises(AppError, match=r"noise\.mp4"):
        ask(client, bad, shipped()[:1])
    assert ask(client, clip_file, shipped()[:1])["predictions"]


def test_a_program_asks_in_words(client, clip_file):
    prompts = ["a person waving", "a plate of food", "a person waving"]
    told = client.predict(
        clip=handle_file(str(clip_file)), prompts=prompts, pooling="max", api_name="/ask"
    )
    answer = prompted.ask(ingest(clip_file), prompts, pooling="max", background=prompted.BACKGROUND)
    assert [one["text"] for one in told["prompts"]] == prompts[:2]
    assert [one["probability"] for one in told["prompts"]] == pytest.approx(
        answer.probabilities, abs=1e-3
    )
    assert told["tower"] == "embedded" and told["none_of_these"] == pytest.approx(
        answer.none, abs=1e-3
    )
    assert told["notes"]  # of the prompt that was said twice


@pytest.mark.parametrize(
    ("prompts", "settings", "sentence"),
    [
        ([], {}, "There is no prompt"),
        ([f"prompt {n}" for n in range(600)], {}, "600 prompts"),
        (["a cat"], {"tower": "no/such"}, "no/such"),
        (["a cat"], {"tower": "local-dir:/tmp"}, "There is no image-text model"),
        (["a cat"], {"pooling": "median"}, "median"),
        (["a cat"], {"templates": ["no place"]}, "exactly one"),
        (["a cat"], {"temperature": 0}, "temperature"),
    ],
)
def test_bad_questions_in_words_come_back_as_sentences(
    client, clip_file, prompts, settings, sentence
):
    with pytest.raises(AppError, match=sentence):
        client.predict(
            clip=handle_file(str(clip_file)), prompts=prompts, api_name="/ask", **settings
        )


def test_a_program_searches_clips(client, clip_file, tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_text("no film")
    files = [handle_file(str(file)) for file in (clip_file, broken)]
    found = client.predict(clips=files, sentence="a person walking", api_name="/search")
    assert [one["name"] for one in found["clips"]] == [clip_file.name]
    assert [one["name"] for one in found["unread"]] == ["broken.mp4"]


def test_the_towers_are_listed_with_size_and_licence(client):
    listed = client.predict(api_name="/towers")
    assert [row["name"] for row in listed] == [card.name for card in prompted.image_text_models()]
    assert all(row["licence"] and row["sentence"] for row in listed)


def test_endpoints_keep_their_parameters_defaults_and_results(client):
    """Programs written for these endpoints go on working: a new one may come, none may change."""
    kept = json.loads((Path(__file__).parent / "endpoints.json").read_text())
    offered = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert offered.keys() >= kept.keys()
    for name in kept:
        endpoint = offered[name]
        parameters = {
            one["parameter_name"]: [
                one["component"],
                *([one["parameter_default"]] if one["parameter_has_default"] else []),
            ]
            for one in endpoint["parameters"]
        }
        assert list(parameters.items()) == list(kept[name]["parameters"].items()), name
        assert {one["label"]: one["component"] for one in endpoint["returns"]} == kept[name][
            "returns"
        ], name


def test_every_event_has_a_name(client):
    names = [d["api_name"] for d in client.config["dependencies"]]
    assert all(names) and len(set(names)) == len(names)
    assert {"recognize", "annotate", "models", "ask", "towers"} <= set(names)


def test_assistants_find_the_tools_over_mcp(server):
    with urllib.request.urlopen(f"{server}/gradio_api/mcp/schema") as answer:
        tools = {tool["name"] for tool in json.load(answer)}
    assert any(name.endswith("recognize") for name in tools)
    assert any(name.endswith("models") for name in tools)
    assert any(name.endswith("ask_in_words") for name in tools)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"frames": "16"}, "'frames' must be a whole number"),
        ({"frames": 1.5}, "'frames' must be a whole number"),
        ({"stride": 0}, "The stride must be"),
        ({"models": None}, "'models' must be a list"),
    ],
    ids=repr,
)
def test_wrong_types_come_back_as_sentences(server, client, clip_file, settings, sentence):
    given = {"clip": handle_file(str(clip_file)), "models": ["single_frame_lab"]} | settings
    with pytest.raises(AppError, match=sentence):
        client.predict(api_name="/recognize", **given)


def test_what_the_public_client_would_not_send_is_a_sentence_too(server):
    head = {"Content-Type": "application/json"}
    address = f"{server}/gradio_api/call"
    for name, data, sentence in (
        ("recognize", [5, [], None, None, None, 1], "A clip must be a file that was uploaded"),
        ("recognize", [{"path": 5}, [], None, None, None, 1], "A clip must be a file that was"),
        ("recognize", [None, [], None, float("nan"), None, 1], "'stride' must be a number"),
        (
            "recognize",
            [None, ["\ud800"], None, None, None, 1],
            "'models[0]' is not text in Unicode",
        ),
        ("layers", ["\ud800", None, None], "'model' is not text in Unicode"),
        ("search", [[5], "a cat", "embedded"], "A clip must be a file that was uploaded"),
    ):
        asked = urllib.request.Request(
            f"{address}/{name}", json.dumps({"data": data}).encode(), head
        )
        with urllib.request.urlopen(asked) as answer:
            event = json.load(answer)["event_id"]
        with urllib.request.urlopen(f"{address}/{name}/{event}") as answer:
            said = answer.read().decode()
        assert "event: error" in said and sentence in said, (name, data, said)


def test_an_assistant_lists_the_tools_with_their_types_and_calls_three(server):
    """Through the public client of the Model Context Protocol, as assistants use it."""
    pytest.importorskip("mcp")
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async def conversation() -> tuple:
        async with (
            streamable_http_client(f"{server}/gradio_api/mcp/") as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            tools = {tool.name: tool.inputSchema for tool in (await session.list_tools()).tools}

            async def called(name: str, **given):
                (full,) = (tool for tool in tools if tool.endswith(name))
                return await session.call_tool(full, given)

            return (
                tools,
                await called("convolution", inputs=32, outputs=32),
                await called("list_flow_methods"),
                await called("layers", model="c3d_lab"),
                await called("layers", model="no_such_model"),
                await called("layers", model="c3d_lab", frames="16"),
            )

    tools, ways, methods, layers, unknown, mistyped = finished(conversation())
    for name, schema in tools.items():
        for parameter, said in schema["properties"].items():
            assert "type" in said or "anyOf" in said, f"{name}.{parameter}: {said}"
            assert said.get("type") != {}, f"{name}.{parameter}"
    samplings = next(schema for name, schema in tools.items() if name.endswith("try_samplings"))
    assert samplings["properties"]["frames"]["items"] == {"type": "integer"}
    assert samplings["properties"]["models"]["default"] == []
    assert not ways.isError and "parameters" in ways.content[0].text
    assert not methods.isError and "raft-people" in methods.content[0].text
    assert not layers.isError and "gmacs" in layers.content[0].text.lower()
    assert unknown.isError and "no_such_model" in unknown.content[0].text
    assert mistyped.isError and "'16' is not valid" in mistyped.content[0].text  # by the schema
