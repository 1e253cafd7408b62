"""Every setting, read from the environment.

``HELPDESK_ENV`` is ``development`` (the default: a machine of one's own, nothing to configure) or
``production`` (starts only when what must be set is set).
"""

import contextlib
import os
import secrets
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote, urlsplit

import environ
from csp.constants import NONCE, NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

HELPDESK_ENV = env.str("HELPDESK_ENV", "development")
if HELPDESK_ENV not in ("development", "production"):
    raise ImproperlyConfigured(
        f"HELPDESK_ENV is {HELPDESK_ENV!r}; it must be 'development' or 'production'."
    )
PRODUCTION = HELPDESK_ENV == "production"
DEBUG = env.bool("DEBUG", False)

# Where the embedded servers, uploads and the development key live.
HELPDESK_DATA_DIR = Path(env.str("HELPDESK_DATA_DIR", "var")).expanduser()
if not HELPDESK_DATA_DIR.is_absolute():
    HELPDESK_DATA_DIR = BASE_DIR / HELPDESK_DATA_DIR


def _required(name: str) -> str:
    value: str = env.str(name, "")
    if not value:
        raise ImproperlyConfigured(f"{name} must be set when HELPDESK_ENV is 'production'.")
    return value


def _development_key() -> str:
    """The key made once for this data folder; two processes starting together agree on it."""
    path = HELPDESK_DATA_DIR / "secret_key"
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


SECRET_KEY = env.str("SECRET_KEY", "") or (
    _required("SECRET_KEY") if PRODUCTION else _development_key()
)

PORT = env.int("PORT", 8000)
#: Start of every link in a letter, without a slash at the end.
HELPDESK_BASE_URL = (
    env.str("HELPDESK_BASE_URL", "")
    or (_required("HELPDESK_BASE_URL") if PRODUCTION else f"http://127.0.0.1:{PORT}")
).rstrip("/")
_base_url = urlsplit(HELPDESK_BASE_URL)
#: Domain of the support addresses and of our Message-IDs.
HELPDESK_MAIL_DOMAIN = env.str("HELPDESK_MAIL_DOMAIN", "brightquay.example")
HELPDESK_SUPPORT_ADDRESS = env.str("HELPDESK_SUPPORT_ADDRESS", f"support@{HELPDESK_MAIL_DOMAIN}")
#: Left part of the signed reply addresses: ``reply+…@domain``.
HELPDESK_REPLY_LOCALPART = env.str("HELPDESK_REPLY_LOCALPART", "reply")
#: (key id, secret) pairs for the signatures in addresses and links; the first signs, all verify.
#: ``HELPDESK_MAIL_KEYS=k2:secret,k1:older``.
HELPDESK_MAIL_KEYS: list[tuple[str, str]] = [
    (key_id, secret)
    for key_id, _colon, secret in (
        entry.partition(":") for entry in env.list("HELPDESK_MAIL_KEYS", default=[])
    )
    if key_id and secret
] or [("k1", sha256(f"helpdesk mail {SECRET_KEY}".encode()).hexdigest())]
#: Our own name in Authentication-Results (RFC 8601); empty: no such header is believed.
HELPDESK_AUTHSERV_ID = env.str("HELPDESK_AUTHSERV_ID", "")
#: How many reverse proxies of ours stand before the web server, each appending to
#: ``X-Forwarded-For``; limits on visitors count by the address the outermost one saw.
HELPDESK_PROXIES = env.int("HELPDESK_PROXIES", 0)
#: Seconds between two looks of the engine, and of the mail worker, rung by beat.
HELPDESK_ENGINE_INTERVAL = env.float("HELPDESK_ENGINE_INTERVAL", 5.0)
HELPDESK_MAIL_INTERVAL = env.float("HELPDESK_MAIL_INTERVAL", 5.0)
#: Seconds after which a mail whose worker is silent is taken back; longer than one can take.
HELPDESK_MAIL_LEASE = env.float("HELPDESK_MAIL_LEASE", 120.0)
#: Seconds a letter may be due, with none going out, before webhooks are told that mail fails.
HELPDESK_MAIL_ALARM_AFTER = env.float("HELPDESK_MAIL_ALARM_AFTER", 600.0)
#: Seconds between two looks of the worker that tells webhooks, rung by beat.
HELPDESK_WEBHOOK_INTERVAL = env.float("HELPDESK_WEBHOOK_INTERVAL", 5.0)
#: Days for which it can be read what webhooks were told.
HELPDESK_WEBHOOK_LOG_DAYS = env.int("HELPDESK_WEBHOOK_LOG_DAYS", 30)
#: Networks inside that we may ask although they are: ``10.1.2.0/24,fd00::/8``. Webhooks and
#: whatever else goes out reaches nothing but the internet otherwise.
HELPDESK_OUTGOING_ALLOW: list[str] = env.list("HELPDESK_OUTGOING_ALLOW", default=[])
#: Whether plain http may be asked, too.
HELPDESK_OUTGOING_HTTP = env.bool("HELPDESK_OUTGOING_HTTP", False)
#: What one mail that comes in may cost, over ``tickets.inbound.limits``: ``deadline=5,parts=200``.
HELPDESK_MAIL_LIMITS: dict[str, float] = env.dict(
    "HELPDESK_MAIL_LIMITS", cast={"value": float}, default={}
)
#: Who bears it reads /metrics, and on /readyz every number; without one nobody does in production.
HELPDESK_METRICS_TOKEN = env.str("HELPDESK_METRICS_TOKEN", "")
#: From where on /readyz warns or fails, over ``helpdesk.health.limits``: ``reviews_failed=900``.
HELPDESK_READY_LIMITS: dict[str, float] = env.dict(
    "HELPDESK_READY_LIMITS", cast={"value": float}, default={}
)
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
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
]

