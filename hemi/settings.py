"""Every setting, read once from the environment (and from `.env` where present); `.env.example` lists them."""

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from hemi.lib import filebroker, keyfile, reading

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
ENV_FILE = Path(env.str("HEMI_ENV_FILE", default=str(BASE_DIR / ".env")))  # demo and tests name none
if ENV_FILE.is_file():
    env.read_env(ENV_FILE)

VAR_DIR = reading.folder("HEMI_VAR", env.str("HEMI_VAR", default=str(BASE_DIR / "var")))

DEBUG = reading.switch("DEBUG", env.str("DEBUG", default="false"))
SANDBOX = reading.switch("HEMI_SANDBOX", env.str("HEMI_SANDBOX", default="false"))
IS_EMBEDDED = not env.str("DATABASE_URL", default="")

HAS_KEY_FILE = IS_EMBEDDED and not env.str("FIELD_ENCRYPTION_KEY", default="")
if HAS_KEY_FILE:
    _keys = keyfile.load(VAR_DIR / "keys.env")
else:
    _keys = {name: env.str(name, default="") for name in ("SECRET_KEY", "FIELD_ENCRYPTION_KEY")}
    for _name, _value in _keys.items():
        if not _value:
            raise ImproperlyConfigured(f"{_name} is not set. Put it into .env; .env.example says how to make one.")
SECRET_KEY = _keys["SECRET_KEY"]
FIELD_ENCRYPTION_KEY = [key.strip() for key in _keys["FIELD_ENCRYPTION_KEY"].split(",") if key.strip()]

HEMI_BASE_URL = env.str("HEMI_BASE_URL", default="").rstrip("/")
HEMI_LANDING_URL = env.str("HEMI_LANDING_URL", default="https://hemi.ai")
_host = urlsplit(HEMI_BASE_URL).hostname
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", *([_host] if _host else [])])

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",  # the default one would replace our admin site
    "unfold.contrib.filters",
    "hemi.apps.HemiAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "axes",
    "django_otp",
    "encrypted_model_fields",
    "hemi.apps.HemiConfig",
    "integrations.apps.IntegrationsConfig",
    "orders.apps.OrdersConfig",
    "suppliers.apps.SuppliersConfig",
]

MACHINE_PATHS = (
    "/shopify/webhooks/",
    "/shopline/ask/",
    "/shopline/proxy",
    "/storefront/",
    "/healthz",
    "/readyz",
    "/metrics",
)
MIDDLEWARE = [
    "hemi.lib.machine_lane.MachineLane",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "hemi.lib.actors.Actors",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "hemi.lib.page_policy.PagePolicy",
    "hemi.second_factor_gate.SecondFactorGate",
    "hemi.lib.too_large.RefusesTooLarge",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "hemi.urls"
WSGI_APPLICATION = "hemi.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

SQLITE_TIMEOUT_SECONDS = 20
_database = reading.address(
    "DATABASE_URL",
    env.str("DATABASE_URL", default=""),
    "postgres://hemi:secret@localhost/hemi",
    ("postgres", "postgresql", "psql", "pgsql", "sqlite"),
)
DATABASES = {"default": env.db_url_config(_database or f"sqlite:///{VAR_DIR}/hemi.sqlite3")}
if DATABASES["default"]["NAME"] in ("", ":memory:"):  # each process would have its own
    raise ImproperlyConfigured("DATABASE_URL names no database. Write such as postgres://hemi:secret@localhost/hemi.")
DATABASES["default"]["CONN_MAX_AGE"] = None
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # FULL, not NORMAL: an accepted webhook and a recorded rename must survive a power cut.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": SQLITE_TIMEOUT_SECONDS,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
    }
    DATABASES["default"]["TEST"] = {"NAME": str(VAR_DIR / "test.sqlite3")}  # on disk: tests use threads and processes
else:
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    # A server that is cut off must not hold every thread for minutes.
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": 5,
        "tcp_user_timeout": 30_000,
        **DATABASES["default"].get("OPTIONS", {}),
        "options": "-c lock_timeout=10000",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

