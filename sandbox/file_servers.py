"""The kinds of file server that a supplier may have."""

from sandbox.file_server import FileServer
from sandbox.ftp import FtpSandbox
from sandbox.ftps import FtpsSandbox, ImplicitFtpsSandbox
from sandbox.sftp import SftpSandbox

KINDS: dict[str, type[FileServer]] = {
    kind.protocol: kind for kind in (FtpSandbox, FtpsSandbox, ImplicitFtpsSandbox, SftpSandbox)
}
