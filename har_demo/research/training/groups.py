"""Splits of the real clips by person or place: nobody and no place is on both sides.

A group is a person (Weizmann) or a place (ARID, workout4); all its clips are learned from, or none.
"""

from pathlib import Path

from har_demo.recognize.prepared import HELD_OUT

# ARID numbers its recordings anew for every class, and some numbers share a place: the same
# corrugated wall stands behind five of them and the same bridge behind three. Told by looking.
_ARID_PLACES = {
    "wall": ["Turn 1", "Sit 2", "Sit 10", "Stand 2", "Stand 3"],
    "bridge": ["Jump 11", "Run 11", "Walk 14"],
    "lab": ["Run 1"],
    "lounge": ["Sit 4"],
    "park": ["Stand 5"],
    "kitchen": ["Turn 7"],
    "garage": ["Jump 8"],
    "office": ["Stand 9"],
    "corridor": ["Walk 10"],
}

# The workout clips are cut from longer videos that their names do not tell: clips of the same room, light
# and person were put together by looking, and two videos of one gym count as one.
_WORKOUT_SOURCES = {
    "blue bars": [f"pull-ups {n}" for n in (5, 6, 7, 8, 10, 11, 13)],
    "balcony": ["pull-ups 16"],
    "white gym": ["pull-ups 18", "pull-ups 19"],
    "blue gym": [f"pull-ups {n}" for n in (23, 24, 25, 26)],
    "playground": ["pull-ups videoplayback"],
    "purple room": ["pull-ups (1)"],
    "white room": [f"push-ups {n}" for n in (1, 2, 3, 4, 6, 9, 10)],
    "dark gym": [f"push-ups {n}" for n in (15, 16, 17, 19, *range(21, 28))],
    "blue mat": [f"push-ups {n}" for n in (37, 38, 39, 40)],
    "bright studio": [f"push-ups {n}" for n in (43, 47, 48)],
    "sofa": ["push-ups 50"],
    "grey room": ["push-ups videoplayback"],
    "power racks": [f"squats {n}" for n in (8, 9, 11, 12, 13, 14, 16, 29)],
    "curtains": [f"squats {n}" for n in (17, 18, 19)],
    "dumbbells": ["squats 24"],
    "narrow gym": ["squats 7"],
}
_PLACE_OF = {
    dataset: {number: place for place, numbers in places.items() for number in numbers}
    for dataset, places in (("arid6", _ARID_PLACES), ("workout4", _WORKOUT_SOURCES))
}


def held_out(dataset: str, name: str) -> tuple[str, ...]:
    """The people or places of a data set that a split leaves for testing.

    >>> held_out("weizmann", "a")
    ('lena', 'moshe')
    """
    places = {"arid6": set(_ARID_PLACES), "workout4": set(_WORKOUT_SOURCES)}
    people = HELD_OUT[name] - set().union(*places.values())
    return tuple(sorted(HELD_OUT[name] & places.get(dataset, people)))


def group_of(dataset: str, name: str, path: str) -> str:
    """The actor or the place of a clip, from its file name.

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
    number = f"{name} {parts[1] if dataset == 'arid6' else parts[-1]}"
    return _PLACE_OF[dataset].get(number, number)
