"""Improved dense trajectories: the best of what was made by hand (Wang and Schmid, ICCV 2013).

Nothing here is learned from pixels up. Points are followed through the clip, what happens around each of
them is counted in histograms, and only the last two steps are fitted to data:

    sample      a point in every 5×5 cell that has texture, on 8 scales 1/√2 apart
    track       15 frames along a median-filtered dense flow; points that stand still or jump are dropped
    stabilise   matches between two frames give the camera's homography (RANSAC); the second frame is
                warped back by it and flow computed again, so that only what moves by itself is left
    describe    in the 32×32 pixels around the point, 2×2 cells in space and 3 in time:
                    shape  15 displacements, as shares of the path           30 numbers
                    HOG    8 directions of the image's gradient              96
                    HOF    8 directions of flow, and 'still'                108
                    MBH    8 directions of the gradient of flow, x and y    192      426 in all
    encode      each kind: PCA to half, a Gaussian mixture of K = 256, and the Fisher vector of all
                trajectories under it, with signed square root and unit length
    classify    one linear SVM a class, C = 100

Differentiating flow makes MBH blind to a camera that moves steadily; the homography does so for shape and
HOF. The lecture lists it as the one method by hand that beat two-stream networks on HMDB51 when its
encoding was refined (UCF101 85.9 %, HMDB51 57.2 %; with stacked Fisher vectors 66.8 %).

Two things differ from the authors' program. Its key points for matching are SURF, which is patented and
not part of free OpenCV: SIFT stands in. And it can leave people out of the matching when given boxes
around them; nobody draws boxes here, so where a moving person is the only texture in view, that person
is taken for the background.
"""

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from har_demo.labels import EVERYDAY, LABEL_SET
from har_demo.models.card import Accuracy, ModelCard
from har_demo.models.label_sets import UCF101
from har_demo.models.light import gamma
from har_demo.models.tiny import TINY_INPUT

LENGTH = 15  # frames that a point is followed for: 16 positions
STEP = 5  # pixels between points
TEXTURE = 0.001  # of the best corner's quality: the least that is followed
PATCH = 32  # pixels described around a point
CELLS = 2  # along each side of the patch
PERIODS = 3  # of a trajectory
BINS = 8
STILL_FLOW = 0.4  # pixels a frame; less counts as 'still' in HOF
FLOOR = 0.05  # added to every count, so that empty patches do not amplify noise

STANDING = 3**0.5  # pixels of spread over the whole path; less is no motion
ROAMING = 50.0  # pixels of spread; more is an error of tracking
JUMP = 20.0  # pixels in one step, if it is also 70 % of the path
CAMERA_MOTION = 1.0  # pixels a frame that must be left once the camera's motion is taken off

MARGIN = 5  # pixels next to the edge of a warped frame that are not trusted
MATCH_REACH = 25  # pixels that a key point may move in a frame
FEWEST_MATCHES, FEWEST_INLIERS = 50, 25  # or the camera counts as still

DESCRIPTORS = {"shape": 2 * LENGTH, "hog": 96, "hof": 108, "mbh": 192}
"""Numbers of each kind in a trajectory's row of 426, in this order."""

NUMBERS = sum(DESCRIPTORS.values())

NEVER = -100.0  # the margin of a class that was not among the fitted clips; others' are about ±1


# --- Flow, and the camera's part in it -----------------------------------------------------------


