"""What runs wait for, and flow that is computed while others train."""

import dataclasses
import multiprocessing
import time

import pytest

from har_demo.research.training.recognition.protocol import read_protocol
from har_demo.research.training.recognition.train import Run
from har_demo.research.training.recognition.work_folder import (
    FLOW,
    Queue,
    comes,
    flow_beside,
    flow_files,
    missing,
)
from tests.test_research.test_training.test_recognition.conftest import squares


def test_a_student_waits_for_its_teacher(tmp_path):
    student, teacher = Run("mars_lab", "rgb", 7), Run("mars_flow_lab", "flow", 7)
    # Of two splits both teachers are needed.
    both = (student, dataclasses.replace(student, split="b"))
    teachers = (teacher, dataclasses.replace(teacher, split="b"))
    queue = Queue((*both, *teachers), tmp_path, read_protocol(), ("cpu",))
    _all_flow(queue)
    assert not any(missing(queue, one) for one in teachers)
    for one in teachers:
        assert missing(queue, student) == one.name
        assert comes(queue, one.name)
        queue.done(one).mkdir(parents=True)
    assert missing(queue, student) is None
    # One that failed, or that nobody trains, does not come any more.
    assert not comes(dataclasses.replace(queue, runs=both), teacher.name)
    (tmp_path / f"{teacher.name}.failed").touch()
    assert not comes(queue, teacher.name)


def test_who_reads_flow_waits_for_it_and_the_others_do_not(tmp_path):
    runs = Run("i3d_flow_lab", "flow", 7), Run("c3d_lab", "difference", 7)
    queue = Queue(runs, tmp_path, read_protocol(), ("cpu",))
    assert [missing(queue, run) for run in runs] == [FLOW, None]
    assert comes(queue, FLOW)
    _all_flow(queue)
    assert [missing(queue, run) for run in runs] == [None, None]
    (tmp_path / f"{FLOW}.failed").touch()
    assert not comes(queue, FLOW)


def _all_flow(queue):
    for run in queue.runs:
        for kept in flow_files(queue, run).values():
            kept.touch()


@pytest.mark.slow
@pytest.mark.nightly
def test_flow_is_computed_beside_the_training_and_no_longer(tmp_path):
    run = Run("temporal_stream_lab", "flow", 7)
    queue = Queue((run,), tmp_path, read_protocol(), ("cpu",))
    for file in flow_files(queue, run):
        squares(2, seed=0).save(file)
    with flow_beside(queue):
        pass
    assert not multiprocessing.active_children()
    assert missing(queue, run) == FLOW
    until = time.monotonic() + 120
    with flow_beside(queue):
        while missing(queue, run) and time.monotonic() < until:
            time.sleep(0.2)
    assert missing(queue, run) is None
    assert not (tmp_path / "flow.failed").exists()
    with flow_beside(queue):  # all is there
        assert not multiprocessing.active_children()
