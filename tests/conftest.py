"""Fixtures for every test: a cache folder of the run's own, the running app, and a real browser."""

import os

# Two workers share two cores: numerical libraries read this when they are first imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# The programs that tests start share what the first of them has compiled.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER_FLAGS = (
    "--no-sandbox",  # chromium refuses to run as root with one
    # The page must need nothing from outside; without a network it must not wait for it.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
APP = "tests/test_interface/"
NO_HUB = "http://127.0.0.1:9"  # nobody listens there
START_SECONDS = 180  # two slow cores import torch and gradio in well under this
SERVER_LOG = pytest.StashKey[Path]()


def pytest_collection_modifyitems(items):
    """Put files that open the app first, then other long ones: pytest-xdist hands them out in this order.

    So short ones are left for the end, and no worker runs on alone.
    """
    opens_app = {item.path for item in items if {"server", "browser"} & set(item.fixturenames)}
    long = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (item.path not in opens_app, item.path not in long))


def pytest_xdist_make_scheduler(config, log):
    """Keep all tests of the interface in one worker, with one server and one browser; others go by file."""
    from xdist.scheduler import LoadFileScheduling

    class OneApp(LoadFileScheduling):
        def _split_scope(self, nodeid):
            return "app" if nodeid.startswith(APP) else super()._split_scope(nodeid)

    return OneApp(config, log)


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory) -> Path:
    """A fresh cache folder for the whole run, so that nothing leaks in from earlier use."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HAR_CACHE", str(folder))
        patch.setenv("GRADIO_TEMP_DIR", str(folder / "gradio"))
        patch.delenv("HF_HUB_OFFLINE", raising=False)
        # Neither here nor in the app do tests reach the hub or find what was fetched from it earlier:
        # the embedded recogniser is the default of free text.
        for name, value in (("ENDPOINT", NO_HUB), ("HF_HUB_CACHE", str(folder / "hub"))):
            patch.setenv(name if name.startswith("HF_") else f"HF_{name}", value)
            patch.setattr(f"huggingface_hub.constants.{name}", value)
        for name in ("HAR_MAX_MB", "HAR_MAX_SECONDS", "HAR_MAX_SIDE"):
            patch.delenv(name, raising=False)
        yield folder


@pytest.fixture(autouse=True)
def weights_are_read_here(request, monkeypatch):
    """Open users' weights in this process; tests marked `apart` open them as the product does, which takes seconds."""
    if request.node.get_closest_marker("apart") is None:
        for name in ("weights.loading", "weights.sources", "weights.official", "flow.learned"):
            module = sys.modules.get(f"har_demo.{name}")
            if module is not None:  # a test without it pays for no import
                from har_demo.weights import state

                monkeypatch.setattr(module, "read_untrusted", state.read)
    yield


@pytest.fixture(autouse=True)
def ordinary_priority():
    """No test may leave this process real-time, as one video encoder does: the machine would starve."""
    yield
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


@pytest.fixture(scope="session")
def server(cache, tmp_path_factory, request, serving) -> str:
    """`python app.py` in a process of its own; the address it answers on."""
    log = tmp_path_factory.mktemp("server") / "app.log"
    request.config.stash[SERVER_LOG] = log
    with serving(log) as url:
        yield url


@pytest.fixture(scope="session")
def serving():
    """A context manager: (log, variables, command) → the address that a server of one's own answers on."""
    return _serving


@contextmanager
def _serving(log: Path, variables: dict | None = None, command: list[str] | None = None, cwd=ROOT):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    environment = os.environ | {
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_ANALYTICS_ENABLED": "False",
        "PYTHONUNBUFFERED": "1",
    }
    for name, value in (variables or {}).items():
        environment.pop(name, None)
        if value is not None:
            environment[name] = value
    with log.open("w") as sink:
        app = subprocess.Popen(
            command or [sys.executable, "app.py"],
            cwd=cwd,
            env=environment,
            stdout=sink,
            stderr=sink,
        )
    try:
        _wait_until_it_answers(app, url, log)
        yield url
    finally:
        app.terminate()
        try:
            app.wait(timeout=10)
        except subprocess.TimeoutExpired:
            app.kill()
            app.wait()


def _wait_until_it_answers(app: subprocess.Popen, url: str, log: Path) -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if app.poll() is not None:
            pytest.fail(f"app.py ended with exit code {app.returncode}:\n{_tail(log)}")
        try:
            direct.open(url, timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    pytest.fail(f"app.py did not answer within {START_SECONDS} s:\n{_tail(log)}")


def _tail(log: Path, lines: int = 60) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test that used the server shows what the server said."""
    report = yield
    if report.failed and "server" in getattr(item, "fixturenames", ()):
        log = item.config.stash.get(SERVER_LOG, None)
        if log and log.exists():
            report.sections.append(("app.py said", _tail(log)))
    return report


@pytest.fixture(scope="session")
def launch_browser():
    """A function that starts a headless chromium (playwright's synchronous API) with extra flags."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        why = f"no browser on PATH (looked for {', '.join(BROWSERS)}); as root, `make test` installs one"
        if os.environ.get("CI") == "true":
            pytest.fail(f"browser tests must run here: {why}")
        pytest.skip(why)
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=20_000)  # the machine may have other things to do
    with sync_playwright() as playwright:
        yield lambda *flags: playwright.chromium.launch(
            executable_path=path, args=[*BROWSER_FLAGS, *flags]
        )


@pytest.fixture(scope="session")
def browser(launch_browser):
    """The browser most tests share; `browser.new_page()` is a fresh visitor."""
    chromium = launch_browser()
    yield chromium
    chromium.close()
