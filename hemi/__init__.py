"""Hemi, the back office of an integration company: the composition root."""

from hemi.celery import app as celery_app

__all__ = ["celery_app"]
