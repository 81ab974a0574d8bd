"""Start the app of a folder as a Space would, and ask it once through the page and once through the API."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from har_demo.research.space.rules import hub

MODEL = "c3d_lab"
START_SECONDS = 600  # until the first page; a cold disk loads torch slowly
LINES = 40  # of the app's last words, when it fails


@dataclass(frozen=True)
class Trial:
    """What was seen.

    Attributes:
        python: the interpreter's version.
        started, page, api: seconds from the start to the first page, to an answer on the page, and of the
            same question through the API.
        answer: the likeliest action of the example 'running'.
        memory: most bytes that the app's process held.
    """

    python: str
    started: float
    page: float
    api: float
    answer: str
    memory: int


def environment(folder: Path, python: str, target: Path, say: Callable[[str], None]) -> Path:
    """Install the folder's requirements into an empty environment, as a Space does; return its Python.

    Args:
        folder: the Space's.
        python: its version, such as '3.12'; that interpreter must be here.
        target: where the environment is made.
        say: called with a sentence before each step.

    Raises:
        FileNotFoundError: there is no such Python.
        subprocess.CalledProcessError: a package cannot be installed.
    """
    interpreter = shutil.which(f"python{python}")
    if interpreter is None:
        raise FileNotFoundError(f"There is no python{python} on PATH: install it, or set DRY=1.")
    say(f"Installing requirements.txt into an empty environment of Python {python}: about 6 GB.")
    subprocess.run([interpreter, "-m", "venv", "--clear", target], check=True)
    own = target / "bin" / "python"
    quiet = ["--quiet", "--disable-pip-version-check"]
    subprocess.run(
        [own, "-m", "pip", "install", *quiet, "-r", folder / "requirements.txt"], check=True
    )
    return own


def ask(folder: Path, python: Path, cores: int) -> Trial:
    """Start the app and ask it about an example, through the page's own events and the API.

    It gets none of this process's variables, an empty home, no network beyond this machine, and two cores.

    Raises:
        RuntimeError: it does not start or answer; the message ends with what it said.
    """
    with tempfile.TemporaryDirectory() as home, _served(folder, python, Path(home), cores) as app:
        started = app.until_it_answers()
        example = app.upload(folder / "har_demo/interface/examples/running.mp4")
        app.call("take_upload", example)
        panel = app.call("run_models", None, example, [MODEL], 0, 0, 0, 1, "", None, False)
        if MODEL not in str(panel):
            raise RuntimeError(f"The page shows no answer of {MODEL}: {str(panel)[:300]}")
        page = time.monotonic() - app.begun
        before = time.monotonic()
        (answers,) = app.call("recognize", example, [MODEL], None, None, None, 1)
        api = time.monotonic() - before
        (prediction,) = answers["predictions"]
        return Trial(
            python=app.version,
            started=started,
            page=page,
            api=api,
            answer=prediction["top"][0]["class"],
            memory=app.memory(),
        )


class _App:
    def __init__(self, process: subprocess.Popen, url: str, log: Path, version: str):
        self.process, self.url, self.log, self.version = process, url, log, version
        self.begun = time.monotonic()
        self.http = httpx2.Client(base_url=url, timeout=START_SECONDS, trust_env=False)

    def until_it_answers(self) -> float:
        """Wait for the page; return seconds."""
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        while time.monotonic() - self.begun < START_SECONDS and self.process.poll() is None:
            try:
                with direct.open(self.url, timeout=10) as page:
                    if b"Action Atlas" in page.read():
                        return time.monotonic() - self.begun
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        last = "\n".join(self.log.read_text(errors="replace").splitlines()[-LINES:])
        raise RuntimeError(f"app.py does not answer. It said:\n{last}")

    def upload(self, file: Path) -> dict:
        """Send a file; return what names it in a call."""
        with file.open("rb") as content:
            answer = self.http.post("/gradio_api/upload", files={"files": (file.name, content)})
        return {"path": answer.json()[0], "meta": {"_type": "gradio.FileData"}}

    def call(self, name: str, *given) -> list:
        """Ask for an event by its name, as one visitor; return its last values.

        Raises:
            RuntimeError: the app gives an error in their place.
        """
        address = f"/gradio_api/call/{name}"
        body = {"data": given, "session_hash": "trial"}
        event = self.http.post(address, json=body).json()["event_id"]
        *_, last = self.http.get(f"{address}/{event}").text.strip().split("\n\n")
        kind, _, values = last.partition("\n")
        if kind != "event: complete":
            raise RuntimeError(f"/{name} fails: {last[:300]}")
        return json.loads(values.removeprefix("data: "))

    def memory(self) -> int:
        """Return the most bytes of memory that the process held."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return 1024 * int(status.split("VmHWM:")[1].split()[0])


@contextmanager
def _served(folder: Path, python: Path, home: Path, cores: int):
    version = subprocess.run(
        [python, "-c", "import platform; print(platform.python_version())"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    variables = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(home),
        "TMPDIR": str(home),
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_SERVER_PORT": str(port),
        "HF_HUB_OFFLINE": "1",
        "PYTHONNOUSERSITE": "1",
    }
    log = home / "app.log"
    allowed = sorted(os.sched_getaffinity(0))[:cores]
    with log.open("w") as sink:
        process = subprocess.Popen(
            [python, "app.py"],
            cwd=folder,
            env=variables,
            stdout=sink,
            stderr=sink,
            preexec_fn=lambda: os.sched_setaffinity(0, allowed),
        )
    try:
        yield _App(process, f"http://127.0.0.1:{port}", log, version)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def with_ranges(folder: Path, requirements: Path) -> Iterator[Path]:
    """Give the same folder with another requirements.txt: the app refuses to start with other versions than that says.

    For a trial with the packages of this process, of which the versions may be others.
    """
    with tempfile.TemporaryDirectory(dir=folder.parent) as place:
        copy = Path(place) / folder.name
        shutil.copytree(folder, copy, copy_function=os.link)
        (copy / "requirements.txt").unlink()
        shutil.copyfile(requirements, copy / "requirements.txt")
        yield copy


def fits(trial: Trial) -> bool:
    """Return whether the app stayed within the memory of the smallest hardware."""
    return trial.memory < hub()["cpu_basic"]["memory_bytes"]
