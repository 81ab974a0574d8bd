"""All pages in one Gradio app, and how it is served."""

import gradio as gr

from har_demo.clips import cache
from har_demo.clips.probe import limits
from har_demo.interface import (
    api,
    attention_page,
    compare_page,
    compute_page,
    flow_page,
    lecture_page,
    measured_page,
    motion_page,
    plots,
    prompts_page,
    recognize_page,
)
from har_demo.interface.examples import FOLDER
from har_demo.interface.problems import plainly
from har_demo.interface.render import static
from har_demo.interface.theme import theme

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
STYLES = (
    "style.css",
    "prompts.css",
    "attention.css",
    "flow.css",
    "motion.css",
    "compare.css",
    "compute.css",
    "measured.css",
    "lecture.css",
)


def build() -> gr.Blocks:
    """The whole app, not yet served."""
    gr.set_static_paths([FOLDER, plots.LIBRARY])
    # Uploads and answers leave the disk after a day.
    with gr.Blocks(
        title="Action Atlas", analytics_enabled=False, delete_cache=(3600, 86400)
    ) as demo:
        recognize_page.build()
        api.build()
    for name, address, build_page in PAGES:
        with demo.route(name, address):
            build_page()
    for event in demo.fns.values():
        if event.fn is not None:
            event.fn = plainly(event.fn)
    return demo.queue(max_size=32, default_concurrency_limit=4)


def launch(demo: gr.Blocks, **options) -> None:
    """Serve the app: GRADIO_SERVER_NAME and GRADIO_SERVER_PORT move it, 7860 is the default port."""
    demo.launch(
        theme=theme(),
        css="".join(map(static, STYLES)),
        head=f"{static('head.html')}<script>{static('page.js')}</script>",
        allowed_paths=[str(cache.folder())],
        max_file_size=round(limits().megabytes * 1e6),
        footer_links=["api"],
        mcp_server=True,
        ssr_mode=False,
        run_history=False,
        **options,
    )
