"""What Celery runs for Hemi as a whole: the heartbeats of its workers."""

from celery import shared_task

from hemi import pulse


@shared_task(name="hemi.pulse")
def work() -> None:
    """Say that this worker works, and count what came in."""
    pulse.work()


@shared_task(name="hemi.pulse_delivery")
def delivery() -> None:
    """Say that the worker of deliveries works."""
    pulse.beat(pulse.DELIVERY)
