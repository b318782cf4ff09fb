"""The work of many threads, done in one go."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from hemi.lib.together import NotDone, Together

SECONDS = 10


class Doubling:
    """Doubles numbers, batch by batch; holds each batch up until `go` is set."""

    def __init__(self):
        self.go, self.begun = threading.Event(), threading.Semaphore(0)
        self.batches = []
        self.failing = []
        self.together = Together(self.work_on)

    def work_on(self, take, seconds):
        self.begun.release()
        if self.failing == ["before"]:
            self.failing = []
            raise OSError("before")
        assert self.go.wait(SECONDS)
        pieces = take()
        self.batches.append([piece.work for piece in pieces])
        if self.failing == ["within"]:
            self.failing = []
            raise OSError("within")
        for piece in pieces:
            piece.outcome = piece.work * 2 if piece.work < 100 else ValueError(piece.work)


@pytest.fixture
def doubling():
    return Doubling()


@pytest.fixture
def pool():
    with ThreadPoolExecutor(8) as pool:
        yield pool


def test_one_alone_is_done_at_once(doubling):
    doubling.go.set()
    assert [doubling.together.do(number, SECONDS) for number in (1, 2)] == [2, 4]
    assert doubling.batches == [[1], [2]]


def test_what_gathers_meanwhile_is_one_batch(doubling, pool):
    futures = [pool.submit(doubling.together.do, number, SECONDS) for number in range(8)]
    assert doubling.begun.acquire(timeout=SECONDS)
    _wait_for(lambda: len(doubling.together._gathered) == 8)
    doubling.go.set()
    assert [future.result(SECONDS) for future in futures] == [number * 2 for number in range(8)]
    assert [sorted(batch) for batch in doubling.batches] == [list(range(8))]


def test_each_gets_its_own_error(doubling, pool):
    futures = [pool.submit(doubling.together.do, number, SECONDS) for number in (1, 100, 2)]
    doubling.go.set()
    assert futures[0].result(SECONDS) == 2
    with pytest.raises(ValueError, match="100"):
        futures[1].result(SECONDS)
    assert futures[2].result(SECONDS) == 4


def test_who_waits_too_long_is_not_done(doubling, pool):
    first = pool.submit(doubling.together.do, 1, SECONDS)
    assert doubling.begun.acquire(timeout=SECONDS)
    with pytest.raises(NotDone):
        doubling.together.do(2, 0.05)
    doubling.go.set()
    assert first.result(SECONDS) == 2
    assert doubling.batches == [[1]]


@pytest.mark.parametrize("moment", ["before", "within"])
def test_failure_of_the_leader_is_nobodys_success(doubling, pool, moment):
    doubling.failing = [moment]
    futures = [pool.submit(doubling.together.do, number, SECONDS) for number in range(4)]
    doubling.go.set()
    outcomes = [future.exception(SECONDS) or future.result() for future in futures]
    assert sum(isinstance(outcome, OSError) for outcome in outcomes) == 1
    for number, outcome in enumerate(outcomes):
        assert isinstance(outcome, OSError | NotDone) or outcome == number * 2
    assert doubling.together.do(7, SECONDS) == 14


def _wait_for(is_so):
    pause = threading.Event()
    for _ in range(1000):
        if is_so():
            return
        pause.wait(0.01)
    raise AssertionError("it did not come about")
