"""The main job as a story: what staff, a client, buyers and suppliers do, each step with its evidence."""

from sandbox.story.play import play
from sandbox.story.report import Report, Step
from sandbox.story.stage import Stage

__all__ = ["Report", "Stage", "Step", "play"]
