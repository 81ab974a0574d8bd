"""The data the tiny models were trained on, and the test sets, with their names, citations and descriptions."""

from dataclasses import dataclass

TRAINING_DATA = (
    {
        "name": "Weizmann",
        "citation": "Blank et al., Actions as Space-Time Shapes, ICCV 2005; Gorelick et al., PAMI 2007",
        "use": "60 clips of 10 actions by 6 people; split by person",
    },
    {
        "name": "ARID",
        "citation": "Xu et al., ARID: A New Dataset for Recognizing Action in the Dark, 2021",
        "use": "150 clips of 6 actions in 9 places; split by place",
    },
    {
        "name": "Workout",
        "citation": "calimiro-ai/WorkoutTracker, after Kaggle's workoutfitness-video; no licence stated",
        "use": "56 clips of 3 actions; split by source video, as told by looking at them",
    },
    {
        "name": "Rendered people",
        "citation": "har_demo.research.people, made here",
        "use": "invented motions of all actions, seen from all sides",
    },
    {
        "name": "UTD-MHAD",
        "citation": "Chen et al., UTD-MHAD: A Multimodal Dataset for Human Action Recognition, "
        "ICIP 2015",
        "use": "skeleton recordings by 8 people, rendered; two of the people for testing alone",
    },
)
"""Written into the manifest beside every checkpoint."""


@dataclass(frozen=True)
class HeldOutSet:
    """A test set of clips by people, or in places, that no training clip shows.

    Attributes:
        title: its name on pages and in the manifest.
        split: what is new to a model there; {} is replaced by the people, places or videos.
        description: one sentence for the page.
    """

    title: str
    split: str
    description: str


TEST_SETS = {
    "arid6": HeldOutSet(
        "ARID",
        "places never seen in training ({})",
        "Six actions filmed in the dark, in places that no training clip shows.",
    ),
    "weizmann": HeldOutSet(
        "Weizmann",
        "people never seen in training ({})",
        "Ten actions before one wall, by people that no training clip shows.",
    ),
    "workout4": HeldOutSet(
        "Workout",
        "videos never seen in training ({})",
        "Three exercises, in videos that no training clip is cut from.",
    ),
    "rendered": HeldOutSet(
        "Rendered people",
        "people, places and motions never seen in training",
        "All 39 actions by rendered people, with motions, clothes, places and cameras of their "
        "own; one clip in five replays a recording of two people who were kept for testing.",
    ),
}
"""The test sets by name, the most telling first."""

TITLES = {name: one.title for name, one in TEST_SETS.items()}

RENDERED_AND_RECORDED = "Rendered people and recordings"
"""The rendered test set of training, in the manifest: `evaluate --data people` has no recordings to replay."""
