"""Every setting, read from the environment.

``HELPDESK_ENV`` is ``development`` (the default: a machine of one's own, nothing to configure) or
``production`` (starts only when what must be set is set).
"""

import contextlib
import logging
import os
import secrets
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote, urlsplit

import environ
from csp.constants import NONCE, NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from helpdesk import declared, logs, production
from helpdesk.configurationlook import UNFOLD as UNFOLD
from helpdesk.environment import Environment

BASE_DIR = Path(__file__).resolve().parent.parent
#: What the environment says, for those few who need it beside the settings below.
ENVIRONMENT = env = Environment(os.environ, settings=declared.SETTINGS, families=declared.FAMILIES)

HELPDESK_ENV = env[declared.HELPDESK_ENV]
PRODUCTION = HELPDESK_ENV == "production"
DEBUG = env[declared.DEBUG]
# Where the embedded servers, uploads and the development key live.
HELPDESK_DATA_DIR = BASE_DIR / env[declared.HELPDESK_DATA_DIR].expanduser()
_DEVELOPMENT_KEY = HELPDESK_DATA_DIR / "secret_key"

if PRODUCTION:
    env.require([each for each in declared.SETTINGS if each.required])
    env.problems += production.refusals(env, development_key=_DEVELOPMENT_KEY)
env.insist()


def _development_key() -> str:
    """The key made once for this data folder; two processes starting together agree on it."""
    path = _DEVELOPMENT_KEY
    try:
        HELPDESK_DATA_DIR.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            draft = path.with_name(f"secret_key.{os.getpid()}")
            draft.touch(mode=0o600)
            draft.write_text(secrets.token_urlsafe(48))
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)
            draft.unlink()
        return path.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"{error.filename or HELPDESK_DATA_DIR} cannot be used ({error.strerror}); choose "
            "another folder with HELPDESK_DATA_DIR."
        ) from error


SECRET_KEY = env[declared.SECRET_KEY] or _development_key()
SECRET_KEY_FALLBACKS = env[declared.SECRET_KEY_FALLBACKS]

PORT = env[declared.PORT]
#: Start of every link in a letter, without a slash at the end.
HELPDESK_BASE_URL = (env[declared.HELPDESK_BASE_URL] or f"http://127.0.0.1:{PORT}").rstrip("/")
_base_url = urlsplit(HELPDESK_BASE_URL)
HELPDESK_MAIL_DOMAIN = env[declared.HELPDESK_MAIL_DOMAIN]
HELPDESK_SUPPORT_ADDRESS = (
    env[declared.HELPDESK_SUPPORT_ADDRESS] or f"support@{HELPDESK_MAIL_DOMAIN}"
)
HELPDESK_REPLY_LOCALPART = env[declared.HELPDESK_REPLY_LOCALPART]
#: (key id, secret) pairs for the signatures in addresses and links; the first signs, all verify.
HELPDESK_MAIL_KEYS: list[tuple[str, str]] = list(env[declared.HELPDESK_MAIL_KEYS].items()) or [
    ("k1", sha256(f"helpdesk mail {SECRET_KEY}".encode()).hexdigest())
]
HELPDESK_AUTHSERV_ID = env[declared.HELPDESK_AUTHSERV_ID]
HELPDESK_PROXIES = env[declared.HELPDESK_PROXIES]
HELPDESK_DEMO = env[declared.HELPDESK_DEMO]
HELPDESK_ENGINE_INTERVAL = env[declared.HELPDESK_ENGINE_INTERVAL]
HELPDESK_MAIL_INTERVAL = env[declared.HELPDESK_MAIL_INTERVAL]
HELPDESK_MAIL_LEASE = env[declared.HELPDESK_MAIL_LEASE]
HELPDESK_MAIL_ALARM_AFTER = env[declared.HELPDESK_MAIL_ALARM_AFTER]
HELPDESK_WEBHOOK_INTERVAL = env[declared.HELPDESK_WEBHOOK_INTERVAL]
HELPDESK_WEBHOOK_LOG_DAYS = env[declared.HELPDESK_WEBHOOK_LOG_DAYS]
HELPDESK_OUTGOING_ALLOW = env[declared.HELPDESK_OUTGOING_ALLOW]
HELPDESK_OUTGOING_HTTP = env[declared.HELPDESK_OUTGOING_HTTP]
HELPDESK_MAIL_LIMITS = env[declared.HELPDESK_MAIL_LIMITS]
HELPDESK_API_RATE = env[declared.HELPDESK_API_RATE]
HELPDESK_METRICS_TOKEN = env[declared.HELPDESK_METRICS_TOKEN]
HELPDESK_READY_LIMITS = env[declared.HELPDESK_READY_LIMITS]
#: Names of the tasks that are rung after a commit; settings, so that nobody below imports upward.
HELPDESK_REVIEW_TASK = "escalation.tasks.sweep"
HELPDESK_MAIL_TASK = "notifications.tasks.send_due"
HELPDESK_WEBHOOK_TASK = "notifications.tasks.tell_webhooks"
HELPDESK_CHECK_TASK = "desk.tasks.check"

