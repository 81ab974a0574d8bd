"""Improved dense trajectories on clips whose motion is known."""

import cv2
import numpy as np
import pytest
import torch

from har_demo.models import trajectories as idt
from har_demo.models.tiny import TINY_INPUT
from har_demo.profiling.cost import parameters

SIDE = 80


def _texture(height, width, seed):
    noise = np.random.default_rng(seed).random((height, width), np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 1.5)
    return (255 * (smooth - smooth.min()) / np.ptp(smooth)).astype(np.uint8)


def _square(dx, dy, seed=0, frames=16):
    """A textured square that moves (dx, dy) pixels a frame in front of a still, textured ground.

    Along its way the ground is blank: points there would be swept up by the square.
    """
    ground, square = _texture(SIDE, SIDE, seed), _texture(32, 32, seed + 1000)
    corners = [(24 + dx * t, 24 + dy * t) for t in range(-(frames // 2), frames - frames // 2)]
    for x, y in corners:
        ground[y - 4 : y + 36, x - 4 : x + 36] = 128
    clip = np.repeat(ground[None], frames, 0)
    for frame, (x, y) in zip(clip, corners, strict=True):
        frame[y : y + 32, x : x + 32] = square
    return clip


def _pan():
    """A camera that turns: the whole picture moves, and nothing in it."""
    scene = _texture(120, 160, seed=7)
    return np.stack([scene[20:100, 10 + 3 * t : 90 + 3 * t] for t in range(16)])


def _view(clip):
    """The clip as a model receives it: float [3, T, H, W]."""
    mean, std = (torch.tensor(v).view(3, 1, 1, 1) for v in (TINY_INPUT.mean, TINY_INPUT.std))
    return (torch.from_numpy(clip).expand(3, *clip.shape) / 255 - mean) / std


# --- Descriptors


def test_a_trajectory_is_426_numbers():
    assert idt.DESCRIPTORS == {"shape": 30, "hog": 96, "hof": 108, "mbh": 192}
    assert idt.trajectories(_square(2, 0), scales=1).shape[1] == 426 == idt.NUMBERS


@pytest.mark.parametrize(("dx", "dy"), [(2, 0), (0, 2), (2, -2)])
def test_the_shape_of_a_translating_patterns_trajectory_is_its_translation(dx, dy):
    rows = idt.trajectories(_square(dx, dy), scales=1)
    assert len(rows) > 20
    steps = rows[:, :30].reshape(-1, 15, 2)
    np.testing.assert_allclose(np.linalg.norm(steps, axis=2).sum(1), 1, rtol=1e-5)
    wanted = np.array([dx, dy]) / np.hypot(dx, dy) / 15
    assert np.abs(np.median(steps, axis=0) - wanted).max() < 0.004


def test_the_motion_of_a_camera_is_taken_off(monkeypatch):
    pan = _pan()
    left = len(idt.trajectories(pan, scales=1))
    monkeypatch.setattr(idt, "camera_homography", lambda *_: np.eye(3))
    assert len(idt.trajectories(pan, scales=1)) > 100
    assert left <= 2


def test_a_frame_is_warped_back_to_where_it_was_seen_from():
    pan = _pan()
    homography = np.array(
        [[1, 0, -3], [0, 1, 0], [0, 0, 1.0]]
    )  # points go left when it turns right
    back = idt.stabilised(pan[0], pan[1], homography)
    assert np.abs(back.astype(int) - pan[0]).max() <= 1
    assert np.abs(pan[1].astype(int) - pan[0]).mean() > 10


def test_the_homography_of_a_pan_is_its_shift():
    pan = _pan()
    points = [idt.key_points(frame) for frame in pan[:2]]
    found = idt.camera_homography(pan[0], idt.dense_flow(pan[0], pan[1]), *points)
    np.testing.assert_allclose(
        cv2.perspectiveTransform(np.float32([[[40, 40]]]), found)[0, 0], [37, 40], atol=0.2
    )


def test_vectors_vote_for_the_two_nearest_of_eight_directions_with_their_length():
    angles = np.radians([[0, 90, 22.5, 359.999, 315]])
    votes = idt.directions(*(2 * f(angles).astype(np.float32) for f in (np.cos, np.sin)))[0]
    np.testing.assert_allclose(votes.sum(1), 2, rtol=1e-5)
    np.testing.assert_allclose(votes[0], [2, 0, 0, 0, 0, 0, 0, 0], atol=1e-3)
    np.testing.assert_allclose(votes[1], [0, 0, 2, 0, 0, 0, 0, 0], atol=1e-3)
    np.testing.assert_allclose(votes[2], [1, 1, 0, 0, 0, 0, 0, 0], atol=1e-3)
    np.testing.assert_allclose(votes[3], [2, 0, 0, 0, 0, 0, 0, 0], atol=1e-3)
    np.testing.assert_allclose(votes[4], [0, 0, 0, 0, 0, 0, 0, 2], atol=1e-3)


def test_constant_flow_is_one_direction_of_hof_and_no_mbh():
    flow = np.full((40, 40, 2), (0, -3), np.float32)  # up
    hof = idt.directions(flow[..., 0], flow[..., 1], still=idt.STILL_FLOW)
    assert (hof[..., 6] == 3).all()
    assert hof.sum() == 3 * 40 * 40
    for component in (flow[..., 0], flow[..., 1]):
        assert not idt.directions(*idt.gradient(component)).any()


def test_what_hardly_moves_votes_for_still():
    small = np.full((2, 2), 0.3, np.float32)
    votes = idt.directions(small, np.zeros_like(small), still=idt.STILL_FLOW)
    assert (votes[..., 8] == 1).all()
    assert not votes[..., :8].any()


def test_flow_that_grows_to_the_right_is_seen_by_mbh():
    flow_x = np.tile(np.arange(40, dtype=np.float32), (40, 1))
    votes = idt.directions(*idt.gradient(flow_x))
    assert (votes[:, 1:-1, 0] == 2).all()  # over two pixels
    assert not votes[..., 1:].any()


def test_cells_add_up_their_own_16_by_16_pixels():
    votes = np.random.default_rng(0).random((50, 60, 3)).astype(np.float32)
    points = np.float32([[30, 25], [0, 0], [59, 49]])  # inside, and two that reach over the edge
    found = idt.cell_sums(votes, points)
    for cells, (left, top) in zip(found, [(14, 9), (0, 0), (28, 18)], strict=True):
        for cell, (row, column) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
            y, x = top + 16 * row, left + 16 * column
            wanted = votes[y : y + 16, x : x + 16].sum((0, 1))
            np.testing.assert_allclose(cells[:, cell], wanted, rtol=1e-5)


def test_points_are_sampled_where_there_is_texture_and_no_point_yet():
    image = np.full((40, 60), 128, np.uint8)
    assert len(idt.sample(image, np.zeros((0, 2), np.float32))) == 0
    image[:, 30:] = _texture(40, 30, seed=3)
    points = idt.sample(image, np.zeros((0, 2), np.float32))
    assert len(points) > 20
    assert points[:, 0].min() >= 25  # the cell that touches the edge counts as well
    assert ((points - 2) % 5 == 0).all()
    taken = points[:7] + 1  # anywhere in the cell
    assert {tuple(p) for p in idt.sample(image, taken)} == {tuple(p) for p in points[7:]}


def test_static_erratic_and_carried_trajectories_are_dropped():
    walk = np.stack([np.arange(16) * 2.0, np.zeros(16)], 1)
    jump = np.where(np.arange(16)[:, None] < 8, 0, [25.0, 0])
    path = np.float32([walk, 0 * walk, 10 * walk, jump, walk])
    moved = np.diff(path, axis=1)
    moved[4] = 0.5  # less than a pixel is left without the camera
    around = np.ones((5, 15, 33, 4), np.float32)
    rows = idt.described(path, moved, around)
    assert len(rows) == 1
    np.testing.assert_allclose(rows[0, :30].reshape(15, 2), [[1 / 15, 0]] * 15, rtol=1e-5)


def test_each_third_of_a_trajectory_has_its_own_histograms_and_kinds_stay_apart():
    walk = np.float32([np.stack([np.arange(16) * 2.0, np.zeros(16)], 1)])
    around = np.zeros((1, 15, 33, 4), np.float32)
    around[0, 5:10, 8:17] = 1  # HOF, in the second third
    row = idt.described(walk, np.diff(walk, axis=1), around)[0]
    hog, hof, mbh = np.split(row[30:], [96, 204])
    assert not hog.any()
    assert not mbh.any()
    np.testing.assert_array_equal(hof.reshape(3, 36), [[0] * 36, [1] * 36, [0] * 36])


# --- Encoding


def test_fisher_vector_of_one_gaussian_by_hand():
    """Points 0 and 4 under mean 1, deviation 2: z is −½ and 3/2."""
    found = idt.fisher_vector(
        torch.tensor([[0.0], [4.0]]).double(),
        torch.ones(1).double(),
        torch.ones(1, 1).double(),
        2 * torch.ones(1, 1).double(),
    )
    by_mean, by_deviation = (-0.5 + 1.5) / 2, ((0.25 - 1) + (2.25 - 1)) / 2 / 2**0.5
    torch.testing.assert_close(found, torch.tensor([by_mean, by_deviation]).double())


def test_fisher_vector_is_the_scaled_gradient_of_the_log_likelihood():
    torch.manual_seed(0)
    x = torch.randn(50, 4).double()
    weights = torch.tensor([0.2, 0.5, 0.3]).double()
    means = torch.randn(3, 4).double().requires_grad_()
    deviations = (0.5 + torch.rand(3, 4)).double().requires_grad_()
    each = torch.distributions.Normal(means, deviations).log_prob(x[:, None]).sum(2)
    (each + weights.log()).logsumexp(1).mean().backward()
    by_mean = means.grad * deviations / weights.sqrt()[:, None]
    by_deviation = deviations.grad * deviations / (2 * weights).sqrt()[:, None]
    found = idt.fisher_vector(x, weights, means.detach(), deviations.detach())
    torch.testing.assert_close(found, torch.cat([by_mean, by_deviation]).flatten().detach())


def test_points_that_fit_the_mixture_encode_to_nearly_nothing():
    torch.manual_seed(0)
    one, zero = torch.ones(1, 2).double(), torch.zeros(1, 2).double()
    typical = idt.fisher_vector(torch.randn(20_000, 2).double(), one[0, :1], zero, one)
    shifted = idt.fisher_vector(torch.randn(20_000, 2).double() + 1, one[0, :1], zero, one)
    assert typical.abs().max() < 0.05 < 0.5 < shifted.abs().max()


def test_a_vocabulary_gives_unit_length_whatever_the_number_of_trajectories():
    torch.manual_seed(0)
    vocabulary = idt.Vocabulary(30, 4)
    for count in (1, 50):
        code = vocabulary(torch.randn(count, 30))
        assert code.shape == (4 * 30,)
        torch.testing.assert_close(code.norm(), torch.tensor(1.0))


# --- The whole


@pytest.fixture(scope="module")
def fitted():
    """Left against right, learned from four clips of different textures."""
    clips = [idt.trajectories(_square(dx, 0, seed), 1) for seed in range(2) for dx in (-2, 2)]
    network = idt.ImprovedTrajectories(3, words=4, scales=1)
    idt.fit(network, lambda: clips, [0, 1] * 2)
    return network


@pytest.mark.nightly
def test_it_tells_left_from_right_in_clips_it_has_not_seen(fitted):
    fresh = torch.stack([_view(_square(dx, 0, seed)) for seed in (50, 51) for dx in (-2, 2)])
    logits = fitted(fresh)
    assert logits.shape == (4, 3)
    assert logits.argmax(1).tolist() == [0, 1, 0, 1]  # and never 2, of which there was no clip
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(fitted(fresh[:1]), logits[:1], atol=1e-4, rtol=1e-4)


def test_what_was_fitted_is_in_the_state_dict_and_survives_half_precision(fitted):
    half = {name: tensor.half() for name, tensor in fitted.state_dict().items()}
    again = idt.ImprovedTrajectories(3, words=4, scales=1)
    again.load_state_dict({name: tensor.float() for name, tensor in half.items()})
    assert not [p for p in again.parameters() if p.requires_grad]
    clip = _view(_square(2, 0, seed=50))[None]
    wanted = fitted(clip)
    torch.testing.assert_close(again(clip), wanted, atol=0.1, rtol=0.1)
    assert again(clip).argmax() == wanted.argmax() == 1


@pytest.mark.parametrize("frames", [1, 15, 16])
def test_too_few_frames_or_no_motion_leave_the_bias(fitted, frames):
    still = _view(_square(0, 0, frames=frames))
    if frames < 16:
        still = _view(_square(2, 0, frames=frames))
    torch.testing.assert_close(fitted(still[None])[0], fitted.bias)
    assert fitted.bias.any()


def test_flat_frames_and_frames_smaller_than_a_patch_have_no_trajectories():
    flat = np.full((16, 64, 64), 90, np.uint8)
    assert idt.trajectories(flat, scales=1).shape == (0, 426)
    assert idt.trajectories(_square(2, 0)[:, :30, :30]).shape == (0, 426)


def test_views_become_the_frames_they_were_made_of():
    clip = _square(2, 0)
    np.testing.assert_array_equal(idt.grey(_view(clip)), clip)


@pytest.mark.parametrize("exposure", [0.1, 0.5, 1.0])
def test_views_are_lit_up_or_dimmed_to_one_brightness(exposure):
    clip = (exposure * _square(2, 0)).astype(np.uint8)
    lit = idt.grey(_view(clip), lit=True)
    assert lit.mean() / 255 == pytest.approx(0.4, abs=0.05)
    order = clip.flatten().argsort(kind="stable")
    assert (np.diff(lit.flatten()[order].astype(int)) >= 0).all()  # what was brighter still is


@pytest.mark.parametrize("level", [0, 255])
def test_black_and_white_views_are_left(level):
    clip = np.full((2, 8, 8), level, np.uint8)
    np.testing.assert_array_equal(idt.grey(_view(clip), lit=True), clip)


def test_the_tiny_size_lights_its_clips_up_and_the_paper_size_does_not():
    dark = _view(_square(2, 0) // 10)[None]
    tiny, paper = idt.idt_tiny(2).greys(dark), idt.idt(2).greys(dark)
    assert tiny[0].mean() > 3 * paper[0].mean()
    np.testing.assert_array_equal(paper[0], _square(2, 0) // 10)


def test_too_little_motion_to_fit_on_is_refused():
    network = idt.ImprovedTrajectories(2, words=4, scales=1)
    with pytest.raises(ValueError, match="0 trajectories are too few, 96 are needed: add clips"):
        idt.fit(network, lambda: [idt.trajectories(_square(0, 0))], [0])
    with pytest.raises(ValueError, match="0 trajectories are too few"):
        idt.fit(network, list, [])


def _made_up(classes, clips, seed):
    """Rows of clips whose classes differ in where their descriptors lie, and the classes."""
    random = np.random.default_rng(seed)
    labels = np.arange(clips) % classes
    centres = np.random.default_rng(99).random((classes, idt.NUMBERS))
    rows = [centres[label] + 0.3 * random.normal(size=(40, idt.NUMBERS)) for label in labels]
    return [one.astype(np.float32) for one in rows], labels


@pytest.mark.parametrize("classes", [1, 2, 5])
def test_as_many_classes_as_there_are_clips_of_are_told_apart(classes):
    network = idt.ImprovedTrajectories(classes + 1, words=1)
    rows, labels = _made_up(classes, 10, seed=0)
    idt.fit(network, lambda: rows, labels)
    unseen, wanted = _made_up(classes, 10, seed=1)
    codes = torch.stack([network.encode(one) for one in unseen])
    margins = codes @ network.planes.T + network.bias
    assert margins.argmax(1).tolist() == wanted.tolist()
    assert (margins[:, classes] == idt.NEVER).all()


def test_svms_in_coordinates_of_the_clips_are_those_of_the_codes():
    from sklearn.svm import LinearSVC  # seconds, so not where every worker collects tests

    rows, labels = _made_up(3, 12, seed=0)
    network = idt.ImprovedTrajectories(3, words=1)
    idt.fit(network, lambda: rows, labels)
    codes = torch.stack([network.encode(one) for one in rows]).double().numpy()
    plain = LinearSVC(C=100.0, tol=1e-8, max_iter=100_000, dual=True).fit(codes, labels)
    np.testing.assert_allclose(network.planes, plain.coef_, atol=0.01 * np.abs(plain.coef_).max())
    np.testing.assert_allclose(network.bias, plain.intercept_, atol=0.01)


def test_a_part_of_the_trajectories_is_drawn_evenly_and_by_the_seed(monkeypatch):
    drawn = []
    monkeypatch.setattr(idt, "_fit_vocabulary", lambda _, rows, *rest: drawn.append(rows))
    rows, labels = _made_up(2, 4, seed=0)
    for number, one in enumerate(rows):
        one[:, 0] = number
    for seed in (0, 0, 1):
        network = idt.ImprovedTrajectories(2, words=1)
        idt.fit(network, lambda: rows, labels, sampled=100, seed=seed)
    first, again, other = drawn[::4]
    assert np.unique(first[:, 0], return_counts=True)[1].tolist() == [26] * 4
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_cards_state_what_is_fitted():
    for card in idt.CARDS:
        with torch.device("meta"):
            network = card.build(len(card.classes))
        assert card.parameters == parameters(network)
        assert card.gmacs is None  # it multiplies little, and not in layers
    paper, tiny = (card.build(7) for card in idt.CARDS)
    assert paper.planes.shape == (7, 2 * 256 * 213)
    assert tiny.planes.shape == (7, 2 * 32 * 213)
