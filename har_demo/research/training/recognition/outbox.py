"""Finished runs as a few tar files, for a machine that hands back few and small files.

results.tar.gz     the small files of all runs so far
weights-N.tar      weights of those runs of the first seed that were not posted before, variations aside
"""

import tarfile
from pathlib import Path

from har_demo.research.training.recognition.variants import is_variation

FILES = 6  # of weights
FILE_BYTES = 15_000_000
ALL_BYTES = 60_000_000


class Outbox:
    """Posts what har_demo.research.training.recognition.run has finished.

    Args:
        work: its work folder.
        out: where the tar files are written.
        seed: the weights of other seeds stay behind: one seed is enough to ship.
    """

    def __init__(self, work: Path, out: Path, seed: int):
        self.work, self.out, self.seed = work, out, seed
        self.known: set[str] = set()
        out.mkdir(parents=True, exist_ok=True)

    def post(self) -> None:
        """Write what is finished and was not yet written."""
        finished = {path.name for path in (self.work / "done").glob("*")}
        failed = {path.name for path in self.work.glob("*.failed")}
        if finished | failed == self.known:
            return
        self.known = finished | failed
        part = self.out / "results.part"
        with tarfile.open(part, "w:gz") as tar:
            for folder in sorted(finished):
                for file in sorted((self.work / "done" / folder).iterdir()):
                    if file.suffix in (".csv", ".json"):
                        tar.add(file, f"{folder}/{file.name}")
            for name in sorted(failed):
                tar.add(self.work / name, name)
        part.rename(self.out / "results.tar.gz")
        for name in sorted(finished):
            if f"-s{self.seed}-" in name and not is_variation(name):
                self._post_weights(self.work / "done" / name)

    def _post_weights(self, folder: Path) -> None:
        """Into the first tar file with room, once; without room they wait for an empty `out`."""
        mark, weights = folder / "posted", folder / "weights.safetensors"
        size = weights.stat().st_size
        taken = [self._bytes(number) for number in range(FILES)]
        if mark.exists() or sum(taken) + size > ALL_BYTES:
            return
        for number, used in enumerate(taken):
            if used + size <= FILE_BYTES:
                with tarfile.open(self.out / f"weights-{number}.tar", "a") as tar:
                    tar.add(weights, f"{folder.name}/{weights.name}")
                mark.touch()
                return

    def _bytes(self, number: int) -> int:
        file = self.out / f"weights-{number}.tar"
        return file.stat().st_size if file.exists() else 0
