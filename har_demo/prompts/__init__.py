"""Free text: which of some sentences a clip shows, when and where.

    answer = ask(ingest("clip.mp4"), "riding a bike; cooking; waving goodbye")
    answer.top(3), answer.similarity, answer.seconds(), answer.best

Everything a page or a command needs is a function of this package.
"""

from .answer import POOLINGS, PromptAnswer, ask, rescore
from .catalogue import ImageTextCard, about, image_text_models
from .default import NAME as DEFAULT
from .default import DefaultModel, ask_hub, default_model
from .export import answer_json, heat_json, ranking_json
from .heatmap import HeatMap, heat
from .ranking import Found, Ranking, Unread, search, search_files, video_files
from .words import (
    BACKGROUND,
    CLASS_LISTS,
    ENSEMBLE,
    PLAIN,
    SOFTMAX,
    Prompts,
    class_list,
    normalise_prompts,
    split,
)

__all__ = [
    "BACKGROUND",
    "CLASS_LISTS",
    "DEFAULT",
    "ENSEMBLE",
    "PLAIN",
    "POOLINGS",
    "SOFTMAX",
    "DefaultModel",
    "Found",
    "HeatMap",
    "ImageTextCard",
    "PromptAnswer",
    "Prompts",
    "Ranking",
    "Unread",
    "about",
    "answer_json",
    "ask",
    "ask_hub",
    "class_list",
    "default_model",
    "heat",
    "heat_json",
    "image_text_models",
    "normalise_prompts",
    "ranking_json",
    "rescore",
    "search",
    "search_files",
    "split",
    "video_files",
]
