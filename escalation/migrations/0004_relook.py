import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("escalation", "0002_initial"),
        ("notifications", "0004_delivery_event"),
        ("staff", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Relook",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "cause",
                    models.CharField(
                        choices=[
                            ("policy", "A policy was published"),
                            ("calendar", "A calendar was changed"),
                        ],
                        max_length=8,
                        verbose_name="cause",
                    ),
                ),
                (
                    "to_open_tickets",
                    models.BooleanField(default=False, verbose_name="applied to open tickets"),
                ),
                (
                    "cursor",
                    models.BigIntegerField(
                        default=0,
                        help_text="The last ticket that was looked at.",
                        verbose_name="cursor",
                    ),
                ),
                ("last_id", models.BigIntegerField(verbose_name="last ticket")),
                ("created_at", models.DateTimeField(verbose_name="created")),
                ("done_at", models.DateTimeField(blank=True, null=True, verbose_name="done")),
                (
                    "looked",
                    models.PositiveIntegerField(default=0, verbose_name="tickets looked at"),
                ),
                (
                    "changed",
                    models.PositiveIntegerField(default=0, verbose_name="next looks changed"),
                ),
                (
                    "applied",
                    models.PositiveIntegerField(default=0, verbose_name="tickets applied to"),
                ),
            ],
            options={
                "verbose_name": "relook",
                "verbose_name_plural": "relooks",
                "ordering": ("-pk",),
            },
        ),
        migrations.AddField(
            model_name="promise",
            name="not_told_since",
            field=models.DateTimeField(
                blank=True,
                help_text="The letter with this time bounced, and none has arrived since.",
                null=True,
                verbose_name="customer not told since",
            ),
        ),
        migrations.AddIndex(
            model_name="promise",
            index=models.Index(
                condition=models.Q(("not_told_since__isnull", False)),
                fields=["ticket"],
                name="promise_not_told",
            ),
        ),
        migrations.AddField(
            model_name="relook",
            name="calendar_version",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="relook",
                to="staff.calendarversion",
                verbose_name="calendar version",
            ),
        ),
        migrations.AddField(
            model_name="relook",
            name="created_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="relook",
            name="policy_version",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="relooks",
                to="escalation.policyversion",
                verbose_name="policy version",
            ),
        ),
        migrations.AddIndex(
            model_name="relook",
            index=models.Index(
                condition=models.Q(("done_at", None)), fields=["id"], name="relook_pending"
            ),
        ),
        migrations.AddConstraint(
            model_name="relook",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("cause", "policy"), ("policy_version__isnull", False)),
                    models.Q(("calendar_version__isnull", False), ("cause", "calendar")),
                    _connector="OR",
                ),
                name="relook_names_its_cause",
            ),
        ),
        migrations.AddConstraint(
            model_name="relook",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("to_open_tickets", False), ("cause", "policy"), _connector="OR"
                ),
                name="relook_applies_a_policy",
            ),
        ),
        migrations.AddConstraint(
            model_name="relook",
            constraint=models.CheckConstraint(
                condition=models.Q(("cursor__gte", 0), ("cursor__lte", models.F("last_id"))),
                name="relook_within_range",
            ),
        ),
    ]
