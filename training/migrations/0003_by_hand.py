import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Who was asked by somebody, and of whom the leads were told."""

    dependencies = [
        ("training", "0002_immutable"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="enrollment",
            name="by_hand",
            field=models.BooleanField(
                db_default=False, default=False, verbose_name="asked by somebody"
            ),
        ),
        migrations.AddField(
            model_name="enrollment",
            name="asked_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="enrollment",
            name="leads_told_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="leads told"),
        ),
    ]
