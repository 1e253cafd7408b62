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
        migrations.AlterField(
            model_name="notification",
            name="dedupe_key",
            field=models.CharField(max_length=200, verbose_name="dedupe key"),
        ),
        migrations.RunSQL(
            sql=[
                # Keys ended with their reader: those that differ in nothing else are one notice, and
                # the engine finds it under the key that it asks for now.
                """
                CREATE TEMPORARY TABLE one_notice ON COMMIT DROP AS
                SELECT id, user_id, read_at, key, min(id) OVER (PARTITION BY key) AS kept
                FROM (
                    SELECT id, user_id, read_at, regexp_replace(dedupe_key, ':' || user_id || '$', '')
                    FROM notifications_notification
                ) AS named (id, user_id, read_at, key)
                """,
                """
                UPDATE notifications_notification AS notice
                SET readers = one.readers, dedupe_key = one.key
                FROM (
                    SELECT kept, key, array_agg(user_id ORDER BY id) FROM one_notice GROUP BY kept, key
                ) AS one (kept, key, readers)
                WHERE notice.id = one.kept
                """,
                """
                INSERT INTO notifications_notificationreading (notification_id, user_id, at)
                SELECT kept, user_id, min(read_at) FROM one_notice
                WHERE read_at IS NOT NULL GROUP BY kept, user_id
                """,
                """
                DELETE FROM notifications_notification AS notice
                USING one_notice AS one WHERE notice.id = one.id AND one.id <> one.kept
                """,
                # A constraint cannot be changed while its rows are yet to be checked.
                "SET CONSTRAINTS ALL IMMEDIATE",
            ],
        ),
        migrations.RemoveField(model_name="notification", name="user"),
        migrations.RemoveField(model_name="notification", name="read_at"),
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
