"""Free text: which of some sentences a clip shows, when and where.

    answer = ask(ingest("clip.mp4"), "riding a bike; cooking; waving goodbye")
    answer.top(3), answer.similarity, answer.seconds(), answer.best

Everything a page or a command needs is a function of this package.
"""

from .answer import POOLINGS, Answer, again, ask
from .catalogue import TowerCard, towers
from .words import BACKGROUND, CLASS_LISTS, ENSEMBLE, PLAIN, SOFTMAX, class_list, split

__all__ = [
    "BACKGROUND",
    "CLASS_LISTS",
    "ENSEMBLE",
    "PLAIN",
    "POOLINGS",
    "SOFTMAX",
    "Answer",
    "TowerCard",
    "again",
    "ask",
    "class_list",
    "split",
    "towers",
]
