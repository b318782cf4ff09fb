"""The runner that makes the CSV of a store with very many collections, page by page into a file in `var/exports`.

Bytes are written first and then the cursor with the file's size: whoever takes over after a kill cuts the file to that
size and goes on from that cursor, so that no row is doubled or lost. Each claim writes to a file of its own, out of
reach of a worker that was thought dead. The finished file is renamed at once, so that there is a whole one or none.
"""

import logging
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from json import dumps, loads
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from hemi.lib import claims, queue
from integrations import collection_csv, connections
from integrations.models import CollectionExport
from integrations.shopify import collection_lists
from integrations.shopify.client import GraphQL
from integrations.shopify.collection_lists import Page
from integrations.shopify.errors import Kind, ShopifyError

log = logging.getLogger(__name__)

Status = CollectionExport.Status
LEASE = timedelta(minutes=5)  # renewed with each page
SLICE_SECONDS = 60  # then another export has its turn
TRIES = 6  # without a page; some minutes
KEPT = timedelta(days=1)
RESTART_AFTER = 20_000  # Shopify's lists end at 25,000 without a word, so a long one is asked for in parts
_WANTED = Q(status=Status.WAITING)


class _Taken(Exception):
    """Somebody else has the export now, or the slice is over."""


@dataclass(frozen=True)
class _Place:
    """Where the next page begins: after a cursor of the list of all ids above `above`, of which `listed` were read."""

    after: str | None = None
    above: int = 0
    listed: int = 0

    def moved(self, page: Page) -> "_Place":
        listed = self.listed + len(page.collections)
        if listed >= RESTART_AFTER:
            return _Place(above=page.collections[-1].id)
        return _Place(page.cursor, self.above, listed)


def folder() -> Path:
    """Return where exports lie; made if need be, closed to others."""
    path = Path(settings.VAR_DIR) / "exports"
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def export_collections() -> int:
    """Make the files that are due, for one slice of time each; return how many were worked on."""
    due = CollectionExport.objects.filter(_WANTED).select_related("account__integration").order_by("next_attempt_at")
    done = 0
    while exports := claims.claim(due, still=_WANTED, limit=1, lease=LEASE):
        _export_one(exports[0])
        done += 1
    return done


def expire() -> None:
    """Delete the files whose day is over, and those that nobody knows any more."""
    for export in CollectionExport.objects.filter(status=Status.DONE, expires_at__lte=timezone.now()):
        if CollectionExport.objects.filter(pk=export.pk, status=Status.DONE).update(status=Status.EXPIRED):
            (folder() / export.file_name).unlink(missing_ok=True)
    known = set(CollectionExport.objects.filter(status__in=(Status.WAITING, Status.DONE)).values_list("file_name"))
    for path in folder().iterdir():
        if (path.name,) not in known and path.stat().st_mtime < time.time() - KEPT.total_seconds():
            path.unlink(missing_ok=True)


def _export_one(export: CollectionExport) -> None:
    try:
        path = _take_over(export)
        with connections.client_for(export.account) as client, path.open("ab") as file:
            _write(export, client, file)
        _finish(export, path)
    except _Taken:
        return
    except ShopifyError as error:
        _failed(export, str(error), can_pass=error.kind in (Kind.TEMPORARY, Kind.UNCERTAIN))
    except OSError as error:
        _failed(export, f"The file could not be written: {error.strerror}.", can_pass=True)


def _take_over(export: CollectionExport) -> Path:
    """Go on from the file of the claim before, or begin anew where there is none or less of it than is known."""
    path, before = folder() / f"{export.pk}-{export.claim_token}.part", folder() / export.file_name
    if export.file_name and before.is_file() and before.stat().st_size >= export.size:
        shutil.copyfile(before, path)
        os.truncate(path, export.size)
    else:
        path.write_bytes(collection_csv.head())
        export.size, export.rows, export.cursor = path.stat().st_size, 0, ""
    path.chmod(0o600)
    if not _mine(export, file_name=path.name, size=export.size, rows=export.rows, cursor=export.cursor):
        path.unlink()
        raise _Taken
    if export.file_name:
        before.unlink(missing_ok=True)
    return path


def _write(export: CollectionExport, client: GraphQL, file: BinaryIO) -> None:
    stop_at = time.monotonic() + SLICE_SECONDS
    _keep(export, total=collection_lists.count(client))
    for page, place in _pages(client, _Place(**loads(export.cursor)) if export.cursor else _Place()):
        file.write(collection_csv.lines(export.account, page.collections))
        file.flush()
        os.fsync(file.fileno())
        export.rows += len(page.collections)
        _keep(export, rows=export.rows, cursor=dumps(asdict(place)), size=file.tell(), attempts=0)
        if time.monotonic() > stop_at and not page.is_last:
            _mine(export, claim_token="", lease_until=None, next_attempt_at=timezone.now())
            queue.kick("integrations.export_collections")
            raise _Taken


def _pages(client: GraphQL, place: _Place) -> Iterator[tuple[Page, _Place]]:
    while True:
        page = collection_lists.page(client, place.after, place.above)
        place = place.moved(page)
        yield page, place
        if page.is_last:
            return


def _finish(export: CollectionExport, path: Path) -> None:
    whole, now = path.with_suffix(".csv"), timezone.now()
    path.replace(whole)
    ended = {"claim_token": "", "lease_until": None, "last_error": "", "total": export.rows}
    if not _mine(export, status=Status.DONE, file_name=whole.name, done_at=now, expires_at=now + KEPT, **ended):
        whole.unlink(missing_ok=True)
        return
    log.info("collections.exported", extra={"export": export.pk, "account": export.account_id, "rows": export.rows})


def _failed(export: CollectionExport, said: str, *, can_pass: bool) -> None:
    attempts = CollectionExport.objects.values_list("attempts", flat=True).get(pk=export.pk)
    if can_pass and attempts < TRIES:
        next_at = timezone.now() + claims.backoff(attempts or 1)
        _mine(export, claim_token="", lease_until=None, next_attempt_at=next_at, last_error=said)
        return
    name = f"{export.pk}-{export.claim_token}.part"
    if _mine(export, status=Status.FAILED, claim_token="", lease_until=None, last_error=said, file_name=""):
        (folder() / name).unlink(missing_ok=True)
        log.warning("collections.failed", extra={"export": export.pk, "account": export.account_id})


def _keep(export: CollectionExport, **values: Any) -> None:
    """Write how far it is and keep the claim; raise _Taken if somebody else has it."""
    if not _mine(export, **values, lease_until=timezone.now() + LEASE):
        raise _Taken


def _mine(export: CollectionExport, **values: Any) -> bool:
    rows = CollectionExport.objects.filter(pk=export.pk, claim_token=export.claim_token, status=Status.WAITING)
    return bool(rows.update(**values))
