"""The group of a real clip: a person (Weizmann) or a place (ARID, workout4), from its file name.

Which groups train, validate and test stands in har_demo/recognize/splits.toml.
"""

from pathlib import Path

from har_demo.recognize.splits import group_of_recording


def group_of(dataset: str, name: str, path: str) -> str:
    """Return the actor or the place of a clip, from its file name.

    >>> group_of("weizmann", "walk", "weizmann/walk/denis_walk.mp4")
    'denis'
    >>> group_of("arid6", "Walk", "arid6/walk/walk_14_3.mp4")
    'bridge'
    >>> group_of("workout4", "push-ups", "workout4/push_ups/push-up_38.mp4")
    'blue mat'
    """
    parts = Path(path).stem.split("_")
    if dataset == "weizmann":
        return parts[0]
    number = parts[1] if dataset == "arid6" else parts[-1]
    return group_of_recording(dataset, f"{name} {number}")
