from django.db import migrations, models


class Migration(migrations.Migration):
    """How a version's questions are answered is told from the index alone, what was chosen included."""

    dependencies = [("training", "0003_by_hand")]

    operations = [
        migrations.RemoveIndex(model_name="answer", name="answer_by_question"),
        migrations.AddIndex(
            model_name="answer",
            index=models.Index(
                fields=("version", "question"),
                include=("step", "right", "given"),
                name="answer_by_question",
            ),
        ),
    ]
