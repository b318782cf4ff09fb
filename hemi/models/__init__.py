"""Staff: their roles, their second factor, and what they changed; and what the processes say of themselves."""

from hemi.lib.changes import ConfigurationChange
from hemi.models.pulse import Heartbeat, Tally
from hemi.models.roles import FailedLogin, Role, StaffMember
from hemi.models.second_factors import Authenticator, RecoveryCode

__all__ = [
    "Authenticator",
    "ConfigurationChange",
    "FailedLogin",
    "Heartbeat",
    "RecoveryCode",
    "Role",
    "StaffMember",
    "Tally",
]
