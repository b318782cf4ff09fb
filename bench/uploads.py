"""Inside an installation: bring files to a server by Hemi's transport alone, by fresh logins, and by the outbox."""

import threading
import time
from collections.abc import Callable
from typing import Any

from django.core.management import call_command

from bench import due_files
from suppliers import connections, outbox
from suppliers.models import Delivery, Endpoint
from suppliers.transports import opening, pipelining, sessions, steps
from suppliers.transports.session import Server
from suppliers.transports.steps import Line, Rename, Upload

GROUP = 20  # uploads whose renames are recorded in one go, as the outbox does it
LONGEST_SECONDS = 100


def answer(do: str, **question: Any) -> dict[str, float]:
    """Call the function of this name."""
    functions: dict[str, Callable[..., dict[str, float]]] = {
        "prepare": prepare,
        "transport": transport,
        "fresh": fresh,
        "make_due": make_due,
        "outbox": through_outbox,
    }
    return functions[do](**question)


def prepare() -> dict[str, float]:
    """Make the tables."""
    call_command("migrate", interactive=False, verbosity=0)
    return {}


def transport(endpoint: dict[str, Any], path: str, count: int, size: int, most: int) -> dict[str, float]:
    """Bring files over sessions that are kept, pipelined where the server allows; their logins count."""
    server, share = connections.server(Endpoint(**endpoint)), count // most
    return _timed(lambda number: _bring_all(server, f"{path}/{number}", share, b"x" * size), most)


def fresh(endpoint: dict[str, Any], path: str, seconds: float, size: int, most: int) -> dict[str, float]:
    """Bring files for so long, each over a session of its own."""
    server, ends_at = connections.server(Endpoint(**endpoint)), time.perf_counter() + seconds
    return _timed(lambda number: _bring_singly(server, f"{path}/{number}", ends_at, b"x" * size), most)


def make_due(endpoint: dict[str, Any], path: str, count: int, size: int, most: int) -> dict[str, float]:
    """Make the rows of due files."""
    row, _ = Endpoint.objects.update_or_create(
        name=f"{endpoint['host']}:{endpoint['port']}",
        defaults={**endpoint, "max_sessions": most, "orders_folder": "in", "replies_folder": ""},
    )
    due_files.make(row, path, count, b"x" * size)
    return {"endpoint_id": row.pk}


def through_outbox(endpoint_id: int) -> dict[str, float]:
    """Let the outbox bring what is due, with all the rows that it reads and writes, and its logins."""
    sessions.kept.close_idle()
    due = Delivery.objects.filter(endpoint=endpoint_id, status=Delivery.Status.DUE)
    count, begin = due.count(), time.perf_counter()
    while due.exists() and time.perf_counter() - begin < LONGEST_SECONDS:
        outbox.deliver(endpoint_id)
    return {"rate": count / (time.perf_counter() - begin), "count": count - due.count()}


def _timed(bring: Callable[[int], int], most: int) -> dict[str, float]:
    counts: list[int] = []
    threads = [threading.Thread(target=lambda number=number: counts.append(bring(number))) for number in range(most)]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"rate": sum(counts) / (time.perf_counter() - begin), "count": sum(counts)}


def _bring_all(server: Server, prefix: str, count: int, content: bytes) -> int:
    session = opening.open_session(server)
    line, renames = pipelining.line(session), list[Rename]()
    for start in range(0, count, GROUP):
        numbers = range(start, min(start + GROUP, count))
        uploads = [_upload(f"{prefix}-{number}.xml", content) for number in numbers]
        renames = _bring_group(line, renames, uploads)
    for rename in renames:
        _step(line, rename, None)
    session.close()
    return count


def _bring_group(line: Line, renames: list[Rename], uploads: list[Upload]) -> list[Rename]:
    for number in range(max(len(renames), len(uploads))):
        rename = renames[number] if number < len(renames) else None
        _step(line, rename, uploads[number] if number < len(uploads) else None)
    return [Rename(upload.temporary, upload.final) for upload in uploads]


def _bring_singly(server: Server, prefix: str, ends_at: float, content: bytes) -> int:
    count = 0
    while not count or time.perf_counter() < ends_at:
        session = opening.open_session(server)
        upload = _upload(f"{prefix}-{count}.xml", content)
        line = steps.PlainLine(session)
        _step(line, None, upload)
        _step(line, Rename(upload.temporary, upload.final), None)
        session.close()
        count += 1
    return count


def _upload(path: str, content: bytes) -> Upload:
    return Upload(f"{path}.0123456789ab.part", path, content)


def _step(line: Line, rename: Rename | None, upload: Upload | None) -> None:
    done = line.step(rename, upload)
    if error := done.rename_error or done.upload_error:
        raise error
    if upload and (done.size != len(upload.content) or done.is_taken):
        raise SystemExit(f"{upload.final} did not arrive whole, or was there before.")
