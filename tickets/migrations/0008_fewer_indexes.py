import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

#: What was asked by them stands first in a wider index, or is asked by nobody.
GONE = {
    "tickets_detail_ticket_id_46ad6e39": "tickets_detail (ticket_id)",
    "tickets_event_ticket_id_c2d3d586": "tickets_event (ticket_id)",
    "tickets_event_user_id_dc47e63f": "tickets_event (user_id)",
    "tickets_followup_created_by_id_75210ed6": "tickets_followup (created_by_id)",
    "tickets_followup_done_by_id_0717e42c": "tickets_followup (done_by_id)",
    "tickets_ticket_organization_id_7128da48": "tickets_ticket (organization_id)",
    "tickets_followup_key_7075599d_like": "tickets_followup (key varchar_pattern_ops)",
}
#: Unique as before; as constraints of the model they have no second index for LIKE.
RENAMED = {
    "tickets_followup_key_key": ("tickets_followup", "follow_up_once"),
}


class Migration(migrations.Migration):
    """Every new row pays for each index, and these are read by nobody.

    Dropped by name: to alter a foreign key has Django drop it and check every row of the table again.

    The engine takes tickets in the order of ``review_at``, ``id``: with both in the index it need not
    read and sort all that fall due at one moment.
    """

    dependencies = [
        ("staff", "0002_api_token"),
        ("tickets", "0007_search_contact_held"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
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
                    model_name="detail",
                    name="ticket",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="details",
                        to="tickets.ticket",
                    ),
                ),
                migrations.AlterField(
                    model_name="event",
                    name="ticket",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="events",
                        to="tickets.ticket",
                    ),
                ),
                migrations.AlterField(
                    model_name="event",
                    name="user",
                    field=models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                migrations.AlterField(
                    model_name="followup",
                    name="about",
                    field=models.CharField(blank=True, max_length=120, verbose_name="about"),
                ),
                migrations.AlterField(
                    model_name="followup",
                    name="created_by",
                    field=models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                migrations.AlterField(
                    model_name="followup",
                    name="done_by",
                    field=models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                migrations.AlterField(
                    model_name="followup",
                    name="key",
                    field=models.CharField(
                        help_text="What it is owed for; the same key is never owed twice.",
                        max_length=120,
                        verbose_name="key",
                    ),
                ),
                migrations.AlterField(
                    model_name="ticket",
                    name="organization",
                    field=models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tickets",
                        to="tickets.organization",
                        verbose_name="organization",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="followup",
                    constraint=models.UniqueConstraint(fields=("key",), name="follow_up_once"),
                ),
            ],
        ),
        migrations.RemoveIndex(
            model_name="ticket",
            name="ticket_due_for_review",
        ),
        migrations.AddIndex(
            model_name="followup",
            index=models.Index(fields=["about"], name="follow_up_about"),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(
                condition=models.Q(("review_at__isnull", False)),
                fields=["review_at", "id"],
                name="ticket_due_for_review",
            ),
        ),
    ]