_cache = reading.address(
    "CACHE_URL", env.str("CACHE_URL", default=""), "redis://localhost:6379/1", environ.Env.CACHE_SCHEMES
)
CACHES = {"default": env.cache_url_config(_cache or "locmemcache://")}

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
LOCALE_PATHS = [BASE_DIR / "locale"]  # only what shoppers read is translated
FORMAT_MODULE_PATH = "hemi.formats"
STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("HEMI_STATIC", default=str(VAR_DIR / "static")))  # a release has its own
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "/admin/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# Who gets in
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
TRUSTED_PROXIES = reading.networks("TRUSTED_PROXIES", env.list("TRUSTED_PROXIES", default=[]))
REQUIRE_SECOND_FACTOR = reading.switch("REQUIRE_SECOND_FACTOR", env.str("REQUIRE_SECOND_FACTOR", default="false"))
AXES_HANDLER = "hemi.lockouts.Tries"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"], "ip_address", "username"]  # lockouts.FACTORS stand beside them
AXES_FAILURE_LIMIT = reading.number("LOGIN_TRIES", env.str("LOGIN_TRIES", default="5"), least=1)
AXES_COOLOFF_TIME = timedelta(
    minutes=reading.number("LOGIN_LOCK_MINUTES", env.str("LOGIN_LOCK_MINUTES", default="15"), least=1)
)
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # or whoever goes on guessing would lock a colleague out for ever
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "hemi.lib.visitors.counted"
AXES_LOCKOUT_CALLABLE = "hemi.lockouts.page"
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "csrfmiddlewaretoken"]
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False  # its page is in Hemi's look
AXES_VERBOSE = False
OTP_ADMIN_HIDE_SENSITIVE_DATA = True
SESSION_COOKIE_AGE = 12 * 3600  # a working day
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True

if HEMI_BASE_URL.startswith("https://"):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"  # no other host can have set them
    SECURE_SSL_REDIRECT = reading.switch(  # the proxy in front does it
        "SECURE_SSL_REDIRECT", env.str("SECURE_SSL_REDIRECT", default="false")
    )
    SECURE_HSTS_SECONDS = reading.number(
        "SECURE_HSTS_SECONDS", env.str("SECURE_HSTS_SECONDS", default="31536000"), least=0
    )
    CSRF_TRUSTED_ORIGINS = [HEMI_BASE_URL]
# Callback addresses carry codes, which leave no hint elsewhere; "no-referrer" would make browsers send the
# Origin "null" with forms, and nobody could log in.
# Other sites of the same domain and the browsers' preload lists are the owner's business; the proxy redirects to https.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W008", "security.W021"]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# The admin's look
UNFOLD = {
    "SITE_TITLE": "Hemi",
    "SITE_HEADER": "Hemi",
    "SITE_SUBHEADER": "From orders to suppliers",
    "SITE_URL": None,
    "SITE_SYMBOL": "conversion_path",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "hemi.site.icon"}],
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "ENVIRONMENT": "hemi.site.environment",
    "ACCOUNT": {"navigation": "hemi.site.account_links"},
    "DASHBOARD_CALLBACK": "hemi.front_page.fill",
    "SIDEBAR": {"show_search": False, "navigation": "hemi.site.navigation"},
}

# Mail
_mail = reading.address(
    "EMAIL_URL",
    env.str("EMAIL_URL", default=""),
    "smtp+tls://user:secret@smtp.example.com:587",
    environ.Env.EMAIL_SCHEMES,
)
EMAIL_CONFIG = env.email_url_config(_mail or "consolemail://")
vars().update(EMAIL_CONFIG)
IS_MAIL_SET = bool(_mail)
EMAIL_TIMEOUT = 15
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Hemi <hemi@localhost>")
STAFF_ALERT_EMAILS = env.list("STAFF_ALERT_EMAILS", default=[])

