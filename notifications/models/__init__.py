from notifications.models.deliveryevent import DeliveryEvent, DeliveryKind, DeliverySource
from notifications.models.mail import (
    WITHHELD,
    MailState,
    MailTemplate,
    MailTemplateQuerySet,
    OutgoingEmail,
    OutgoingEmailQuerySet,
)
from notifications.models.notification import (
    Notification,
    NotificationQuerySet,
    NotificationReading,
)
from notifications.models.pause import OutboxPause, PauseCause
from notifications.models.webhook import (
    DeliveryState,
    MailOutage,
    Preset,
    Webhook,
    WebhookAttempt,
    WebhookDelivery,
    WhyOff,
)

__all__ = [
    "WITHHELD",
    "DeliveryEvent",
    "DeliveryKind",
    "DeliverySource",
    "DeliveryState",
    "MailOutage",
    "MailState",
    "MailTemplate",
    "MailTemplateQuerySet",
    "Notification",
    "NotificationQuerySet",
    "NotificationReading",
    "OutboxPause",
    "OutgoingEmail",
    "OutgoingEmailQuerySet",
    "PauseCause",
    "Preset",
    "Webhook",
    "WebhookAttempt",
    "WebhookDelivery",
    "WhyOff",
]