INSTALLED_APPS = [
    "helpdesk",
    "desk",
    "escalation",
    "tickets",
    "training",
    "notifications",
    "staff",
    # Without its own site: ours is named by the admin's config.
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.forms",
    "helpdesk.apps.ConfigurationConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "anymail",
    "csp",
    "django_filters",
    "django_htmx",
    "django_structlog",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
]

MIDDLEWARE = [
    # First, so that being asked every few seconds for health leaves no lines.
    "helpdesk.health.middleware.HealthMiddleware",
    "helpdesk.health.counting.BeforeMiddleware",
    "helpdesk.requestlog.RequestLogMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "helpdesk.contentpolicy.ContentPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "desk.zones.ReaderMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "helpdesk.health.counting.AfterMiddleware",
]

ROOT_URLCONF = "helpdesk.urls"
WSGI_APPLICATION = "helpdesk.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
            ],
        },
    },
]

# manage.py points these at the embedded servers where they are unset (helpdesk/embedded.py).
DATABASE_URL = env[declared.DATABASE_URL] or "postgres:///helpdesk"
REDIS_URL = env[declared.REDIS_URL] or "redis://127.0.0.1:6379/0"
DATABASES = {"default": environ.Env.db_url_config(DATABASE_URL)}
# libpq's spelling of a socket folder in a URL is percent-encoded: postgres://user@%2Frun%2Fx/name
DATABASES["default"]["HOST"] = unquote(DATABASES["default"].get("HOST") or "")
if env[declared.DATABASE_PASSWORD]:
    DATABASES["default"]["PASSWORD"] = env[declared.DATABASE_PASSWORD]
DATABASES["default"]["CONN_MAX_AGE"] = env[declared.DATABASE_CONN_MAX_AGE]
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Cache and sessions live in PostgreSQL, so that signing in works while Redis is away.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "django_cache",
        # Every form's number stands here for a day; 300 rows, the default, would be an hour's.
        "OPTIONS": {"MAX_ENTRIES": 50_000},
    }
}
SESSION_ENGINE = "django.contrib.sessions.backends.db"

