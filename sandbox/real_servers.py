"""vsftpd and OpenSSH's sshd on loopback, each with a configuration, a key and a folder of its own.

They end with whoever started them and leave nothing behind. Where root may mount, sshd has a user with a password, who
exists only in its own view of the machine, and changes its root; elsewhere it lets in whoever started it, by key only.
"""

import contextlib
import ctypes
import getpass
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import Self

import asyncssh

from sandbox import certificates
from sandbox.certificates import Certificate
from sandbox.sockets import HOST, listen

VSFTPD, SSHD, UNSHARE = "/usr/sbin/vsftpd", "/usr/sbin/sshd", "/usr/bin/unshare"
START_SECONDS = 10
_NAMESPACES = ("--mount", "--pid", "--fork", "--kill-child")
SSH_USER, SSH_USER_ID = "hemi-supplier", 64_998


class NotStarted(RuntimeError):
    """Say why a real server is not up."""


class RealServer:
    """A server program on a free port; orders come into `in`, replies lie in `out`."""

    protocol = ""
    identity = ""
    user, password = "", "right-password"
    private_key = ""

    def __init__(self) -> None:
        self.host, self.port = HOST, 0
        self.folder = Path(tempfile.mkdtemp(prefix="hemi-server-"))
        self.folder.chmod(0o755)
        self.root = self.folder / "files"
        self._process: subprocess.Popen | None = None
        for path in (self.root, self.orders_folder, self.replies_folder):
            path.mkdir()

    @property
    def orders_folder(self) -> Path:
        """Return the folder into which orders are uploaded."""
        return self.root / "in"

    @property
    def replies_folder(self) -> Path:
        """Return the folder in which replies lie."""
        return self.root / "out"

    @property
    def is_running(self) -> bool:
        """Tell whether the server is up."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Start, or come back on the same port. Raises NotStarted."""
        if not self.port:
            with listen(0) as free:
                self.port = free.getsockname()[1]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                _alone(self._command()), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self._wait_until_up()
        return self

    def stop(self) -> None:
        """End the server and every session; files stay where they are."""
        if self._process:
            children = _children(self._process.pid)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None
            _wait_until_gone(children)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_exception: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _command(self) -> list[str]:
        raise NotImplementedError

    def _give_to(self, user: int) -> None:
        for path in (self.orders_folder, self.replies_folder):
            os.chown(path, user, -1)

    def _wait_until_up(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while self.is_running and time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection((self.host, self.port), timeout=1):
                return
            time.sleep(0.02)
        self.stop()
        raise NotStarted(f"{type(self).__name__} did not start: {(self.folder / 'log').read_text()[-500:]}")


class Vsftpd(RealServer):
    """vsftpd, which takes no login and no file without TLS, nor a data channel without the control's TLS session."""

    user = "anonymous"  # the one user whom vsftpd checks by a list of its own
    _OPTIONS = {
        "background": "NO",
        "listen": "YES",
        "listen_address": HOST,
        "anonymous_enable": "YES",
        "local_enable": "NO",
        "secure_email_list_enable": "YES",
        "write_enable": "YES",
        "anon_upload_enable": "YES",
        "anon_mkdir_write_enable": "YES",
        "anon_other_write_enable": "YES",
        "anon_world_readable_only": "NO",
        "anon_umask": "022",
        "delay_failed_login": "0",
        "seccomp_sandbox": "NO",
        "xferlog_enable": "NO",
    }
    _TLS = {
        "ssl_enable": "YES",
        "allow_anon_ssl": "YES",
        "force_anon_logins_ssl": "YES",
        "force_anon_data_ssl": "YES",
        "require_ssl_reuse": "YES",
        "strict_ssl_read_eof": "YES",
        "ssl_ciphers": "HIGH",
    }

    def __init__(self, protocol: str = "ftps", certificate: Certificate | None = None) -> None:
        super().__init__()
        self.protocol = protocol
        self.certificate = certificate or certificates.make()
        self.identity = self.certificate.fingerprint if protocol != "ftp" else ""
        (self.folder / "empty").mkdir()
        (self.folder / "server.pem").write_bytes(self.certificate.pem_with_key)
        (self.folder / "passwords").write_text(f"{self.password}\n")
        self._give_to(pwd.getpwnam("ftp").pw_uid)

    @staticmethod
    def is_available() -> bool:
        """Tell whether it is installed and may be started."""
        return Path(VSFTPD).exists() and os.geteuid() == 0

    def _command(self) -> list[str]:
        options = self._OPTIONS | {
            "listen_port": str(self.port),
            "anon_root": str(self.root),
            "secure_chroot_dir": str(self.folder / "empty"),
            "email_password_file": str(self.folder / "passwords"),
        }
        if self.protocol != "ftp":
            options |= self._TLS | {"rsa_cert_file": str(self.folder / "server.pem")}
        if self.protocol == "ftps_implicit":
            options["implicit_ssl"] = "YES"
        path = self.folder / "vsftpd.conf"
        path.write_text("".join(f"{name}={value}\n" for name, value in options.items()))
        return [VSFTPD, str(path)]


class Sshd(RealServer):
    """OpenSSH's sshd with SFTP alone. `private_key` logs in everywhere, the password where `has_password`."""

    protocol = "sftp"

    def __init__(self) -> None:
        super().__init__()
        self.has_password = os.geteuid() == 0 and _may_mount()
        self.user = SSH_USER if self.has_password else getpass.getuser()
        host_key, client_key = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
        self.identity = host_key.get_fingerprint()
        self.private_key = client_key.export_private_key().decode()
        host_key.write_private_key(self.folder / "host_key")
        (self.folder / "host_key").chmod(0o600)
        client_key.write_public_key(self.folder / "authorized_keys")
        if self.has_password:
            self._make_user()

    @staticmethod
    def is_available() -> bool:
        """Tell whether it is installed."""
        return Path(SSHD).exists()

    def _make_user(self) -> None:
        scrambled = _scrambled(self.password)
        lines = {
            "passwd": f"{SSH_USER}:x:{SSH_USER_ID}:{SSH_USER_ID}::/:/bin/sh\n",
            "shadow": f"{SSH_USER}:{scrambled}:20000:0:99999:7:::\n",
            "group": f"{SSH_USER}:x:{SSH_USER_ID}:\n",
        }
        for name, line in lines.items():
            path = self.folder / name
            path.write_text(Path("/etc", name).read_text() + line)
            path.chmod(0o644 if name != "shadow" else 0o600)
        self._give_to(SSH_USER_ID)

    def _command(self) -> list[str]:
        lines = [
            f"Port {self.port}",
            f"ListenAddress {self.host}",
            f"HostKey {self.folder}/host_key",
            f"AuthorizedKeysFile {self.folder}/authorized_keys",
            f"PasswordAuthentication {'yes' if self.has_password else 'no'}",
            f"ForceCommand internal-sftp -d {'/' if self.has_password else self.root}",
            "KbdInteractiveAuthentication no",
            "PermitRootLogin prohibit-password",
            "PidFile none",
            "UsePAM no",
            "UseDNS no",
            "StrictModes no",
            "MaxStartups 100",
            "LogLevel ERROR",
            "Subsystem sftp internal-sftp",
        ]
        path = self.folder / "sshd_config"
        start = f"exec {SSHD} -D -e -f {path}"
        if self.has_password:
            lines.append("ChrootDirectory /mnt")
            names = ("passwd", "shadow", "group")
            mounts = [f"mount --bind {self.folder}/{name} /etc/{name}" for name in names]
            mounts += [f"mount --rbind {self.root} /mnt", "mount -t tmpfs tmpfs /run", "mkdir /run/sshd"]
            start = " && ".join([*mounts, start])
        elif os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        path.write_text("\n".join([*lines, ""]))
        return ["/bin/sh", "-c", start]


def _alone(command: list[str]) -> list[str]:
    """Return the command in namespaces of its own, so that its sessions end with it."""
    if not _may_mount():
        return command
    # The shell is the first process there: it takes care of orphans, which vsftpd would die of.
    return [UNSHARE, *_NAMESPACES, "/bin/sh", "-c", '"$@"; exit $?', "sh", *command]


@cache
def _may_mount() -> bool:
    if os.geteuid() != 0 or not Path(UNSHARE).exists():
        return False
    probe = [UNSHARE, *_NAMESPACES, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


def _children(process: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:
        return []


def _wait_until_gone(processes: list[int]) -> None:
    """Wait for the first process of a namespace, which goes last: until then a session may still carry out a rename."""
    deadline = time.monotonic() + START_SECONDS
    for process in processes:
        with contextlib.suppress(OSError):
            while time.monotonic() < deadline:
                if Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                    break
                time.sleep(0.005)


def _scrambled(password: str) -> str:
    crypt = ctypes.CDLL("libcrypt.so.1").crypt
    crypt.restype = ctypes.c_char_p
    return crypt(password.encode(), b"$6$sandbox$").decode()
