"""Rename one file while the next is uploaded, with as few round trips as the promise of the drop allows.

Over FTP three a file: EPSV together with the SIZEs of the file before; the rename of that file, STOR and the data; the
reply to them. Over SFTP two (sftp_line.py). Never more than one rename is under way: a server carries out what it was
sent after its client has died.
"""

import contextlib
import ftplib
import re
import ssl
from socket import socket

from suppliers.transports import channels
from suppliers.transports.errors import Kind, TransportError
from suppliers.transports.ftp import FtpSession
from suppliers.transports.session import Session
from suppliers.transports.sftp import SftpSession
from suppliers.transports.sftp_line import SftpLine
from suppliers.transports.steps import Done, Line, PlainLine, Rename, Upload, look

EARLY_BYTES = 32_768  # sent before the server has said that it wants them; where it does not, they are lost


def line(session: Session) -> Line:
    """Return the best way that the session's server allows."""
    if isinstance(session, FtpSession) and session.server.profile.can_pipeline:
        return FtpLine(session)
    if isinstance(session, SftpSession) and session.server.profile.can_pipeline:
        return SftpLine(session)
    return PlainLine(session)


class FtpLine:
    """Commands that do not need each other's replies leave together."""

    def __init__(self, session: FtpSession) -> None:
        self._session = session
        session.waiting_port = None  # of a former line; the server may have given it up since

    def step(self, rename: Rename | None, upload: Upload | None) -> Done:
        """Rename and upload at once, then ask for both sizes and the next port at once."""
        if "SIZE" in self._session.missing:
            return PlainLine(self._session).step(rename, upload)
        done = Done(rename_error=self._fault(rename))
        rename = None if done.rename_error else rename
        try:
            if upload:
                with self._session.limited():
                    self._carry(rename, upload, done)
                self._verify(upload, done)
        except TransportError as error:
            done.upload_error = error
            self._session.waiting_port = None
        if rename and not done.is_rename_sent:
            self._rename(rename, done)
        return done

    def _fault(self, rename: Rename | None) -> TransportError | None:
        try:
            for path in (rename.old, rename.new) if rename else ():
                self._session.check(path)
        except TransportError as error:
            return error
        return None

    def _rename(self, rename: Rename, done: Done) -> None:
        session = self._session
        try:
            with session.step("rename", lost=Kind.UNCERTAIN):
                session.wire.send(f"RNFR {rename.old}", f"RNTO {rename.new}")
            done.rename_error = self._read_rename()
        except TransportError as error:
            done.rename_error = error

    def _carry(self, rename: Rename | None, upload: Upload, done: Done) -> None:
        session = self._session
        session.check(upload.temporary)
        session.check(upload.final)
        with session.step("upload"):
            port, session.waiting_port = (
                session.waiting_port or channels.ask_for_port(session.wire, session.missing),
                None,
            )
            connection = channels.begin(session.wire, port)
        renaming = [f"RNFR {rename.old}", f"RNTO {rename.new}"] if rename else []
        with connection:
            if rename:  # until the replies are read
                done.is_rename_sent = True
                done.rename_error = TransportError(Kind.UNCERTAIN, "The connection failed (rename).", "rename")
            with session.step("upload"):
                session.wire.send(*renaming, f"STOR {upload.temporary}")
            self._store(connection, rename, upload.content, done)

    def _store(self, connection: socket, rename: Rename | None, content: bytes, done: Done) -> None:
        session, wire = self._session, self._session.wire
        failure: OSError | None = None
        is_early = len(content) <= EARLY_BYTES and not isinstance(wire.sock, ssl.SSLSocket)
        try:
            channel = channels.finish(connection, session.server)
            if is_early:
                channel.send(content)
        except OSError as error:
            failure = error
        if rename:
            done.rename_error = self._read_rename()
        with session.step("upload"):
            wire.expect("1")  # that it wants the file, or why not
            if failure:
                raise failure
            with channel:
                if not is_early:
                    self._send(channel, content)
                wire.voidresp()

    def _send(self, channel: channels.DataChannel, content: bytes) -> None:
        try:
            channel.secure(self._session.wire, self._session.seen)
            channel.send(content)
        except OSError:
            self._session.wire.voidresp()  # the server may say why, such as 452
            raise

    def _read_rename(self) -> TransportError | None:
        """Read both replies. As both commands were sent, a connection lost at either leaves the rename in doubt."""
        found: TransportError | None = None
        for code in ("350", "250"):
            try:
                with self._session.step("rename", lost=Kind.UNCERTAIN):
                    self._session.wire.expect(code)
            except TransportError as error:
                found = found or error
        if found and self._session.is_broken:
            found.kind = Kind.UNCERTAIN
        return found

    def _verify(self, upload: Upload, done: Done) -> None:
        session = self._session
        has_port = "EPSV" not in session.missing
        with session.step("size"):
            commands = [f"SIZE {upload.temporary}", f"SIZE {upload.final}"]
            session.wire.send(*commands, *(["EPSV"] if has_port else []))
        replies = [self._read() for _ in commands]
        if has_port:
            self._read_port()
        temporary, final = (self._words(reply) for reply in replies)
        told = re.match(r"213 +(\d{1,18})\b", temporary)
        if told and final[:3] in ("213", "550"):
            done.size, done.is_taken = int(told[1]), final.startswith("213")
        else:
            look(session, upload, done)

    def _read(self) -> str | TransportError:
        """Read a reply to SIZE; what went wrong is kept until the other replies are read, too."""
        try:
            with self._session.step("size"):
                try:
                    return self._session.wire.getresp()
                except ftplib.error_perm as error:
                    return str(error)
        except TransportError as error:
            return error

    @staticmethod
    def _words(reply: str | TransportError) -> str:
        if isinstance(reply, TransportError):
            raise reply
        return reply

    def _read_port(self) -> None:
        with contextlib.suppress(TransportError), self._session.step("upload"):
            self._session.waiting_port = channels.port_in(self._session.wire.getresp())
