"""What is deployed, as an observer sees it while a release goes on."""

import threading
import time

from components.common.seal import model_digest


def revision_of(model):
    return model_digest(model)[:12]


def weights(serving, name):
    return {each["revision"]: each["weight"] for each in serving(name).revisions}


class Weights(threading.Thread):
    """Every set of weights that an observer sees, and when."""

    def __init__(self, serving, name):
        super().__init__()
        self.serving, self.name_seen, self.ended = serving, name, threading.Event()
        self.seen = []

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join()

    def run(self):
        while not self.ended.is_set():
            found = {name: one for name, one in weights(self.serving, self.name_seen).items() if one}
            if not self.seen or self.seen[-1][1] != found:
                self.seen.append((time.monotonic(), found))
            time.sleep(0.02)

    def await_weights(self, expected):
        deadline = time.monotonic() + 60
        while not self.seen or self.seen[-1][1] != expected:
            assert time.monotonic() < deadline, self.seen
            time.sleep(0.02)

    @property
    def steps(self):
        assert all(sum(one.values()) == 100 for _, one in self.seen), self.seen
        return [one for _, one in self.seen]