# Celery
CELERY_BROKER_URL = reading.address(
    "CELERY_BROKER_URL", env.str("CELERY_BROKER_URL", default=""), "redis://localhost:6379/0", ("redis", "rediss")
)
if CELERY_BROKER_URL:
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = {"socket_connect_timeout": 2, "socket_timeout": 5}
else:
    CELERY_BROKER_URL = filebroker.URL
    CELERY_BROKER_TRANSPORT_OPTIONS = filebroker.options(VAR_DIR / "broker")
HINT_INTERVAL_SECONDS = 0.1
HINT_EXPIRES_SECONDS = 60

# Shopify
SHOPIFY_API_VERSION = env.str("SHOPIFY_API_VERSION", default="2026-10")
SHOPIFY_SHOP_URL = env.str("SHOPIFY_SHOP_URL", default="https://{shop}.myshopify.com")
INSTALL_LINK_DAYS = reading.number("INSTALL_LINK_DAYS", env.str("INSTALL_LINK_DAYS", default="7"), least=1)
INSTALL_REMINDER_DAYS = reading.number("INSTALL_REMINDER_DAYS", env.str("INSTALL_REMINDER_DAYS", default="3"), least=0)
WEBHOOK_MAX_BYTES = reading.number("WEBHOOK_MAX_BYTES", env.str("WEBHOOK_MAX_BYTES", default="8000000"), least=100_000)
WEBHOOK_LOCK_SECONDS = 3
DATA_UPLOAD_MAX_MEMORY_SIZE = max(10_000_000, WEBHOOK_MAX_BYTES)
# Webhook topic -> the runners that take its events, in order. Each is called with a WebhookEvent.
WEBHOOK_HANDLERS = {
    "orders/create": ["orders.intake.take_event"],
    "orders/updated": ["orders.intake.take_event"],
    "orders/paid": ["orders.intake.take_event"],
    "orders/cancelled": ["orders.intake.take_event"],
    "orders/edited": ["orders.notices.take_edit"],
    "fulfillment_orders/order_routing_complete": ["orders.notices.take_fulfilment_order"],
    "fulfillment_orders/moved": ["orders.notices.take_fulfilment_order"],
    "fulfillment_orders/placed_on_hold": ["orders.notices.take_fulfilment_order"],
    "fulfillment_orders/hold_released": ["orders.notices.take_fulfilment_order"],
    "fulfillment_orders/cancelled": ["orders.notices.take_fulfilment_order"],
    "locations/create": ["integrations.location_events.take"],
    "locations/update": ["integrations.location_events.take"],
    "locations/deactivate": ["integrations.location_events.take"],
    "locations/delete": ["integrations.location_events.take"],
    "app/uninstalled": ["integrations.app_events.take_uninstalled"],
    "app/scopes_update": ["integrations.app_events.take_scopes", "orders.shipments.take_scopes"],
    "bulk_operations/finish": ["integrations.app_events.take_bulk_operation"],
    "customers/data_request": ["integrations.privacy.take"],
    "customers/redact": ["integrations.privacy.take"],
    "shop/redact": ["integrations.privacy.take"],
}
# Privacy requests: each app sees to its own rows. Orders come after those that find their rows through them; once they
# are marked, what comes is emptied as it comes, and what came in meanwhile is looked for.
PRIVACY_SETTLEMENT = ["suppliers.redaction.unsettled", "orders.redaction.unsettled", "integrations.redaction.unsettled"]
PRIVACY_KNOWLEDGE = ["orders.redaction.know"]
PRIVACY_HOLDINGS = ["orders.redaction.holdings", "suppliers.redaction.holdings", "integrations.redaction.holdings"]
PRIVACY_REDACTORS = ["integrations.redaction.redact", "suppliers.redaction.redact", "orders.redaction.redact"]
PRIVACY_REDACTORS += ["suppliers.redaction.redact_late", "integrations.redaction.redact"]

