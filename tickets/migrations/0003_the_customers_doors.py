import django.db.models.deletion
from django.db import migrations, models

#: Whose mail our own mail server vouched for has proven the address already.
PROVEN = """
    UPDATE tickets_contact AS contact
       SET verified_at = proven.at
      FROM (SELECT contact_id, min(created_at) AS at
              FROM tickets_message
             WHERE sender_verdict = 'pass' AND contact_id IS NOT NULL
             GROUP BY contact_id) AS proven
     WHERE proven.contact_id = contact.id
"""


class Migration(migrations.Migration):
    dependencies = [
        ("tickets", "0002_table_care"),
    ]

    operations = [
        migrations.AddField(
            model_name="contact",
            name="verified_at",
            field=models.DateTimeField(
                blank=True,
                editable=False,
                help_text="When it was proven that who writes reads this mailbox.",
                null=True,
                verbose_name="address verified",
            ),
        ),
        migrations.AddField(
            model_name="ticket",
            name="muted",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Its requester wants only letters that bring a new time or ask for something.",
                verbose_name="muted",
            ),
        ),
        migrations.CreateModel(
            name="PortalSession",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("digest", models.BinaryField(max_length=32, unique=True, verbose_name="SHA-256")),
                ("created_at", models.DateTimeField(verbose_name="signed in")),
                ("expires_at", models.DateTimeField(verbose_name="expires")),
                (
                    "contact",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="portal_sessions",
                        to="tickets.contact",
                    ),
                ),
            ],
            options={
                "verbose_name": "portal session",
                "verbose_name_plural": "portal sessions",
                "ordering": ("-pk",),
            },
        ),
        migrations.CreateModel(
            name="PortalKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("sign_in", "Sign in to the portal"),
                            ("verify", "Confirm an address"),
                        ],
                        max_length=8,
                        verbose_name="purpose",
                    ),
                ),
                ("digest", models.BinaryField(max_length=32, unique=True, verbose_name="SHA-256")),
                ("created_at", models.DateTimeField(verbose_name="made")),
                ("expires_at", models.DateTimeField(verbose_name="expires")),
                ("used_at", models.DateTimeField(blank=True, null=True, verbose_name="used")),
                (
                    "contact",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="portal_keys",
                        to="tickets.contact",
                    ),
                ),
            ],
            options={
                "verbose_name": "portal key",
                "verbose_name_plural": "portal keys",
                "ordering": ("-pk",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("purpose__in", ["sign_in", "verify"])),
                        name="portal_key_purpose_is_known",
                    )
                ],
            },
        ),
        migrations.RunSQL(sql=PROVEN, reverse_sql=migrations.RunSQL.noop),
    ]
