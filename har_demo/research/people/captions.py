"""Captions of a clip, English sentences for models that compare pictures with words.

captions("wave_one_hand", seed=1, shirt="red", place="indoors")
→ ("a person waves goodbye with one hand", "someone in a red shirt is waving indoors", ...)
"""

import numpy as np

from har_demo.errors import ChoiceError

# What somebody does: sentences go on after "a person", and after "a person is".
_DOES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "walk": (
        ("walks", "goes for a walk", "takes one step after the other"),
        ("walking", "walking at an easy pace", "strolling"),
    ),
    "run": (
        ("runs", "runs with quick steps", "goes for a jog"),
        ("running", "jogging", "running fast"),
    ),
    "skip": (
        ("hops forward on one leg", "skips along", "gets ahead on one foot only"),
        ("skipping", "hopping on one leg", "skipping along on one foot"),
    ),
    "side": (
        ("gallops sideways", "moves sideways with quick steps", "side-steps"),
        ("galloping sideways", "side-stepping", "moving to the side"),
    ),
    "jump": (
        ("jumps forward", "leaps ahead with both feet", "jumps"),
        ("jumping forward", "jumping", "leaping ahead with both feet together"),
    ),
    "jump_in_place": (
        ("jumps on the spot", "jumps up and down", "jumps straight up"),
        ("jumping in place", "jumping up and down", "hopping on the spot"),
    ),
    "jumping_jack": (
        ("does jumping jacks", "jumps and spreads arms and legs", "does a star jump"),
        ("doing jumping jacks", "doing star jumps", "jumping with arms and legs going apart"),
    ),
    "bend": (
        ("bends down", "bends over and straightens up", "leans down to the floor"),
        ("bending down", "bending over", "leaning down and coming up again"),
    ),
    "wave_one_hand": (
        ("waves goodbye with one hand", "waves with one hand", "raises a hand and waves"),
        ("waving", "waving with one hand", "greeting somebody with a raised hand"),
    ),
    "wave_both_hands": (
        ("waves with both hands", "waves both arms in the air", "raises both hands and waves"),
        ("waving both hands", "waving with both arms", "signalling with two raised arms"),
    ),
    "turn": (
        ("turns around", "turns round on the spot", "makes half a turn"),
        ("turning around", "turning round", "turning the other way"),
    ),
    "sit_down": (
        ("sits down", "takes a seat", "goes from standing to sitting"),
        ("sitting down", "taking a seat", "lowering onto a stool"),
    ),
    "stand_up": (
        ("stands up", "gets up from a seat", "rises from sitting to standing"),
        ("standing up", "getting up from a stool", "rising from a seat"),
    ),
    "squat": (
        ("does a squat", "squats down and comes up again", "bends both knees deeply"),
        ("squatting", "doing squats", "exercising with deep knee bends"),
    ),
    "push_up": (
        ("does push-ups", "does a push-up on the floor", "lowers and lifts a straight body"),
        ("doing push-ups", "doing press-ups", "pushing up from the floor with both arms"),
    ),
    "lunge": (
        ("does a lunge", "takes a long step forward and bends both knees", "lunges"),
        ("lunging", "doing lunges", "stepping far forward and sinking down"),
    ),
    "pull_up": (
        ("does pull-ups", "pulls up to a bar", "hangs from a bar and pulls the chin over it"),
        ("doing pull-ups", "doing chin-ups", "pulling up on a bar with both arms"),
    ),
    "clap": (
        ("claps", "claps hands", "applauds"),
        ("clapping", "clapping both hands", "applauding"),
    ),
    "box": (
        ("boxes", "throws punches", "punches the air with both fists"),
        ("boxing", "punching", "shadow-boxing"),
    ),
    "kick": (
        ("kicks", "kicks with one leg", "swings a leg forward"),
        ("kicking", "kicking with one foot", "giving a kick"),
    ),
    "throw": (
        ("throws something", "throws a ball", "hurls something with one arm"),
        ("throwing", "throwing a ball", "hurling something"),
    ),
    "catch": (
        ("catches something", "catches a ball with both hands", "makes a catch"),
        ("catching", "catching a ball", "reaching out to catch something"),
    ),
    "pick_up": (
        ("picks something up", "picks something up from the floor", "lifts a thing off the floor"),
        ("picking something up", "lifting something from the floor", "bending to pick a thing up"),
    ),
    "put_down": (
        ("puts something down", "puts something on the floor", "sets a thing down"),
        ("putting something down", "placing something on the floor", "setting a thing down"),
    ),
    "fall": (
        ("falls", "falls to the floor", "loses balance and falls down"),
        ("falling", "falling down", "falling to the floor"),
    ),
    "knock": (
        ("knocks", "knocks at a door", "knocks with one fist"),
        ("knocking", "knocking on a door", "tapping on a door with the knuckles"),
    ),
    "push": (
        ("pushes something away", "pushes with both hands", "gives something a push"),
        ("pushing", "pushing with both arms", "pushing something ahead"),
    ),
    "swipe_left": (
        ("swipes to the left", "sweeps one hand to the left", "moves an arm leftwards"),
        ("swiping left", "swiping to the left with one hand", "sweeping an arm to the left"),
    ),
    "swipe_right": (
        ("swipes to the right", "sweeps one hand to the right", "moves an arm rightwards"),
        ("swiping right", "swiping to the right with one hand", "sweeping an arm to the right"),
    ),
    "circle_clockwise": (
        ("draws a circle clockwise", "moves one hand round clockwise", "makes a clockwise circle"),
        ("drawing a circle clockwise", "circling one hand clockwise", "drawing a clockwise circle"),
    ),
    "circle_counterclockwise": (
        (
            "draws a circle counter-clockwise",
            "moves one hand round counter-clockwise",
            "makes a circle against the clock",
        ),
        (
            "drawing a circle counter-clockwise",
            "circling one hand counter-clockwise",
            "drawing a circle against the clock",
        ),
    ),
    "draw_shape": (
        ("draws a shape in the air", "draws lines in the air with one hand", "draws in the air"),
        ("drawing a shape", "drawing in the air", "drawing a figure with straight lines"),
    ),
    "cross_arms": (
        ("crosses both arms", "crosses the arms before the chest", "folds the arms"),
        ("crossing arms", "crossing both arms before the chest", "folding the arms"),
    ),
    "curl_arms": (
        ("does arm curls", "curls the arms", "bends the elbows to lift a weight"),
        ("curling arms", "doing biceps curls", "lifting a weight with bent elbows"),
    ),
    "shoot_at_hoop": (
        ("shoots at a hoop", "shoots a basketball", "takes a shot at the basket"),
        ("shooting at a hoop", "shooting a basketball", "throwing a ball at a basket"),
    ),
    "bowl": (
        ("bowls", "rolls a ball along the floor", "swings an arm and bowls"),
        ("bowling", "rolling a bowling ball", "bowling with one arm"),
    ),
    "swing_bat": (
        ("swings a bat", "swings a bat or a racket", "hits with a swing"),
        ("swinging a bat", "swinging a bat or a racket", "hitting a ball with a swing"),
    ),
    "pick_up_and_throw": (
        ("picks something up and throws it", "takes a ball from the floor and throws it"),
        ("picking something up and throwing it", "picking up a ball and throwing it away"),
    ),
    "idle": (
        ("stands still", "stands about", "does nothing but stand"),
        ("standing still", "standing about", "waiting"),
    ),
}
_WHO = ("a person", "someone", "somebody")


