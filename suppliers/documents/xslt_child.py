"""The process in which suppliers' stylesheets and schemas run: no file, no network, little memory, little time.

Run as `python -m suppliers.documents.xslt_child`; reads questions from its input, writes answers to its output, and
ends with its parent. It has none of Hemi's settings and no secret.
"""

import re
import resource
import sys
from collections.abc import Callable
from typing import Any, BinaryIO, cast

from lxml import etree

from suppliers.documents import faults, framing, schema_sets, stylesheets
from suppliers.documents.rendered import InvalidDocument

MEMORY = 320_000_000
MUCH_MEMORY = 120_000  # kB; what fails beyond it, fails for want of more
CPU_SECONDS = 3
MAX_INPUT = 50_000_000
MAX_OUTPUT = 10_000_000


class Desk:
    """Keeps what was compiled, by the name that the parent gave it."""

    def __init__(self) -> None:
        self.stylesheets: dict[str, stylesheets.Stylesheet] = {}
        self.schemas: dict[str, etree.XMLSchema] = {}

    def load_stylesheet(self, header: dict[str, Any], source: bytes) -> tuple[dict[str, Any], bytes]:
        """Compile a stylesheet."""
        self.stylesheets[header["key"]] = stylesheets.compiled(source.decode(), header["encoding"])
        return {}, b""

    def load_schema(self, header: dict[str, Any], archive: bytes) -> tuple[dict[str, Any], bytes]:
        """Compile a schema."""
        self.schemas[header["key"]] = schema_sets.compiled(archive, header["main"])
        return {}, b""

    def make(self, header: dict[str, Any], source: bytes) -> tuple[dict[str, Any], bytes]:
        """Run a stylesheet, if one is named, and check the result with a schema, if one is named."""
        result = stylesheets.Result(source, "xml")
        if header["stylesheet"]:
            result = stylesheets.applied(self.stylesheets[header["stylesheet"]], source)
        made = result.document
        if not made.strip():
            raise InvalidDocument("The XSLT made an empty document.")
        if len(made) > MAX_OUTPUT:
            raise InvalidDocument(f"The document is larger than {MAX_OUTPUT // 1_000_000} MB.")
        self._check(result, header)
        return {"method": result.method}, made

    def _check(self, result: stylesheets.Result, header: dict[str, Any]) -> None:
        if result.method == "xml":
            try:
                root = etree.fromstring(result.document, etree.XMLParser(resolve_entities=False, no_network=True))
            except etree.XMLSyntaxError as error:
                raise InvalidDocument(f"The XSLT did not make well-formed XML: {error}") from None
            if header["schema"]:
                schema_sets.check(self.schemas[header["schema"]], root)
        elif header["schema"]:
            raise InvalidDocument(f"The supplier has a schema, and the XSLT makes {result.method}, not XML.")


def main() -> None:
    """Answer until the parent closes the pipe."""
    status = cast(BinaryIO, open("/proc/self/status", "rb", buffering=0))  # noqa: SIM115 open as long as the process
    _confine()
    desk = Desk()
    doers: dict[str, Callable] = {
        "load_stylesheet": desk.load_stylesheet,
        "load_schema": desk.load_schema,
        "make": desk.make,
    }
    while True:
        try:
            header, (blob,) = framing.receive(sys.stdin.buffer, MAX_INPUT)
        except EOFError:
            return
        _give_time()
        try:
            answer, content = doers[header["op"]](header, blob)
        except InvalidDocument as fault:
            answer, content = {"fault": _told(fault, status)}, b""
        framing.send(sys.stdout.buffer, answer, content)


def _told(fault: InvalidDocument, status: BinaryIO) -> str:
    """Without memory libxslt says odd things, such as that a variable is missing."""
    status.seek(0)
    peak = re.search(rb"VmHWM:\s+(\d+) kB", status.read())
    is_full = peak is not None and int(peak[1]) > MUCH_MEMORY
    return f"The XSLT stopped: {faults.TOO_MUCH}" if is_full else str(fault)


def _confine() -> None:
    # The first look-up of each codec opens a file; afterwards none can be opened.
    for name in ("utf-8", "iso-8859-1", "iso-8859-15", "windows-1252", "ascii", "cp437"):
        "x".encode(name)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _give_time() -> None:
    """Allow so many seconds of work from now on; past them the kernel ends this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + 1 + CPU_SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main()
