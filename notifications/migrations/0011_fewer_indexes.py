import django.db.models.deletion
from django.db import migrations, models

#: What was asked by them stands first in a wider index, or is asked by nobody.
GONE = {
    "notifications_outgoingemail_template_id_248f20f8": "notifications_outgoingemail (template_id)",
    "notifications_outgoingemail_dedupe_key_6375061d_like": "notifications_outgoingemail (dedupe_key varchar_pattern_ops)",
    "notifications_outgoingemail_message_id_61e0382e_like": "notifications_outgoingemail (message_id varchar_pattern_ops)",
}
#: Unique as before; as constraints of the model they have no second index for LIKE.
RENAMED = {
    "notifications_outgoingemail_dedupe_key_key": ("notifications_outgoingemail", "mail_once"),
    "notifications_outgoingemail_message_id_key": (
        "notifications_outgoingemail",
        "mail_message_id_once",
    ),
}


class Migration(migrations.Migration):
    """Every new row pays for each index, and these are read by nobody.

    Dropped by name: to alter a foreign key has Django drop it and check every row of the table again.
    """

    dependencies = [
        ("notifications", "0010_what_was_put_in_doubt"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    [f"DROP INDEX IF EXISTS {name}" for name in GONE],
                    [f"CREATE INDEX {name} ON {columns}" for name, columns in GONE.items()],
                ),
                migrations.RunSQL(
                    [
                        f"ALTER TABLE {table} RENAME CONSTRAINT {old} TO {new}"
                        for old, (table, new) in RENAMED.items()
                    ],
                    [
                        f"ALTER TABLE {table} RENAME CONSTRAINT {new} TO {old}"
                        for old, (table, new) in RENAMED.items()
                    ],
                ),
            ],
            state_operations=[
                migrations.AlterField(
                    model_name="outgoingemail",
                    name="dedupe_key",
                    field=models.CharField(max_length=200, verbose_name="dedupe key"),
                ),
                migrations.AlterField(
                    model_name="outgoingemail",
                    name="message_id",
                    field=models.CharField(max_length=255, verbose_name="Message-ID"),
                ),
                migrations.AlterField(
                    model_name="outgoingemail",
                    name="template",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="notifications.mailtemplate",
                        verbose_name="mail text",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="outgoingemail",
                    constraint=models.UniqueConstraint(fields=("dedupe_key",), name="mail_once"),
                ),
                migrations.AddConstraint(
                    model_name="outgoingemail",
                    constraint=models.UniqueConstraint(
                        fields=("message_id",), name="mail_message_id_once"
                    ),
                ),
            ],
        ),
    ]
