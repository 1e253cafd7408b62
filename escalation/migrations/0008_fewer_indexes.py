import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

#: What was asked by them stands first in a wider index, or is asked by nobody.
GONE = {
    "escalation_clock_calendar_version_id_6481ffda": "escalation_clock (calendar_version_id)",
    "escalation_clock_policy_version_id_c95e702e": "escalation_clock (policy_version_id)",
    "escalation_decision_policy_version_id_dc829dc5": "escalation_decision (policy_version_id)",
    "escalation_decision_ticket_id_a5f86d68": "escalation_decision (ticket_id)",
    "escalation_escalation_ended_by_id_4d858d61": "escalation_escalation (ended_by_id)",
    "escalation_escalation_policy_version_id_e55cf518": "escalation_escalation (policy_version_id)",
    "escalation_escalation_ticket_id_c7a5311b": "escalation_escalation (ticket_id)",
    "escalation_handoff_escalation_id_1042dce3": "escalation_handoff (escalation_id)",
    "escalation_handoff_from_team_id_bb505f19": "escalation_handoff (from_team_id)",
    "escalation_handoff_offered_by_id_da8751b6": "escalation_handoff (offered_by_id)",
    "escalation_handoff_outcome_by_id_b351f86a": "escalation_handoff (outcome_by_id)",
    "escalation_promise_made_by_id_46b34203": "escalation_promise (made_by_id)",
    "escalation_promise_ticket_id_64076aa4": "escalation_promise (ticket_id)",
    "escalation_step_handoff_id_74dd545d": "escalation_step (handoff_id)",
}


class Migration(migrations.Migration):
    """Every new row pays for each index, and these are read by nobody.

    Dropped by name: to alter a foreign key has Django drop it and check every row of the table again.
    """

    dependencies = [
        ("escalation", "0007_procedure_version"),
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
            ],
            state_operations=[
                migrations.AlterField(
                    model_name="clock",
                    name="calendar_version",
                    field=models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="staff.calendarversion",
                    ),
                ),
                migrations.AlterField(
                    model_name="clock",
                    name="policy_version",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="escalation.policyversion",
                    ),
                ),
                migrations.AlterField(
                    model_name="decision",
                    name="policy_version",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="escalation.policyversion",
                    ),
                ),
                migrations.AlterField(
                    model_name="decision",
                    name="ticket",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="decisions",
                        to="tickets.ticket",
                    ),
                ),
                migrations.AlterField(
                    model_name="escalation",
                    name="ended_by",
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
                    model_name="escalation",
                    name="policy_version",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="escalation.policyversion",
                    ),
                ),
                migrations.AlterField(
                    model_name="escalation",
                    name="ticket",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="escalations",
                        to="tickets.ticket",
                    ),
                ),
                migrations.AlterField(
                    model_name="handoff",
                    name="escalation",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="handoffs",
                        to="escalation.escalation",
                    ),
                ),
                migrations.AlterField(
                    model_name="handoff",
                    name="from_team",
                    field=models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="staff.team",
                    ),
                ),
                migrations.AlterField(
                    model_name="handoff",
                    name="offered_by",
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
                    model_name="handoff",
                    name="outcome_by",
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
                    model_name="promise",
                    name="made_by",
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
                    model_name="promise",
                    name="ticket",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="promises",
                        to="tickets.ticket",
                    ),
                ),
                migrations.AlterField(
                    model_name="step",
                    name="handoff",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="steps",
                        to="escalation.handoff",
                    ),
                ),
            ],
        ),
    ]
