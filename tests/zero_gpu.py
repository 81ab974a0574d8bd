"""A `spaces` package that lends a GPU as ZeroGPU does, without one.

As in the real package (spaces 0.51): the decorated generator runs in a process forked from this one, which
serves the next call too; arguments and items are pickled; an error that is none of Gradio's arrives as
gr.Error with the name of its class; closing the generator ends the work at its next item.
"""

import multiprocessing
import pickle
import threading
from types import SimpleNamespace

import gradio as gr

FORK = multiprocessing.get_context("fork")


class ZeroGPU:
    """Stands for the module `spaces`.

    Attributes:
        asked: seconds of every call.
        left: seconds that the visitor may still ask for.
        processes: one for each decorated function.
    """

    def __init__(self, left: float = 120.0):
        self.asked: list[float] = []
        self.left = left
        self.processes: list = []

    def GPU(self, duration):
        return lambda task: self._lending(task, duration)

    def close(self):
        """End the processes."""
        for one in self.processes:
            one.process.kill()
            one.process.join()

    def _lending(self, task, duration):
        workers = []

        def lent(*given):
            seconds = duration(*given)
            self.asked.append(seconds)
            if 1.5 * seconds > self.left:
                raise gr.Error("You have exceeded your GPU quota", print_exception=False)
            self.left -= seconds
            if not workers:
                workers.append(_worker(task))
                self.processes += workers
            (worker,) = workers
            worker.stop.clear()
            worker.arguments.put(pickle.dumps(given))
            while True:
                kind, value = worker.results.get()
                if kind == "end":
                    return
                if kind == "error":
                    raise gr.Error(value)
                try:
                    yield pickle.loads(value)
                except GeneratorExit:
                    worker.stop.set()
                    while worker.results.get()[0] not in ("end", "error"):
                        pass
                    raise

        return lent


def _worker(task):
    arguments, results, stop = FORK.SimpleQueue(), FORK.SimpleQueue(), FORK.Event()

    def serve():
        while True:
            given = pickle.loads(arguments.get())
            # In a thread of its own, as there: what was started before the fork belongs to other threads.
            thread = threading.Thread(target=answer, args=(given,))
            thread.start()
            thread.join()

    def answer(given):
        try:
            running = task(*given)
            for item in running:
                if stop.is_set():
                    running.close()
                    break
                results.put(("item", pickle.dumps(item)))
        except Exception as error:
            results.put(("error", type(error).__name__))
        else:
            results.put(("end", None))

    process = FORK.Process(target=serve, daemon=True)
    process.start()
    return SimpleNamespace(process=process, arguments=arguments, results=results, stop=stop)
