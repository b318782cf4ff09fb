"""Staff: their roles, their second factor, and what they changed."""

from hemi.lib.changes import ConfigurationChange
from hemi.models.roles import FailedLogin, Role, StaffMember
from hemi.models.second_factors import Authenticator, RecoveryCode

__all__ = ["Authenticator", "ConfigurationChange", "FailedLogin", "RecoveryCode", "Role", "StaffMember"]
