"""The broker without a server: whole messages, each once, oldest first."""

import json
import multiprocessing
import queue
import threading
import time
import uuid

import pytest
from kombu import Connection, Exchange, Queue

from hemi.lib import filebroker


def open_broker(folder):
    return Connection(filebroker.URL, transport_options=filebroker.options(folder))


def put(folder, numbers, name=""):
    name = name or folder.name
    target = Queue(name, Exchange(name), routing_key=name)
    with open_broker(folder) as connection:
        producer = connection.Producer()
        for number in numbers:
            producer.publish(
                {"number": number}, exchange=target.exchange, routing_key=target.routing_key, declare=[target]
            )


def take_all(folder, wait=0.5):
    with open_broker(folder) as connection, connection.SimpleQueue(folder.name, no_ack=True) as waiting:
        taken = []
        while True:
            try:
                taken.append(waiting.get(timeout=wait).payload["number"])
            except queue.Empty:
                return taken


@pytest.fixture
def folder(tmp_path):
    # A name of its own: within one process kombu remembers which queues it has bound, whatever the folder.
    return tmp_path / f"broker-{uuid.uuid4().hex}"


def test_oldest_first_each_once(folder):
    put(folder, range(5))
    time.sleep(0.002)  # names are sorted by the millisecond
    put(folder, range(5, 10))
    taken = take_all(folder)
    assert sorted(taken) == list(range(10))
    assert set(taken[:5]) == set(range(5))
    assert take_all(folder) == []


def test_messages_wait_through_a_restart(folder):
    put(folder, [1])
    assert take_all(folder) == [1]


def test_queues_do_not_mix(folder):
    put(folder, [1], "delivery-" + folder.name)
    assert take_all(folder) == []


def test_nobody_sees_a_message_before_it_is_whole(folder):
    put(folder, [0])
    stop, torn = threading.Event(), []

    def look():
        while not stop.is_set():
            for path in (folder / "messages").glob("*.msg"):
                try:
                    json.loads(path.read_text())
                except FileNotFoundError:
                    continue
                except ValueError:
                    torn.append(path.name)

    looker = threading.Thread(target=look)
    looker.start()
    try:
        put(folder, ["x" * 50_000] * 100)
    finally:
        stop.set()
        looker.join()
    assert not torn


def test_many_writers_and_readers_lose_and_double_nothing(folder):
    context = multiprocessing.get_context("spawn")
    with context.Pool(4) as pool:
        pool.starmap(put, [(folder, range(start, start + 50)) for start in range(0, 200, 50)])
        taken = [number for numbers in pool.map(take_all, [folder] * 4) for number in numbers]
    assert sorted(taken) == list(range(200))
    assert not list((folder / "messages").iterdir())
