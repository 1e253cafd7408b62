from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tickets", "0004_snooze"),
    ]

    operations = [
        migrations.AlterField(
            model_name="followup",
            name="kind",
            field=models.CharField(
                choices=[
                    ("by_hand", "Reminder"),
                    ("progress", "Check progress"),
                    ("returned", "Escalation came back"),
                    ("confirm", "Confirm with the customer"),
                    ("not_told", "A letter bounced: the customer was not told"),
                    ("phone", "A letter bounced: phone the customer"),
                ],
                max_length=12,
                verbose_name="kind",
            ),
        ),
    ]
