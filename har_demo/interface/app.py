"""All pages in one Gradio app, and how it is served."""

import logging
import os

import gradio as gr
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from har_demo.clips import cache
from har_demo.clips.probe import limits
from har_demo.errors import disk_sentence
from har_demo.interface import api, lanes, plots, stopping, sweeper, uploads
from har_demo.interface.arguments import Completed
from har_demo.interface.examples import FOLDER
from har_demo.interface.pages.attention import api as attention_api
from har_demo.interface.pages.attention import page as attention_page
from har_demo.interface.pages.compare import api as compare_api
from har_demo.interface.pages.compare import page as compare_page
from har_demo.interface.pages.compute import api as compute_api
from har_demo.interface.pages.compute import page as compute_page
from har_demo.interface.pages.flow import api as flow_api
from har_demo.interface.pages.flow import page as flow_page
from har_demo.interface.pages.lecture import api as lecture_api
from har_demo.interface.pages.lecture import page as lecture_page
from har_demo.interface.pages.measured import api as measured_api
from har_demo.interface.pages.measured import page as measured_page
from har_demo.interface.pages.motion import api as motion_api
from har_demo.interface.pages.motion import page as motion_page
from har_demo.interface.pages.prompts import api as prompts_api
from har_demo.interface.pages.prompts import page as prompts_page
from har_demo.interface.pages.recognize import api as recognize_api
from har_demo.interface.pages.recognize import page as recognize_page
from har_demo.interface.problems import plainly
from har_demo.interface.render import source, styles
from har_demo.interface.theme import theme
from har_demo.interface.visitor import Departures

EVENTS = 512
"""Presses and calls that Gradio has not begun; lanes refuse a visitor long before."""
THREADS = 3 * lanes.ALL + 40
"""One for each that waits in a lane, and some for those that do not."""

SCRIPTS = ("static/page.js", "static/file_notices.js")
"""What every page does without asking the server."""

log = logging.getLogger(__name__)

# The pages beside the first: their names in the bar, their addresses and what lays them out.
PAGES = (
    ("Prompts", "prompts", prompts_page.build),
    ("Flow", "flow", flow_page.build),
    ("Attention", "attention", attention_page.build),
    ("Motion", "motion", motion_page.build),
    ("Compare", "compare", compare_page.build),
    ("Measured", "measured", measured_page.build),
    ("Compute", "compute", compute_page.build),
    ("Lecture", "lecture", lecture_page.build),
)

APIS = (
    recognize_api,
    prompts_api,
    compute_api,
    measured_api,
    lecture_api,
    flow_api,
    motion_api,
    attention_api,
    compare_api,
)


def compressed(app: ASGIApp) -> ASGIApp:
    """Wrap an ASGI app: pages and their settings travel as gzip; files and streams of events as they are.

    A player asks for parts of a file by their bytes, events have to arrive one by one, and the 32 MB of
    machine code that Gradio's player loads ahead would keep a core busy for each visitor.
    """
    zipping = GZipMiddleware(app, minimum_size=1000, compresslevel=5)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" else ""
        file = "/file=" in path or path.endswith(".wasm")
        await (app if file else zipping)(scope, receive, send)

    return answer


def build() -> gr.Blocks:
    """The whole app, not yet served."""
    gr.set_static_paths([FOLDER, plots.LIBRARY])
    # Uploads and answers leave the disk after a day; `sweeper` sees to those that Gradio does not know of.
    with gr.Blocks(
        title="Action Atlas", analytics_enabled=False, delete_cache=(3600, 86400)
    ) as demo:
        recognize_page.build()
        api.build(*APIS)
    for name, address, build_page in PAGES:
        with demo.route(name, address):
            build_page()
    for event in demo.fns.values():
        if event.fn is not None:
            event.fn = plainly(event.fn)
    stopping.within_networks()
    # Whoever asks waits in a lane (har_demo.interface.lanes), and small things never wait.
    return demo.queue(max_size=EVENTS, default_concurrency_limit=None)


def launch(demo: gr.Blocks, **options) -> None:
    """Serve the app: GRADIO_SERVER_NAME and GRADIO_SERVER_PORT move it, 7860 is the default port."""
    try:
        clips = [str(folder) for folder in cache.served()]
    except OSError as problem:
        clips = []
        log.warning(
            "No clip can be taken in before this is mended: %s", disk_sentence(problem) or problem
        )
    if "SPACE_ID" in os.environ:  # all visitors come through the proxy of Hugging Face
        os.environ.setdefault("FORWARDED_ALLOW_IPS", "*")
    uploads.bound_downloads()
    sweeper.start(demo)
    demo.launch(
        theme=theme(),
        css=styles(),
        head=source("static/head.html")
        + "".join(f"<script>{source(path)}</script>" for path in SCRIPTS),
        allowed_paths=clips,
        max_file_size=round(limits().megabytes * 1e6),
        footer_links=["api"],
        mcp_server=True,
        ssr_mode=False,
        run_history=False,
        max_threads=THREADS,
        app_kwargs={
            "middleware": [
                Middleware(compressed),
                Middleware(uploads.bounded),
                Middleware(Departures),
                Middleware(Completed, endpoints=api.endpoints(*APIS)),
            ]
        },
        **options,
    )
