"""The page, from an installed package."""

import os
from typing import Annotated

import typer


def serve(
    port: Annotated[int | None, typer.Option(help="7860 where nothing is said.")] = None,
) -> None:
    """Serve the page on this machine until Ctrl-C."""
    if port is not None:
        os.environ["GRADIO_SERVER_PORT"] = str(port)
    from har_demo.interface.app import build, launch

    launch(build())
