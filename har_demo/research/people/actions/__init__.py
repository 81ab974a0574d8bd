"""Actions: each is one function that writes down a `Pose` over time.

All are (body, time [T] in seconds, random generator) → Pose. The generator draws how this person
does it this time: tempo, amplitude, phase, left or right, with a thing or without. They stand in
modules by kind, on the small functions of `base`.
"""

from collections.abc import Callable

import numpy as np

from har_demo.research.people.actions import balls, exercise, floor, gestures, jumps, locomotion
from har_demo.research.people.skeleton import Body, Pose

PLAYS: dict[str, Callable[[Body, np.ndarray, np.random.Generator], Pose]] = {
    play.__name__: play
    for play in (
        *(locomotion.walk, locomotion.run, locomotion.skip, locomotion.side),
        *(jumps.jump, jumps.jump_in_place, jumps.jumping_jack, floor.bend),
        *(gestures.wave_one_hand, gestures.wave_both_hands, locomotion.turn),
        *(floor.sit_down, floor.stand_up, exercise.squat, exercise.push_up),
        *(exercise.lunge, exercise.pull_up, gestures.clap, exercise.box, exercise.kick),
        *(balls.throw, balls.catch, floor.pick_up, floor.put_down, floor.fall),
        *(gestures.knock, gestures.push, gestures.swipe_left, gestures.swipe_right),
        *(gestures.circle_clockwise, gestures.circle_counterclockwise, gestures.draw_shape),
        *(gestures.cross_arms, exercise.curl_arms, balls.shoot_at_hoop, balls.bowl),
        *(balls.swing_bat, balls.pick_up_and_throw, locomotion.idle),
    )
}
ACTIONS = tuple(PLAYS)
