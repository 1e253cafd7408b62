from django.db import migrations

#: What signing in writes of a person is no part of the configuration.
PERSON = (
    "email, name, role, zone, language, signature, mail_notifications, single_keys, is_active,"
    " is_superuser"
)
WATCHED = {
    "escalation_policy": "UPDATE",
    "escalation_policyversion": "UPDATE",
    "staff_absence": "UPDATE",
    "staff_calendar": "UPDATE",
    "staff_calendarversion": "UPDATE",
    "staff_team": "UPDATE",
    "staff_team_leads": "UPDATE",
    "staff_team_members": "UPDATE",
    "staff_tier": "UPDATE",
    "staff_user": f"UPDATE OF {PERSON}",
    "tickets_category": "UPDATE",
    "tickets_categoryteam": "UPDATE",
    "tickets_plan": "UPDATE",
    "tickets_requireddetail": "UPDATE",
}


class Migration(migrations.Migration):
    """One row that says which edition of the configuration is in force, renewed by triggers on
    whatever is configured, in the lower apps as well: here is the one list of it.

    Whoever changes the configuration waits for whoever is just changing it; readers wait for
    nobody. See ``staff/editions.py``.
    """

    dependencies = [
        ("escalation", "0005_review"),
        ("staff", "0001_initial"),
        ("tickets", "0005_undelivered_letters"),
    ]

    operations = [
        migrations.RunSQL(
            sql="""
                CREATE TABLE staff_edition (
                    id smallint PRIMARY KEY DEFAULT 1 CHECK (id = 1),
                    token uuid NOT NULL
                );
                INSERT INTO staff_edition (token) VALUES (gen_random_uuid());
                CREATE FUNCTION staff_edition_renew() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    INSERT INTO staff_edition (token) VALUES (gen_random_uuid())
                    ON CONFLICT (id) DO UPDATE SET token = excluded.token;
                    RETURN NULL;
                END $$;
            """,
            reverse_sql="""
                DROP FUNCTION staff_edition_renew();
                DROP TABLE staff_edition;
            """,
        ),
        migrations.RunSQL(
            sql=[
                f"CREATE TRIGGER edition AFTER INSERT OR DELETE OR TRUNCATE OR {change} ON {table}"
                " FOR EACH STATEMENT EXECUTE FUNCTION staff_edition_renew()"
                for table, change in WATCHED.items()
            ],
            reverse_sql=[f"DROP TRIGGER edition ON {table}" for table in WATCHED],
        ),
    ]
