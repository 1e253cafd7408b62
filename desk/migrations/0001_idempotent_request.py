import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("staff", "0002_api_token"),
    ]

    operations = [
        migrations.CreateModel(
            name="IdempotentRequest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.CharField(max_length=200, verbose_name="key")),
                ("fingerprint", models.BinaryField(max_length=32, verbose_name="fingerprint")),
                ("status", models.PositiveSmallIntegerField(verbose_name="status")),
                ("body", models.TextField(blank=True, verbose_name="answer")),
                ("location", models.CharField(blank=True, max_length=500, verbose_name="location")),
                ("created_at", models.DateTimeField(verbose_name="sent")),
                (
                    "token",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="staff.apitoken",
                    ),
                ),
            ],
            options={
                "verbose_name": "request of the API",
                "verbose_name_plural": "requests of the API",
                "indexes": [models.Index(fields=["created_at"], name="idempotent_request_by_age")],
                "constraints": [
                    models.UniqueConstraint(fields=("token", "key"), name="idempotent_request_once")
                ],
            },
        ),
    ]
