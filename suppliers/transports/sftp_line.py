"""Bring many files over one SFTP session in two round trips each, where one request after the other takes six.

The rename of one file leaves together with the opening of the next, and the looks at both of its names together with
its last block. Servers answer requests about one file in order (draft-ietf-secsh-filexfer-02, 6.1); where the size
that comes back is not the one sent, it is asked for once more, after the file was closed.
"""

from suppliers.transports import sftp_wire as wire
from suppliers.transports.errors import Kind, TransportError
from suppliers.transports.sftp import SftpSession
from suppliers.transports.steps import Done, PlainLine, Rename, Upload, look


class SftpLine:
    """Requests that do not need each other's replies leave together."""

    def __init__(self, session: SftpSession) -> None:
        self._session = session

    def step(self, rename: Rename | None, upload: Upload | None) -> Done:
        """Rename and open at once, then write, close and look at once."""
        if not self._session.server.profile.has_size:
            return PlainLine(self._session).step(rename, upload)
        done = Done()
        renaming = self._begin_rename(rename, done) if rename else None
        opening = self._begin_upload(upload, done) if upload else None
        if rename and renaming is not None:
            self._end_rename(rename, renaming, done)
        if upload and opening is not None:
            self._end_upload(upload, opening, done)
        return done

    def _begin_rename(self, rename: Rename, done: Done) -> int | None:
        session = self._session
        try:
            names = session.encoded(rename.old), session.encoded(rename.new)
            with session.step("rename", lost=Kind.UNCERTAIN):
                return session.wire.send(wire.RENAME, *names)
        except TransportError as error:
            done.rename_error = error
            return None

    def _end_rename(self, rename: Rename, number: int, done: Done) -> None:
        session = self._session
        try:
            with session.step("rename", lost=Kind.UNCERTAIN):
                session.confirm_rename(number, rename.old, rename.new)
        except TransportError as error:
            if session.is_broken:  # by the request that followed: the rename had left all the same
                error.kind = Kind.UNCERTAIN
            done.rename_error = error

    def _begin_upload(self, upload: Upload, done: Done) -> int | None:
        session = self._session
        try:
            session.encoded(upload.final)
            with session.step("upload"):
                return session.begin_upload(upload.temporary)
        except TransportError as error:
            done.upload_error = error
            return None

    def _end_upload(self, upload: Upload, number: int, done: Done) -> None:
        session = self._session
        try:
            with session.step("upload"), session.limited():
                handle = session.opened(number)
                looks = session.write(handle, upload.content, (upload.temporary, upload.final))
            with session.step("size"):
                temporary, final = (session.attributes(look) for look in looks)
            is_told = temporary and not temporary.is_folder and temporary.size == len(upload.content)
            if is_told and (final is None or final.is_folder or final.size is not None):
                done.size, done.is_taken = len(upload.content), final is not None and not final.is_folder
            else:
                look(session, upload, done)
        except TransportError as error:
            done.upload_error = error