def captions(
    action: str, seed: int = 0, shirt: str = "", place: str = "", dark: bool = False
) -> tuple[str, ...]:
    """Different sentences about one clip, the plainest of them always among them.

    Args:
        action: one of `motion.ACTIONS`.
        seed: draws who is named how, and which sentences mention the rest.
        shirt: colour, such as "red"; "" if it shall not be mentioned.
        place: such as "indoors" or "in a street".
        dark: whether it was filmed in the dark.

    Raises:
        ChoiceError: there is no such action.
    """
    if action not in _DOES:
        raise ChoiceError(f"There is no action '{action}' to put into words.")
    chance = np.random.default_rng([seed, 71])
    does, doing = _DOES[action]
    article = "an" if shirt[:1] in tuple("aeiou") and shirt else "a"
    extras = [word for word in (place, "in the dark" if dark else "") if word]

    def who(dressed: bool) -> str:
        name = str(chance.choice(_WHO))
        return f"{name} in {article} {shirt} shirt" if dressed and shirt else name

    sentences = [f"a person {does[0]}", f"a person is {doing[0]}"]
    for verb in [*does[1:], *(f"is {words}" for words in doing[1:])]:
        words = [who(chance.random() < 0.5), verb]
        sentences.append(" ".join(words + [e for e in extras if chance.random() < 0.5]))
    sentences.append(" ".join([who(True), f"is {doing[0]}", *extras]))
    return tuple(dict.fromkeys(sentences))