def dense_flow(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Farneback's flow from one grey frame to the next, median-filtered: float32 [H, W, 2], x and y.

    The filter keeps motion boundaries sharp, so that points at a limb's edge do not drift off it.
    """
    import cv2

    flow = cv2.calcOpticalFlowFarneback(  # type: ignore[call-overload]  # the stub knows no None
        before, after, None, 0.5**0.5, 5, 10, 2, 7, 1.5, 0
    )
    return np.stack(
        [cv2.medianBlur(np.ascontiguousarray(f), 3) for f in np.moveaxis(flow, 2, 0)], 2
    )


KeyPoints = tuple[np.ndarray, np.ndarray | None]
"""Positions float32 [N, 2] and their descriptors [N, 128], which are None where N is 0."""


def key_points(frame: np.ndarray) -> KeyPoints:
    """SIFT's, which can be found again in the next frame."""
    import cv2

    points, words = cv2.SIFT.create().detectAndCompute(frame, None)
    return np.array([p.pt for p in points], np.float32).reshape(-1, 2), words


def camera_homography(
    before: np.ndarray, flow: np.ndarray, here: KeyPoints, there: KeyPoints
) -> np.ndarray:
    """Estimate the camera's motion: 3×3, taking points of `before` to the next frame; identity if too few agree.

    Corners are matched by the flow and key points by their descriptors; the two cover different places.

    Args:
        before: grey, uint8 [H, W].
        flow: float32 [H, W, 2], from it to the next frame.
        here, there: key points of it and of the next frame.
    """
    import cv2

    corners = cv2.goodFeaturesToTrack(before, 1000, 0.001, 3)
    starts = np.zeros((0, 2), np.float32) if corners is None else corners.reshape(-1, 2)
    ends = starts + at(flow, starts)
    (points, words), (next_points, next_words) = here, there
    if len(points) and len(next_points):
        assert words is not None and next_words is not None
        near = (np.abs(points[:, None] - next_points) < MATCH_REACH).all(2).astype(np.uint8)
        matches = cv2.BFMatcher(cv2.NORM_L2).match(words, next_words, near)
        starts = np.concatenate([starts, points[[m.queryIdx for m in matches]]])
        ends = np.concatenate([ends, next_points[[m.trainIdx for m in matches]]])

    if len(starts) > FEWEST_MATCHES:
        homography, agrees = cv2.findHomography(starts, ends, cv2.RANSAC, 1.0)
        if homography is not None and agrees.sum() > FEWEST_INLIERS:
            return homography
    return np.eye(3)


def stabilised(before: np.ndarray, after: np.ndarray, homography: np.ndarray) -> np.ndarray:
    """`after` as a camera that had stayed would have seen it; where it saw nothing, `before`."""
    import cv2

    size = before.shape[::-1]
    seen = np.zeros_like(before)
    seen[MARGIN:-MARGIN, MARGIN:-MARGIN] = 1
    flags = cv2.WARP_INVERSE_MAP
    warped = cv2.warpPerspective(after, homography, size, flags=flags | cv2.INTER_LINEAR)
    inside = cv2.warpPerspective(seen, homography, size, flags=flags | cv2.INTER_NEAREST)
    return np.where(inside == 1, warped, before)


# --- Points --------------------------------------------------------------------------------------


def at(field: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Values of [h, w, ...] at the pixels nearest to `points` [N, 2], x before y."""
    height, width = field.shape[:2]
    x = np.clip(np.rint(points[:, 0]).astype(int), 0, width - 1)
    y = np.clip(np.rint(points[:, 1]).astype(int), 0, height - 1)
    return field[y, x]


def sample(image: np.ndarray, followed: np.ndarray) -> np.ndarray:
    """The middle of every 5×5 cell that has texture and no point yet: float32 [N, 2].

    Texture is the smaller eigenvalue of the gradients' auto-correlation matrix: without it a point cannot
    be told from its neighbours.
    """
    import cv2

    rows, columns = image.shape[0] // STEP, image.shape[1] // STEP
    free = np.ones((rows, columns), bool)
    cells = (followed // STEP).astype(int)
    cells = cells[(cells[:, 0] < columns) & (cells[:, 1] < rows)]
    free[cells[:, 1], cells[:, 0]] = False

    quality = cv2.cornerMinEigenVal(image, 3)
    middles = np.s_[STEP // 2 : rows * STEP : STEP, STEP // 2 : columns * STEP : STEP]
    y, x = np.nonzero(free & (quality[middles] > TEXTURE * quality.max()))
    return np.stack([x, y], 1).astype(np.float32) * STEP + STEP // 2


def follow(
    images: Sequence[np.ndarray], flows: np.ndarray, own_flows: np.ndarray, zoom: float
) -> np.ndarray:
    """The trajectories of one scale, described: float32 [N, 426].

    Args:
        images: T grey frames, uint8 [h, w].
        flows: float32 [T−1, h, w, 2], along which points are followed.
        own_flows: the same without the camera's motion, which is what gets described.
        zoom: pixels of the original video that one pixel here stands for.
    """
    height, width = images[0].shape
    age = np.zeros(0, int)
    path = np.zeros((0, LENGTH + 1, 2), np.float32)
    moved = np.zeros((0, LENGTH, 2), np.float32)
    around = np.zeros((0, LENGTH, 4 * BINS + 1, CELLS**2), np.float32)
    finished = []
    for t, (flow, own_flow) in enumerate(zip(flows, own_flows, strict=True)):
        if t + LENGTH <= len(flows):  # later points could not be followed to the end
            new = sample(images[t], path[np.arange(len(age)), age])
            age, path, moved, around = (
                np.concatenate([old, np.zeros((len(new), *old.shape[1:]), old.dtype)])
                for old in (age, path, moved, around)
            )
            path[len(path) - len(new) :, 0] = new

        each = np.arange(len(age))
        points = path[each, age]
        moved[each, age] = at(own_flow, points)
        around[each, age] = surroundings(images[t], own_flow, points)
        age += 1
        path[each, age] = points + at(flow, points)

        x, y = path[each, age].T
        inside = (x > 0) & (x < width) & (y > 0) & (y < height)
        done = inside & (age == LENGTH)
        finished.append(described(path[done] * zoom, moved[done] * zoom, around[done]))
        still = inside & ~done
        age, path, moved, around = age[still], path[still], moved[still], around[still]
    return np.concatenate(finished)


# --- Descriptors ---------------------------------------------------------------------------------


def directions(x: np.ndarray, y: np.ndarray, still: float | None = None) -> np.ndarray:
    """Each pixel's vector as a histogram of one: float32 [h, w, 8], or 9 with 'still' as the last.

    Its length is shared between the two nearest of eight directions, in proportion.

    Args:
        x, y: the vectors' components, float32 [h, w].
        still: vectors up to this length count as one in the last bin instead.
    """
    length = np.hypot(x, y)
    place = np.arctan2(y, x) % (2 * np.pi) / (2 * np.pi) * BINS
    low = np.floor(place)
    second = length * (place - low)
    first = length - second
    low = low.astype(int) % BINS  # an angle just under 2π may round up to it
    votes = np.zeros((*x.shape, BINS if still is None else BINS + 1), np.float32)
    np.put_along_axis(votes, low[..., None], first[..., None], axis=2)
    np.put_along_axis(votes, (low[..., None] + 1) % BINS, second[..., None], axis=2)
    if still is not None:
        votes[length <= still] = 0
        votes[..., BINS] = length <= still
    return votes


def cell_sums(votes: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Histograms of the 2×2 cells around each point: [h, w, bins] → float32 [N, bins, 4].

    A patch that would reach over the edge is moved inside. The sums over rectangles are differences of
    sums from the corner (an integral image), so their cost does not depend on the number of points.
    """
    height, width, bins = votes.shape
    total = np.zeros((height + 1, width + 1, bins), np.float64)
    total[1:, 1:] = votes.cumsum(0, np.float64).cumsum(1)
    left = np.clip(np.rint(points[:, 0]).astype(int) - PATCH // 2, 0, width - PATCH)
    top = np.clip(np.rint(points[:, 1]).astype(int) - PATCH // 2, 0, height - PATCH)
    side = PATCH // CELLS
    grid = total[
        top[:, None, None] + side * np.arange(CELLS + 1)[:, None],
        left[:, None, None] + side * np.arange(CELLS + 1),
    ]
    cells = np.diff(np.diff(grid, axis=1), axis=2)
    return cells.reshape(len(points), CELLS**2, bins).transpose(0, 2, 1).astype(np.float32)


def gradient(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Change of [h, w] along x and along y, over two pixels."""
    import cv2

    return cv2.Sobel(values, cv2.CV_32F, 1, 0, ksize=1), cv2.Sobel(
        values, cv2.CV_32F, 0, 1, ksize=1
    )


def surroundings(image: np.ndarray, flow: np.ndarray, points: np.ndarray) -> np.ndarray:
    """HOG, HOF and both MBH of one frame around each point: float32 [N, 8 + 9 + 8 + 8, 4]."""
    votes = [
        directions(*gradient(image)),
        directions(flow[..., 0], flow[..., 1], still=STILL_FLOW),
        directions(*gradient(flow[..., 0])),
        directions(*gradient(flow[..., 1])),
    ]
    parts = [cell_sums(v, points) + FLOOR for v in votes]
    return np.concatenate([np.sqrt(p / p.sum((1, 2), keepdims=True)) for p in parts], axis=1)


def described(path: np.ndarray, moved: np.ndarray, around: np.ndarray) -> np.ndarray:
    """The rows of those finished trajectories that are worth keeping: float32 [M, 426].

    Args:
        path: float32 [N, 16, 2], positions in pixels of the original video.
        moved: float32 [N, 15, 2], displacements without the camera's.
        around: float32 [N, 15, 33, 4], histograms of every frame.
    """
    spread = path.std(1)
    steps = np.linalg.norm(np.diff(path, axis=1), axis=2)
    jumps = (steps.max(1) > JUMP) & (steps.max(1) > 0.7 * steps.sum(1))
    own_steps = np.linalg.norm(moved, axis=2)
    kept = (spread >= STANDING).any(1) & (spread <= ROAMING).all(1) & ~jumps
    kept &= own_steps.max(1) > CAMERA_MOTION

    shape = moved[kept] / own_steps[kept].sum(1)[:, None, None]
    periods = around[kept].reshape(-1, PERIODS, LENGTH // PERIODS, *around.shape[2:]).mean(2)
    kinds = np.split(periods, [BINS, 2 * BINS + 1], axis=2)  # HOG, HOF, both MBH
    rows = [p.reshape(len(p), math.prod(p.shape[1:])) for p in (shape, *kinds)]
    return np.concatenate(rows, axis=1)


def trajectories(frames: np.ndarray, scales: int = 8) -> np.ndarray:
    """All trajectories of a clip, described: float32 [N, 426]; N is 0 if nothing moves.

    Args:
        frames: grey, uint8 [T, H, W]; fewer than 16 are too few to follow anything.
        scales: at most so many, each smaller by √2; those smaller than a patch are left out.
    """
    import cv2

    height, width = frames.shape[1:]
    if len(frames) <= LENGTH or min(height, width) < PATCH:
        return np.zeros((0, NUMBERS), np.float32)
    points = [key_points(frame) for frame in frames]
    flows, own_flows = [], []
    for t, (before, after) in enumerate(itertools.pairwise(frames)):
        flow = dense_flow(before, after)
        homography = camera_homography(before, flow, points[t], points[t + 1])
        flows.append(flow)
        own_flows.append(dense_flow(before, stabilised(before, after, homography)))

    described_rows = []
    for scale in range(scales):
        zoom = 2 ** (scale / 2)
        size = (round(width / zoom), round(height / zoom))
        if min(size) < PATCH:
            break
        described_rows.append(
            follow(
                [cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in frames],
                np.stack([cv2.resize(flow, size) for flow in flows]) / np.float32(zoom),
                np.stack([cv2.resize(flow, size) for flow in own_flows]) / np.float32(zoom),
                zoom,
            )
        )
    return np.concatenate(described_rows)


# --- From trajectories to classes ----------------------------------------------------------------


def fisher_vector(x: Tensor, weights: Tensor, means: Tensor, deviations: Tensor) -> Tensor:
    """Gradient by which a Gaussian mixture would fit these points better: [2·K·D].

    The gradient of their mean log-likelihood by each Gaussian's mean, then by its deviation, each divided
    by its expected size, so that rare and wide Gaussians count as much as others:

        by mean k        1 / (N √wₖ)    · Σₙ γₙₖ (xₙ − μₖ) / σₖ
        by deviation k   1 / (N √(2wₖ)) · Σₙ γₙₖ ((xₙ − μₖ)² / σₖ² − 1)

    γₙₖ is the share of Gaussian k in point n. Written with the sums of γ, γx and γx², nothing of size
    N × K × D is ever held.

    Args:
        x: float64 [N, D].
        weights: [K], positive.
        means, deviations: [K, D].
    """
    precisions = deviations**-2
    squares = x**2 @ precisions.T - 2 * x @ (means * precisions).T + (means**2 * precisions).sum(1)
    share = (weights.log() - deviations.log().sum(1) - squares / 2).softmax(1)
    zeroth, first, second = share.sum(0)[:, None], share.T @ x, share.T @ x**2
    scale = 1 / (len(x) * weights.sqrt()[:, None])
    by_mean = scale * (first - means * zeroth) / deviations
    around_mean = second - 2 * means * first + means**2 * zeroth
    by_deviation = scale / 2**0.5 * (around_mean * precisions - zeroth)
    return torch.cat([by_mean, by_deviation]).flatten()


def _fitted(values: Tensor) -> nn.Parameter:
    return nn.Parameter(values, requires_grad=False)


class Vocabulary(nn.Module):
    """One kind of descriptor, float [N, numbers] → its encoding [words · numbers].

    PCA to half of the numbers, the Fisher vector under a mixture of `words` Gaussians, signed square root,
    length 1. The square root keeps a few frequent words from drowning the others.
    """

    def __init__(self, numbers: int, words: int):
        super().__init__()
        half = numbers // 2
        self.centre = _fitted(torch.zeros(numbers))
        self.axes = _fitted(torch.eye(half, numbers))
        self.weights = _fitted(torch.full((words,), 1 / words))
        self.means = _fitted(torch.zeros(words, half))
        self.deviations = _fitted(torch.ones(words, half))

    def forward(self, x: Tensor) -> Tensor:
        # float64, for the differences of large sums
        centre, axes, *mixture = (p.double() for p in self.parameters())
        vector = fisher_vector((x.double() - centre) @ axes.T, *mixture)
        return F.normalize(vector.sign() * vector.abs().sqrt(), dim=0).float()


class ImprovedTrajectories(nn.Module):
    """float [B, 3, T, H, W], normalised as TINY_INPUT has it → logits [B, classes], the SVMs' margins.

    Made by `fit`; a fresh one knows nothing and answers 0. Trajectories are found on the CPU, one clip
    after the other. A clip without any, because it has fewer than 16 frames or nothing moves in it, is
    encoded as zeros, so its logits are `bias`.

    `find` may be replaced on an instance, by what finds the trajectories of several clips at once.

    Args:
        classes: number of outputs.
        words: Gaussians of each mixture, K.
        scales: see `trajectories`.
        lit: see `grey`.

    >>> ImprovedTrajectories(13, words=32, scales=3)(torch.zeros(1, 3, 16, 112, 112)).shape
    torch.Size([1, 13])
    """

    def __init__(self, classes: int, words: int = 256, scales: int = 8, lit: bool = False):
        super().__init__()
        self.scales = scales
        self.lit = lit
        self.vocabularies = nn.ModuleDict(
            {name: Vocabulary(numbers, words) for name, numbers in DESCRIPTORS.items()}
        )
        self.planes = _fitted(torch.zeros(classes, words * NUMBERS))
        self.bias = _fitted(torch.zeros(classes))

    def greys(self, x: Tensor) -> list[np.ndarray]:
        """Grey frames of each clip in which points are followed, uint8 [T, H, W]."""
        return [grey(clip, self.lit) for clip in x]

    def find(self, clips: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The trajectories of each grey clip, uint8 [T, H, W] → float32 [N, 426]."""
        return [trajectories(clip, self.scales) for clip in clips]

    def encode(self, rows: np.ndarray) -> Tensor:
        """Rows of trajectories [N, 426] → one vector [words · 426] for the whole clip."""
        if not len(rows):
            return torch.zeros_like(self.planes[0])
        parts = torch.from_numpy(rows).to(self.planes.device).split(list(DESCRIPTORS.values()), 1)
        return torch.cat([v(x) for v, x in zip(self.vocabularies.values(), parts, strict=True)])

    def forward(self, x: Tensor) -> Tensor:
        codes = [self.encode(rows) for rows in self.find(self.greys(x))]
        # float64 here too: autocast would round float32 products to bfloat16
        return (torch.stack(codes).double() @ self.planes.double().T).float() + self.bias


def grey(clip: Tensor, lit: bool = False) -> np.ndarray:
    """float [3, T, H, W] as a model receives it → grey frames as a camera gives them, uint8 [T, H, W].

    Args:
        clip: normalised as TINY_INPUT has it.
        lit: bring all clips to one brightness, by one gamma curve for all frames.
    """
    mean, std, luma = (
        torch.tensor(values).view(3, 1, 1, 1)
        for values in (TINY_INPUT.mean, TINY_INPUT.std, (0.299, 0.587, 0.114))
    )
    light = ((clip.detach().float().cpu() * std + mean) * luma).sum(0).clamp(0, 1)
    if lit:
        light = gamma(light[None, None])[0, 0]
    return (255 * light).round().byte().numpy()


def fit(
    network: ImprovedTrajectories,
    clips: Callable[[], Iterable[np.ndarray]],
    labels: Sequence[int],
    sampled: int = 100_000,
    seed: int = 0,
) -> None:
    """PCA, mixtures and SVMs of a network, from the trajectories of labelled clips.

    Args:
        network: what it holds is replaced.
        clips: called twice, gives the trajectories of each clip, float32 [N, 426], so that those of all
            clips need not be in memory at once.
        labels: the class of each; a class without a clip is never answered.
        sampled: of all clips' trajectories PCA and mixtures see about so many, drawn evenly from each.
        seed: of the draw and of the fits.

    Raises:
        ValueError: there are fewer trajectories in all clips than words, or than axes of PCA.
    """
    random = np.random.default_rng(seed)
    share = sampled // max(len(labels), 1) + 1
    none = np.zeros((0, NUMBERS), np.float32)
    drawn = np.concatenate([none, *(random.permutation(rows)[:share] for rows in clips())])
    words = network.planes.shape[1] // NUMBERS
    fewest = max(words, max(DESCRIPTORS.values()) // 2)
    if len(drawn) < fewest:
        raise ValueError(f"{len(drawn)} trajectories are too few, {fewest} are needed: add clips.")
    columns = np.split(drawn, np.cumsum(list(DESCRIPTORS.values()))[:-1], axis=1)
    for vocabulary, rows in zip(network.vocabularies.values(), columns, strict=True):
        assert isinstance(vocabulary, Vocabulary)
        _fit_vocabulary(vocabulary, rows, words, seed)
    codes = torch.stack([network.encode(rows) for rows in clips()])
    _fit_planes(network, codes.double().cpu().numpy(), np.asarray(labels), seed)


def _fit_vocabulary(vocabulary: Vocabulary, rows: np.ndarray, words: int, seed: int) -> None:
    from sklearn.decomposition import PCA
    from sklearn.mixture import GaussianMixture

    pca = PCA(rows.shape[1] // 2, random_state=seed).fit(rows)
    mixture = GaussianMixture(words, covariance_type="diag", random_state=seed)
    mixture.fit(pca.transform(rows))
    _set(vocabulary.centre, pca.mean_)
    _set(vocabulary.axes, pca.components_)
    _set(vocabulary.weights, mixture.weights_)
    _set(vocabulary.means, mixture.means_)
    _set(vocabulary.deviations, mixture.covariances_**0.5)


def _fit_planes(
    network: ImprovedTrajectories, codes: np.ndarray, labels: np.ndarray, seed: int
) -> None:
    """One SVM a class against all others, from encodings float64 [C, words · 426]."""
    from sklearn.svm import LinearSVC

    planes, bias = np.zeros(network.planes.shape), np.full(len(network.bias), NEVER)
    known = np.unique(labels)
    if len(known) == 1:
        bias[known] = 1.0
    else:
        # Every plane is a weighted sum of the clips' codes. In coordinates along these there are as many
        # numbers as clips, and the solution is the same.
        axes, places = np.linalg.qr(codes.T)
        svm = LinearSVC(C=100.0, dual=True, random_state=seed).fit(places.T, labels)
        own, offsets = svm.coef_, svm.intercept_
        if len(known) == 2:  # scikit-learn has one plane for both
            own, offsets = np.concatenate([-own, own]), np.concatenate([-offsets, offsets])
        planes[known], bias[known] = own @ axes.T, offsets
    _set(network.planes, planes)
    _set(network.bias, bias)


def _set(parameter: Tensor, values: np.ndarray) -> None:
    with torch.no_grad():
        parameter.copy_(torch.as_tensor(values))


def idt(classes: int) -> ImprovedTrajectories:
    """The paper's: 256 words, 8 scales."""
    return ImprovedTrajectories(classes)


def idt_tiny(classes: int) -> ImprovedTrajectories:
    """32 words, and the three scales on which a patch is not most of the frame.

    Dark clips are lit up first: as filmed, half as many points are followed in them.
    """
    return ImprovedTrajectories(classes, words=32, scales=3, lit=True)


_WORDS: dict[str, Any] = {
    "family": "Hand-crafted",
    "year": 2013,
    "paper": "Wang and Schmid, Action Recognition with Improved Trajectories, ICCV 2013",
    "paper_url": "https://openaccess.thecvf.com/content_iccv_2013/html/"
    "Wang_Action_Recognition_with_2013_ICCV_paper.html",
}

CARDS: tuple[ModelCard, ...] = (
    ModelCard(
        name="idt",
        title="Improved dense trajectories",
        hue=0,
        idea="Follows points through the clip, takes the camera's motion off, and counts directions of "
        "edges and of motion around each path: no network, and for years the one to beat.",
        size="paper",
        # The size and rate of UCF101's videos. The authors read a video as a whole, not views of it.
        input=replace(
            TINY_INPUT, frames=64, fps=25.0, resize=(240, 320), crop=(240, 320), standardise=False
        ),
        label_set="UCF101",
        classes=UCF101,
        build=idt,
        parameters=11_154_585,
        accuracy=(
            Accuracy("UCF101", 85.9, None, "mean of three splits", "lecture, two-stream table"),
            Accuracy("HMDB51", 57.2, None, "mean of three splits", "lecture, two-stream table"),
        ),
        note="No public weights: it is fitted, not trained. SIFT stands in for SURF, and no boxes keep "
        "people out of the estimate of the camera's motion.",
        **_WORDS,
    ),
    ModelCard(
        name="idt_lab",
        title="Improved dense trajectories (tiny)",
        tiny_of="idt",
        idea="The same on small frames, with three scales and 32 words: what was possible before "
        "networks learned their features, on the clips that the others here are trained on.",
        size="tiny",
        input=replace(TINY_INPUT, standardise=False),
        label_set=LABEL_SET,
        classes=EVERYDAY,
        build=idt_tiny,
        parameters=575_195,
        note="Follows points for 16 frames, two seconds at this rate: with fewer frames it has nothing "
        "to go by.",
        **_WORDS,
    ),
)
