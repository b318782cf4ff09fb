"""One client's session with an FTP server of the sandbox, faults included."""

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from pyftpdlib.handlers import DTPHandler, FTPHandler

from sandbox.ftp_faults import Fault, Faults
from sandbox.ftp_ledger import Ledger
from sandbox.ftp_options import FtpOptions

# Without a handler of its own pyftpdlib sets up one that writes every session to stderr.
logger = logging.getLogger("pyftpdlib")
logger.addHandler(logging.NullHandler())
logger.setLevel(logging.WARNING)


LISTINGS = {"LIST", "NLST", "MLSD"}
HOLD_SECONDS = 0.02  # between two looks whether a hold is over


class Server(Protocol):
    """Name what a session needs from the server that it belongs to."""

    faults: Faults
    ledger: Ledger
    options: FtpOptions
    replies_folder: Path

    def file_arrived(self, path: Path) -> None:
        """Learn that a file was uploaded or renamed."""


class Transfer(DTPHandler):
    """Carry one file over a data channel, whole or as a fault wants it."""

    def handle_read(self) -> None:
        """Take in a part of an upload; cut the session in its middle where a fault says so."""
        super().handle_read()
        fault = self.cmd_channel.transfer_fault
        if fault and fault.moment == "during" and self.tot_bytes_received:
            self._keep_half()
            self.cmd_channel.stop_during_transfer(fault)

    # pyftpdlib's loop calls this name, which its own class binds to its own handle_read.
    handle_read_event = handle_read

    def close(self) -> None:
        """End the transfer; its final reply belongs to the transfer's command, not to a later one."""
        if self._closed:
            return
        fault = self.cmd_channel.transfer_fault
        if fault and fault.short:
            self._keep_half()
        self.cmd_channel.is_ending_transfer = True
        super().close()
        self.cmd_channel.is_ending_transfer = False

    def _keep_half(self) -> None:
        if self.file_obj is None or self.file_obj.closed:
            return
        self.file_obj.flush()
        self.file_obj.truncate(os.fstat(self.file_obj.fileno()).st_size // 2)


class Session(FTPHandler):
    """Serve one client; each server makes a subclass of its own with its `sandbox`."""

    sandbox: Server
    dtp_handler = Transfer
    auth_failed_timeout = 0.02

    def __init__(self, conn: Any, server: Any, ioloop: Any = None) -> None:
        self.number = self.sandbox.ledger.count_session()
        self.transfer_fault: Fault | None = None
        self.is_ending_transfer = False
        self._is_mute = False
        self._held: Fault | None = None
        self._waiting: list[Callable[[], None]] = []  # what is done once the hold is over
        self._fault: Fault | None = None
        self._entry: list = []
        self._transfer_entry: list = []
        super().__init__(conn, server, ioloop=ioloop)

    def handle(self) -> None:
        """Greet the client, unless a fault on CONNECT does something else."""
        fault = self.sandbox.faults.take("CONNECT")
        if fault is None:
            super().handle()
            return
        if fault.hold:
            self._hold(fault, super().handle)
            return
        self._play(fault)
        if fault.reply:
            self.close_when_done()

    def pre_process_command(self, line: str, cmd: str, arg: str) -> None:
        """Log a command, then refuse it, spoil it or carry it out."""
        if self._is_mute:
            return
        if self._held:
            self._waiting.append(lambda: self.pre_process_command(line, cmd, arg))
            return
        told = "" if cmd == "PASS" else arg
        self._entry = self.sandbox.ledger.record(self.number, cmd, told)
        self._fault = self.sandbox.faults.take(cmd, told)
        if self._fault and self._fault.hold == "before":
            fault, self._fault = self._fault, None
            self._hold(fault, lambda: self._carry_out(line, cmd, arg))
        elif self._fault and self._fault.moment == "before":
            self._play(self._fault)
        else:
            self._carry_out(line, cmd, arg)

    def _carry_out(self, line: str, cmd: str, arg: str) -> None:
        if cmd in self.sandbox.options.missing_commands:
            self.respond("502 Command not implemented.")
        elif cmd in LISTINGS and not self.sandbox.options.can_list:
            self.respond("550 Permission denied.")
        else:
            super().pre_process_command(line, cmd, arg)

    def respond(self, resp: str, logfun: Any = logger.debug) -> None:
        """Answer the client, unless a fault swallows or changes the reply."""
        is_preliminary = resp.startswith("1")
        if is_preliminary:
            self._transfer_entry, self.transfer_fault = self._entry, self._fault
            self._fault = None
        fault = self.transfer_fault if self.is_ending_transfer else self._fault
        if fault and fault.moment == "after" and not is_preliminary:
            if fault.hold:
                self._forget_fault()
                self._hold(fault, lambda: self.respond(resp, logfun))
                return
            resp = self._spoiled(fault, resp)
        if self._is_mute:
            return
        if not is_preliminary:
            self._note(int(resp[:3]))
        super().respond(resp, logfun=logfun)

    def push(self, data: str) -> None:
        """Send text to the client while the session is neither cut nor hung."""
        if not self._is_mute:
            super().push(data)

    def cut(self) -> None:
        """Drop the connection without another word."""
        self._is_mute = True
        # At once would pull the data channel away under pyftpdlib, which is still working on it.
        self.ioloop.call_later(0, self.close)

    def stop_during_transfer(self, fault: Fault) -> None:
        """Cut the session, or let it wait for ever, while a file is half there."""
        if fault.hold:
            self._is_mute = True
        else:
            self.cut()

    def ftp_RNFR(self, path: str) -> None:
        """Begin a rename, unless replies may not be renamed here."""
        if not self.sandbox.options.can_rename_inbound and Path(path).parent == self.sandbox.replies_folder:
            self.respond("550 Permission denied.")
        else:
            super().ftp_RNFR(path)

    def ftp_RNTO(self, path: str) -> None:
        """Rename, onto an existing file only where the server allows it."""
        if not self.sandbox.options.allow_overwrite and os.path.lexists(path):
            self._rnfr = None
            self.respond("550 File exists.")
        elif super().ftp_RNTO(path):
            self.sandbox.file_arrived(Path(path))

    def on_file_received(self, file: str) -> None:
        """Tell the sandbox that an upload has ended."""
        self.sandbox.file_arrived(Path(file))

    def handle_auth_success(self, home: str, password: str, msg_login: str) -> None:
        """Count a login, before the client hears of it."""
        self.sandbox.ledger.count_login(accepted=True)
        super().handle_auth_success(home, password, msg_login)

    def handle_auth_failed(self, msg: str, password: str) -> None:
        """Count a login that is refused, before the client hears of it."""
        self.sandbox.ledger.count_login(accepted=False)
        super().handle_auth_failed(msg, password)

    def _hold(self, fault: Fault, work: Callable[[], None]) -> None:
        self._held = fault
        self._waiting = [work]
        self._look_again()

    def _look_again(self) -> None:
        """Go on where the hold is over; whoever has left in the meantime leaves nothing to be done."""
        if self._closed or self._held is None:
            return
        if not self._held.is_released:
            self.ioloop.call_later(HOLD_SECONDS, self._look_again)
            return
        self._held, waiting = None, self._waiting
        self._waiting = []
        for work in waiting:
            work()

    def _play(self, fault: Fault) -> None:
        reply = self._spoiled(fault, "")
        if reply:
            self.respond(reply)

    def _spoiled(self, fault: Fault, reply: str) -> str:
        self._forget_fault()
        if fault.cut:
            self.cut()
        self._is_mute = self._is_mute or fault.hang
        if fault.reply:
            code, text = fault.reply
            return f"{code} {text}"
        return reply

    def _forget_fault(self) -> None:
        if self.is_ending_transfer:
            self.transfer_fault = None
        self._fault = None

    def _note(self, code: int) -> None:
        entry = self._transfer_entry if self.is_ending_transfer else self._entry
        if entry and entry[-1] is None:
            entry[-1] = code
