"""What a file server of the sandbox can and cannot do."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FtpOptions:
    """Say what a server can do; the defaults are those of a friendly one."""

    allow_overwrite: bool = True
    has_size: bool = True
    has_mlsd: bool = True
    can_list: bool = True
    can_rename_inbound: bool = True
    has_sweeper: bool = False

    @property
    def missing_commands(self) -> frozenset[str]:
        """Return the commands that are answered with 502."""
        missing = set() if self.has_size else {"SIZE"}
        return frozenset(missing if self.has_mlsd else missing | {"MLSD", "MLST"})
