import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """A notification is one row for all it is for, and a reading another, once it is read.

    Cannot be undone: a notification for several people has no one user to be given back to.
    """

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("notifications", "0007_outbox_pause"),
    ]

    operations = [
        migrations.CreateModel(
            name="NotificationReading",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "notification",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="readings",
                        to="notifications.notification",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="readings",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="read")),
            ],
            options={
                "verbose_name": "reading",
                "verbose_name_plural": "readings",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("notification", "user"), name="notification_read_once"
                    )
                ],
            },
        ),
        migrations.RemoveIndex(model_name="notification", name="notification_unread"),
        migrations.RemoveIndex(model_name="notification", name="notification_by_user"),
        migrations.AddField(
            model_name="notification",
            name="readers",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(),
                default=list,
                size=None,
                verbose_name="readers",
            ),
            preserve_default=False,
        ),
        migrations.RunSQL(
            sql=[
                "UPDATE notifications_notification SET readers = ARRAY[user_id]",
                """
                INSERT INTO notifications_notificationreading (notification_id, user_id, at)
                SELECT id, user_id, read_at FROM notifications_notification
                WHERE read_at IS NOT NULL
                """,
                # A constraint cannot be changed while its rows are yet to be checked.
                "SET CONSTRAINTS ALL IMMEDIATE",
            ],
        ),
        migrations.RemoveField(model_name="notification", name="user"),
        migrations.RemoveField(model_name="notification", name="read_at"),
        migrations.AlterField(
            model_name="notification",
            name="dedupe_key",
            field=models.CharField(max_length=200, verbose_name="dedupe key"),
        ),
        migrations.AddConstraint(
            model_name="notification",
            constraint=models.UniqueConstraint(fields=("dedupe_key",), name="notification_once"),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=django.contrib.postgres.indexes.GinIndex(
                fields=("readers",), name="notification_by_reader"
            ),
        ),
    ]
