import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """An escalation keeps the version of the procedure that was in force; which one that is, is part
    of the configuration: see ``0006_edition``.
    """

    dependencies = [
        ("escalation", "0006_edition"),
        ("training", "0002_immutable"),
    ]

    operations = [
        migrations.AddField(
            model_name="escalation",
            name="procedure_version",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="training.procedureversion",
                verbose_name="procedure version",
            ),
        ),
        migrations.RunSQL(
            sql="""
                CREATE TRIGGER edition
                    AFTER INSERT OR DELETE OR TRUNCATE OR UPDATE OF state
                    ON training_procedureversion
                    FOR EACH STATEMENT EXECUTE FUNCTION staff_edition_renew();
            """,
            reverse_sql="DROP TRIGGER edition ON training_procedureversion;",
        ),
    ]
