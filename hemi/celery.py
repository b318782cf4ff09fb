"""The Celery app with its two queues and the whole beat schedule."""

import gc
import os
import sys

from celery import Celery, signals
from django.db import close_old_connections
from django.utils.module_loading import import_string
from kombu import Queue

from hemi import canary

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hemi.settings")

app = Celery("hemi")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    task_ignore_result=True,
    task_default_queue="work",
    task_queues=[Queue("work"), Queue("delivery")],
    # Suppliers that hang must not hold up webhooks, routing or installs.
    task_routes={
        "suppliers.deliver": {"queue": "delivery"},
        "suppliers.collect_replies": {"queue": "delivery"},
        "suppliers.check_endpoint": {"queue": "delivery"},
        "hemi.pulse_delivery": {"queue": "delivery"},
    },
    worker_enable_remote_control=False,
    worker_prefetch_multiplier=4,
    broker_connection_retry_on_startup=True,
    task_store_errors_even_if_ignored=False,
)
app.autodiscover_tasks()

# Celery would close the database's connection before and after each task, and making one costs more than most tasks.
# Kept ones are looked at before each task, as Django does it before each request.
app.conf["CELERY_DB_REUSE_MAX"] = sys.maxsize


@signals.task_prerun.connect
def _check_connections(**_: object) -> None:
    close_old_connections()


@signals.setup_logging.connect
def _leave_logging_alone(**_: object) -> None:
    """Keep the settings' loggers: without a receiver Celery gives the root logger a level of its own."""


@signals.worker_init.connect
@signals.beat_init.connect
def check_keys(**kwargs: object) -> None:
    """Stop at the start if the keys do not fit the database."""
    canary.check_or_exit()


@signals.worker_init.connect
def _spare_what_stays(**_: object) -> None:
    """Keep the garbage collector off what the start has made: a tenth of a second at each full collection."""
    gc.collect()
    gc.freeze()


@signals.beat_init.connect
def _let_beat_be_heard(**_: object) -> None:
    # The models can be imported only now that Django is set up.
    process = import_string("hemi.pulse.BeatProcess")()
    signals.after_task_publish.connect(process.sent, weak=False)


# A sweep expires before the next one is due: a stopped worker finds one, not thousands.
SWEEPS = {
    "hemi.pulse": 15,
    "hemi.pulse_delivery": 15,
    "integrations.process_events": 5,
    "integrations.exchange_codes": 5,
    "integrations.send_install_mails": 5,
    "integrations.expire_links": 60,
    "integrations.remind_clients": 60,
    "integrations.finish_disconnections": 15,
    "integrations.follow_renames": 15,
    "integrations.subscribe_webhooks": 15,
    "integrations.renew_tokens": 30,
    "integrations.send_alerts": 15,
    "integrations.answer_privacy_requests": 60,
    "integrations.check_accounts": 60,
    "integrations.export_collections": 10,
    "integrations.expire_exports": 600,
    "integrations.forget_signatures": 300,
    "integrations.forget_old_secrets": 60,
    "integrations.forget_refused_requests": 3600,
    "integrations.thin": 1800,
    "orders.reread": 10,
    "orders.reconcile": 30,
    "orders.fetch": 10,
    "orders.fulfil": 10,
    "orders.tell_untold": 60,
    "orders.compare_days": 60,
    "orders.expire_lookups": 600,
    "suppliers.route": 5,
    "suppliers.render": 5,
    "suppliers.sweep_deliveries": 5,
    "suppliers.sweep_replies": 5,
    "suppliers.sweep_checks": 5,
    "suppliers.apply_replies": 5,
    "suppliers.tell_overdue": 60,
    "suppliers.tell_unread": 60,
    "suppliers.thin": 1800,
}
app.conf.beat_schedule = {
    name: {"task": name, "schedule": seconds, "options": {"expires": seconds}} for name, seconds in SWEEPS.items()
}