AUTH_USER_MODEL = "staff.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/accounts/login/"
ACCOUNT_ADAPTER = "helpdesk.signin.StaffAccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
# Accounts are made by an admin, who vouches for the address.
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_SESSION_REMEMBER = True
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Helpdesk"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("de", _("German"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / env[declared.HELPDESK_STATIC_ROOT]
_NODE = BASE_DIR / "node_modules"
#: By the package's place among the static files, what pages use of it; see package.json.
HELPDESK_VENDORED = {
    "vendor/tabler": ["css/tabler.min.css", "css/tabler.min.css.map"],
    "vendor/icons": [
        "tabler-icons.min.css",
        *(f"fonts/tabler-icons.{kind}" for kind in ("woff2", "woff", "ttf")),
    ],
}
STATICFILES_FINDERS = [
    "helpdesk.vendored.Finder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
]
_VENDOR = [
    ("vendor/tabler", _NODE / "@tabler/core/dist"),
    ("vendor/icons", _NODE / "@tabler/icons-webfont/dist"),
]
STATICFILES_DIRS: list[Path | tuple[str, Path]] = [
    BASE_DIR / "static",
    *(entry for entry in _VENDOR if entry[1].is_dir()),
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not PRODUCTION
WHITENOISE_AUTOREFRESH = not PRODUCTION
MEDIA_ROOT = HELPDESK_DATA_DIR / "files"
# Attachments and lesson videos are served by views that ask who may see them, never from a folder.
MEDIA_URL = ""
HELPDESK_LESSON_VIDEO_SIZE = env[declared.HELPDESK_LESSON_VIDEO_MB] * 1_000_000

# With neither a backend nor an address, letters are captured and not sent.
EMAIL_TIMEOUT = env[declared.EMAIL_TIMEOUT]
ANYMAIL = env.families[declared.ANYMAIL.prefix]
HELPDESK_CAPTURE_MAIL = False
if env[declared.EMAIL_BACKEND]:
    EMAIL_BACKEND = env[declared.EMAIL_BACKEND]
elif env[declared.EMAIL_URL]:
    vars().update(environ.Env.email_url_config(env[declared.EMAIL_URL]))
else:
    HELPDESK_CAPTURE_MAIL = True
    EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
if EMAIL_BACKEND == "django.core.mail.backends.smtp.EmailBackend":
    # Ours also tells when it is unknown whether a message was taken.
    EMAIL_BACKEND = "notifications.smtp.EmailBackend"
DEFAULT_FROM_EMAIL = env[declared.DEFAULT_FROM_EMAIL] or HELPDESK_SUPPORT_ADDRESS
SERVER_EMAIL = DEFAULT_FROM_EMAIL

ALLOWED_HOSTS = sorted(
    {
        *(env[declared.ALLOWED_HOSTS] or [_base_url.hostname or "localhost"]),
        # Health checks come from within.
        *("localhost", "127.0.0.1", "[::1]"),
    }
)
CSRF_TRUSTED_ORIGINS = [f"{_base_url.scheme}://{_base_url.netloc}"]
_HTTPS = _base_url.scheme == "https"
SESSION_COOKIE_SECURE = _HTTPS
CSRF_COOKIE_SECURE = _HTTPS
SESSION_COOKIE_HTTPONLY = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _HTTPS else None
SECURE_SSL_REDIRECT = PRODUCTION and _HTTPS and env[declared.SECURE_SSL_REDIRECT]
SECURE_HSTS_SECONDS = env[declared.SECURE_HSTS_SECONDS] if _HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = env[declared.SECURE_HSTS_INCLUDE_SUBDOMAINS]
SECURE_HSTS_PRELOAD = env[declared.SECURE_HSTS_PRELOAD]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SILENCED_SYSTEM_CHECKS = [
    # Other names below the host are their owner's affair; there is a setting for who wants it.
    "security.W005",
    # And so is a promise built into browsers for good.
    "security.W021",
]

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "frame-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}
# The admin's theme evaluates expressions and sets styles in attributes; nothing from customers
# is rendered there as HTML.
HELPDESK_ADMIN_CONTENT_POLICY = {
    **CONTENT_SECURITY_POLICY["DIRECTIVES"],
    "script-src": [SELF, UNSAFE_INLINE, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
}

REST_FRAMEWORK = {
    # ``desk.api.base`` says who may; a view that is not built on it is for nobody.
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    # An address's {pk} is what the operation calls it.
    "SCHEMA_COERCE_PATH_PK": False,
}
_NUMBER = {"type": "integer", "minimum": 1, "maximum": 10**15 - 1}
SPECTACULAR_SETTINGS = {
    "TITLE": "Helpdesk API",
    "DESCRIPTION": (
        "Tickets and their escalation, for programs. Every request carries a token: "
        "`Authorization: Bearer hd_…`. What is not done is answered as a problem (RFC 9457)."
    ),
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    # A change names its version, so that it is no shape with everything left open.
    "COMPONENT_SPLIT_PATCH": False,
    "POSTPROCESSING_HOOKS": [],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "SORT_OPERATIONS": False,
    "SORT_OPERATION_PARAMETERS": False,
    "PATH_CONVERTER_OVERRIDES": {
        "ticket": {"type": "string", "pattern": "^HD-[1-9][0-9]{0,11}$", "example": "HD-1042"},
        "id": _NUMBER,
        "key": {"type": "string", "pattern": "^[-a-zA-Z0-9_]{1,50}$"},
    },
}


LOGGING_CONFIG = "helpdesk.logs.apply"
LOGGING = logs.configuration(
    production=PRODUCTION, level=env[declared.LOG_LEVEL], secrets=env.secrets()
)
DJANGO_STRUCTLOG_CELERY_ENABLED = True
DJANGO_STRUCTLOG_CELERY_DEFAULT_LOG_LEVEL = logging.DEBUG
DJANGO_STRUCTLOG_CELERY_TASK_FAILURE_LOG_LEVEL = logging.ERROR
# So the library calls the level of tasks that expire and of those that are tried again.
DJANGO_STRUCTLOG_CELERY_TASK_RETRY_LOG_LEVEL = logging.DEBUG
# The web server's line says the same, and more.
DJANGO_STRUCTLOG_STATUS_DEFAULT_LOG_LEVEL = logging.DEBUG
DJANGO_STRUCTLOG_STATUS_4XX_LOG_LEVEL = logging.DEBUG
DJANGO_STRUCTLOG_STATUS_5XX_LOG_LEVEL = logging.ERROR
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