# SHOPLINE's storefront side: Hemi signs for a shop, for previews and tests.
STOREFRONT_SIDE = reading.switch("STOREFRONT_SIDE", env.str("STOREFRONT_SIDE", default="true" if SANDBOX else "false"))
STOREFRONT_SECONDS = reading.number("STOREFRONT_SECONDS", env.str("STOREFRONT_SECONDS", default="20"), least=1)
STOREFRONT_MAX_BYTES = reading.number(
    "STOREFRONT_MAX_BYTES", env.str("STOREFRONT_MAX_BYTES", default="5000000"), least=1000
)

# Child path of the Proxy URL -> the page, called with a StorefrontRequest.
STOREFRONT_PAGES = {
    "": "suppliers.views.shopper_pages.orders",
    "orders": "suppliers.views.shopper_pages.orders",
    "status.json": "suppliers.views.shopper_pages.status",
}

# Delivery
DELIVERY_MAX_ATTEMPTS = reading.number("DELIVERY_MAX_ATTEMPTS", env.str("DELIVERY_MAX_ATTEMPTS", default="12"), least=1)
PAYLOAD_RETENTION_DAYS = reading.number(
    "PAYLOAD_RETENTION_DAYS", env.str("PAYLOAD_RETENTION_DAYS", default="90"), least=1
)
ORDER_RETENTION_DAYS = reading.number("ORDER_RETENTION_DAYS", env.str("ORDER_RETENTION_DAYS", default="3650"), least=30)
ALLOWED_PRIVATE_NETWORKS = reading.networks(
    "ALLOWED_PRIVATE_NETWORKS", env.list("ALLOWED_PRIVATE_NETWORKS", default=[])
)

# What outlives the database: the journal of what was sent, and backups. The journal is kept longer than any backup.
JOURNAL_DIR = Path(env.str("JOURNAL_DIR", default=str(VAR_DIR / "sent"))).resolve()
BACKUP_KEY = [key.strip() for key in env.str("BACKUP_KEY", default="").split(",") if key.strip()]
BACKUP_DIR = Path(env.str("BACKUP_DIR", default=str(VAR_DIR / "backups"))).resolve()
BACKUP_DAYS = reading.number("BACKUP_DAYS", env.str("BACKUP_DAYS", default="30"), least=1)
_JOURNAL_LEAST = max(35, BACKUP_DAYS + 5)  # or the oldest backups would find no journal
JOURNAL_DAYS = reading.number(
    "JOURNAL_DAYS", env.str("JOURNAL_DAYS", default=str(max(60, _JOURNAL_LEAST))), least=_JOURNAL_LEAST
)

# What watches Hemi
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")  # without one /metrics is for this machine alone
SENTRY_DSN = reading.address(
    "SENTRY_DSN", env.str("SENTRY_DSN", default=""), "https://key@sentry.example.com/1", ("https", "http")
)
TALLY_SECONDS = 10  # between two hand-overs of what a process counted

# Logs
LOG_FORMAT = reading.choice("LOG_FORMAT", env.str("LOG_FORMAT", default="console"), ("console", "json"))
LOG_LEVEL = reading.choice("LOG_LEVEL", env.str("LOG_LEVEL", default="INFO"), ("DEBUG", "INFO", "WARNING", "ERROR"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {"()": "hemi.lib.logs.JsonFormatter"},
        "console": {
            "()": "hemi.lib.logs.ConsoleFormatter",
            "format": "%(asctime)s %(levelname)-7s %(name)s: %(message)s",
        },
    },
    "filters": {"tokens": {"()": "hemi.lib.logs.HidesTokens"}, "words": {"()": "hemi.lib.logs.HidesWords"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        **{name: {"level": "WARNING"} for name in ("urllib3", "celery", "kombu")},  # a sweep is no news
        "celery.app.trace": {"filters": ["words"]},
        "django.request": {"filters": ["tokens"]},
        "django.server": {"handlers": ["stderr"], "propagate": False, "filters": ["tokens"]},
        "axes": {"level": "ERROR"},  # what happens at the login is logged in Hemi's own words
    },
}
