import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0003_table_care"),
    ]

    operations = [
        migrations.CreateModel(
            name="DeliveryEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("about", models.CharField(blank=True, max_length=40, verbose_name="about")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("accepted", "taken by the mail server"),
                            ("delivered", "delivered"),
                            ("bounced", "bounced"),
                            ("complained", "complained of"),
                            ("delayed", "delayed"),
                        ],
                        max_length=10,
                        verbose_name="what happened",
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("smtp", "our mail server"),
                            ("dsn", "a delivery report"),
                            ("webhook", "the mail provider"),
                        ],
                        max_length=7,
                        verbose_name="told by",
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="at")),
                ("recipient", models.CharField(max_length=254, verbose_name="recipient")),
                ("status", models.CharField(blank=True, max_length=20, verbose_name="status code")),
                ("said", models.CharField(blank=True, max_length=500, verbose_name="said")),
                ("event_key", models.CharField(max_length=200, unique=True, verbose_name="key")),
                (
                    "taken_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="Since when whoever queued the mail knows of it.",
                        null=True,
                        verbose_name="taken in",
                    ),
                ),
                (
                    "email",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="delivery_events",
                        to="notifications.outgoingemail",
                    ),
                ),
            ],
            options={
                "verbose_name": "delivery event",
                "verbose_name_plural": "delivery events",
                "ordering": ("-at", "-pk"),
                "indexes": [
                    models.Index(
                        condition=models.Q(("taken_at", None)), fields=["id"], name="delivery_new"
                    ),
                    models.Index(fields=["about", "id"], name="delivery_about"),
                    models.Index(fields=["recipient", "id"], name="delivery_by_recipient"),
                ],
            },
        ),
    ]