MIDDLEWARE = [
    "helpdesk.health.middleware.HealthMiddleware",
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
DATABASE_URL = env.str("DATABASE_URL", "") or (
    _required("DATABASE_URL") if PRODUCTION else "postgres:///helpdesk"
)
REDIS_URL = env.str("REDIS_URL", "") or (
    _required("REDIS_URL") if PRODUCTION else "redis://127.0.0.1:6379/0"
)
DATABASES = {"default": environ.Env.db_url_config(DATABASE_URL)}
# libpq's spelling of a socket folder in a URL is percent-encoded: postgres://user@%2Frun%2Fx/name
DATABASES["default"]["HOST"] = unquote(DATABASES["default"].get("HOST") or "")
DATABASES["default"]["CONN_MAX_AGE"] = env.int("DATABASE_CONN_MAX_AGE", 60)
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
STATIC_ROOT = Path(env.str("HELPDESK_STATIC_ROOT", str(BASE_DIR / "static_collected")))
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
# Attachments are served by views that ask who may see them, never from a folder.
MEDIA_URL = ""

# EMAIL_URL=smtp+tls://user:password@host:587, or EMAIL_BACKEND naming any backend (anymail's
# among them, with its ANYMAIL_… settings). With neither, letters are captured and not sent.
EMAIL_TIMEOUT = env.float("EMAIL_TIMEOUT", 20.0)
HELPDESK_CAPTURE_MAIL = False
if env.str("EMAIL_BACKEND", ""):
    EMAIL_BACKEND = env.str("EMAIL_BACKEND")
    ANYMAIL = {
        key.removeprefix("ANYMAIL_"): value
        for key, value in os.environ.items()
        if key.startswith("ANYMAIL_")
    }
elif env.str("EMAIL_URL", ""):
    vars().update(env.email_url("EMAIL_URL"))
else:
    HELPDESK_CAPTURE_MAIL = True
    EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
if EMAIL_BACKEND == "django.core.mail.backends.smtp.EmailBackend":
    # Ours also tells when it is unknown whether a message was taken.
    EMAIL_BACKEND = "notifications.smtp.EmailBackend"
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", HELPDESK_SUPPORT_ADDRESS)
SERVER_EMAIL = DEFAULT_FROM_EMAIL

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[]) or [
    *{_base_url.hostname or "localhost", "localhost", "127.0.0.1", "[::1]"}
]
CSRF_TRUSTED_ORIGINS = [f"{_base_url.scheme}://{_base_url.netloc}"]
_HTTPS = _base_url.scheme == "https"
SESSION_COOKIE_SECURE = _HTTPS
CSRF_COOKIE_SECURE = _HTTPS
SESSION_COOKIE_HTTPONLY = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _HTTPS else None
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", 31_536_000 if _HTTPS else 0)
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

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

#: Requests a token may send: so many a second, minute, hour or day.
HELPDESK_API_RATE = env.str("HELPDESK_API_RATE", "600/minute")
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


def _place(title: object, icon: str, model: str) -> dict[str, object]:
    """A row of the configuration's sidebar: the list of one kind of thing."""
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{model}_changelist"),
    }


UNFOLD = {
    "SITE_TITLE": _("Configuration"),
    "SITE_HEADER": _("Configuration"),
    "SITE_URL": "/",
    "SITE_SYMBOL": "tune",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda _request: static("desk/icon.svg")}
    ],
    "SHOW_LANGUAGES": False,
    # Nobody's row has a page of its own on the desk.
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "8px",
    # The desk's one accent.
    "COLORS": {
        "primary": {
            "50": "#f1f3fe",
            "100": "#e9edfd",
            "200": "#cfd8fb",
            "300": "#9db0ff",
            "400": "#7d92f5",
            "500": "#5870e4",
            "600": "#3f57d6",
            "700": "#3a52d0",
            "800": "#2c3f9f",
            "900": "#222a4a",
            "950": "#171d33",
        },
    },
    "SIDEBAR": {
        "navigation": [
            {
                "items": [
                    {
                        "title": _("Back to the desk"),
                        "icon": "arrow_back",
                        "link": "/",
                        "active": lambda _request: False,
                    }
                ]
            },
            {
                "title": _("People and hours"),
                "items": [
                    _place(_("Users"), "person", "staff_user"),
                    _place(_("Teams"), "groups", "staff_team"),
                    _place(_("Tiers"), "stairs", "staff_tier"),
                    _place(_("Skills"), "school", "staff_skill"),
                    _place(_("API tokens"), "key", "staff_apitoken"),
                    _place(_("Absences"), "event_busy", "staff_absence"),
                    _place(_("Calendars"), "calendar_month", "staff_calendar"),
                ],
            },
            {
                "title": _("Customers"),
                "items": [
                    _place(_("Organizations"), "apartment", "tickets_organization"),
                    _place(_("Contacts"), "contacts", "tickets_contact"),
                    _place(_("Plans"), "workspace_premium", "tickets_plan"),
                    _place(_("Categories"), "category", "tickets_category"),
                ],
            },
            {
                "title": _("Escalation"),
                "items": [
                    _place(_("Policies"), "rule", "escalation_policy"),
                    _place(_("Policy versions"), "history", "escalation_policyversion"),
                ],
            },
            {
                "title": _("Mail"),
                "items": [
                    _place(_("Mail texts"), "edit_note", "notifications_mailtemplate"),
                    _place(_("Inbound e-mails"), "inbox", "tickets_inboundemail"),
                ],
            },
        ],
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO")},
}
