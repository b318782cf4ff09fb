"""The pages about staff: who they are, what they may do, who is locked out, and what was changed."""

from hemi.admin import configuration_changes, locked_out, people

__all__ = ["configuration_changes", "locked_out", "people"]
