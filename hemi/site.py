"""The admin site."""

from unfold.sites import UnfoldAdminSite


class HemiAdminSite(UnfoldAdminSite):
    """Unfold's site under Hemi's name."""
