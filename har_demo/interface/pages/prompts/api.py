"""Free text for programs: the endpoints /ask, /towers and /search."""

from dataclasses import asdict

import gradio as gr

from har_demo.interface.api import ClipFile, endpoint, read_clip
from har_demo.interface.pages.prompts.callbacks import question
from har_demo.interface.pages.prompts.search import find
from har_demo.interface.run import Job
from har_demo.prompts import (
    DEFAULT,
    PLAIN,
    POOLINGS,
    answer_json,
    image_text_models,
    normalise_prompts,
    ranking_json,
)


@endpoint("ask", {"answer": gr.JSON})
def ask_in_words(
    job: Job,
    clip: ClipFile,
    prompts: list[str] | str = (),
    tower: str = DEFAULT,
    templates: list[str] = PLAIN,
    none: bool = True,
    pooling: str = POOLINGS[0],
    temperature: float | None = None,
) -> dict:
    """
    Say which of some sentences a video clip shows and when, with probabilities and similarities.

    Args:
        clip: The video file: any common container and codec, up to 10 minutes.
        prompts: Sentences, up to 500, such as "a person riding a bicycle".
        tower: Image-text model, one that /towers lists; default is CLIP where it can be had, else embedded, which needs no network.
        templates: Sentences with {} for the prompt, averaged; leave empty for the prompt alone.
        none: Whether 'none of these' may be the answer.
        pooling: How similarity over time becomes one number: mean, max, attention or transformer (embedded only; at chance outside its 39 actions).
        temperature: Similarities are divided by it before the softmax; leave empty for the model's own.
    """
    requested = prompts if isinstance(prompts, str) else list(map(str, prompts or []))
    normalise_prompts(requested)  # bad prompts are named before the clip is read
    source = read_clip(job, clip)
    answer = question(
        job, source, requested, tower, templates or list(PLAIN), none, pooling, temperature
    )
    return answer_json(source, answer)


@endpoint("towers", {"towers": gr.JSON})
def list_image_text_models() -> list[dict]:
    """List the pairs of networks that answer prompts: size, licence and whether the weights are here."""
    return [asdict(card) for card in image_text_models()]


@endpoint("search", {"ranking": gr.JSON})
def search_clips(job: Job, clips: list[ClipFile], sentence: str, tower: str = DEFAULT) -> dict:
    """
    Rank up to 50 video clips by how well one sentence fits them, the best first; bad files are named.

    Args:
        clips: The video files: any common container and codec, each up to 10 minutes.
        sentence: What is looked for, such as "a person riding a bicycle".
        tower: Image-text model, one that /towers lists; default is CLIP where it can be had, else embedded, which needs no network.
    """
    return ranking_json(find(job, clips, sentence, tower))
