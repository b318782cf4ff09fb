"""What people use today to bring files: lftp over FTP and FTPS, sftp's batch mode over SFTP.

Both bring each file under a temporary name and rename it, over as many sessions as Hemi. How long their programs take
to start, without any server, is measured and left out of their time.
"""

import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from bench.places import Place
from bench.processes import Broken, clean_env
from sandbox.real_servers import Vsftpd

TIMEOUT_SECONDS = 120
# Its defaults ask for dates and modes after each file; without them it is faster.
_LFTP = (
    "set xfer:use-temp-file yes",
    "set xfer:temp-file-name *.part",
    "set ftp:use-mdtm off",
    "set ftp:use-site-utime off",
    "set ftp:use-site-utime2 off",
    "set ftp:use-site-chmod off",
    "set cmd:fail-exit yes",
    "set net:max-retries 2",
)


@dataclass(frozen=True)
class Load:
    """The files to bring: so many of one size, over so many sessions."""

    count: int
    size: int
    sessions: int


def missing() -> list[str]:
    """Name what is not installed here."""
    return [name for name in ("lftp", "sftp") if not shutil.which(name)]


def name_for(place: Place) -> str:
    """Return which program is Hemi's peer there."""
    return "sftp" if place.server.protocol == "sftp" else "lftp"


def bring(place: Place, load: Load, path: str, work: Path) -> float:
    """Bring the files with the peer's program; return the files per second."""
    source = _files(work, load)
    if name_for(place) == "lftp":
        commands, start = [_lftp(place, load, path, source)], ["lftp", "-c", "bye"]
    else:
        commands, start = _sftp(place, load, path, source), ["ssh", "-V"]
    return load.count / (_seconds(commands) - min(_seconds([start]) for _ in range(2)))


def _files(work: Path, load: Load) -> Path:
    folder = work / f"files-{load.count}-{load.size}"
    if not folder.exists():
        folder.mkdir()
        for number in range(load.count):
            (folder / f"ORDER_{number:05d}.xml").write_bytes(b"x" * load.size)
    return folder


def _lftp(place: Place, load: Load, path: str, source: Path) -> list[str]:
    server = place.server
    lines = [*_LFTP, "set ftp:ssl-allow no"]
    if isinstance(server, Vsftpd) and server.protocol == "ftps":
        authority = server.folder / "authority.pem"
        authority.write_bytes(server.certificate.pem)
        lines = [*_LFTP, "set ftp:ssl-force yes", "set ftp:ssl-protect-data yes", f"set ssl:ca-file {authority}"]
        # With TLS 1.3 it closes while the server's tickets lie unread: the file is cut off, and vsftpd answers 426.
        lines.append("set ssl:priority NORMAL:-VERS-TLS1.3")
    lines.append(f"open -u {server.user},{server.password} ftp://{server.host}:{place.port}")
    lines.append(f"mirror -R --no-perms --no-umask --parallel={load.sessions} {source} {path}")
    return ["lftp", "-c", "; ".join([*lines, "bye"])]


def _sftp(place: Place, load: Load, path: str, source: Path) -> list[list[str]]:
    server = place.server
    key = source.parent / f"key-{server.port}"
    if not key.exists():
        key.touch(0o600)
        key.write_text(server.private_key)
    options = ["StrictHostKeyChecking=no", f"UserKnownHostsFile={os.devnull}", "IdentitiesOnly=yes", "LogLevel=ERROR"]
    argv = ["sftp", "-q", "-i", f"{key}", "-P", f"{place.port}", *(f"-o{option}" for option in options)]
    commands, names = [], sorted(file.name for file in source.iterdir())
    for number in range(load.sessions):
        batch = source.parent / f"{source.name}-{number}-of-{load.sessions}"
        puts = (
            f"put {source}/{name} {path}/{name}.part\nrename {path}/{name}.part {path}/{name}\n"
            for name in names[number :: load.sessions]
        )
        batch.write_text("".join(puts))
        commands.append([*argv, "-b", f"{batch}", f"{server.user}@{server.host}"])
    return commands


def _seconds(commands: list[list[str]]) -> float:
    begin = time.perf_counter()
    running = [
        subprocess.Popen(
            argv, env=clean_env(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        for argv in commands
    ]
    try:
        said = [process.communicate(timeout=TIMEOUT_SECONDS)[1] for process in running]
    except subprocess.TimeoutExpired:
        for process in running:
            process.kill()
            process.wait()
        raise Broken(f"{commands[0][0]} took longer than {TIMEOUT_SECONDS} seconds.") from None
    seconds = time.perf_counter() - begin
    if any(process.returncode for process in running):
        raise Broken(f"{commands[0][0]} failed: {b' '.join(said)[-500:].decode(errors='replace')}")
    return seconds
