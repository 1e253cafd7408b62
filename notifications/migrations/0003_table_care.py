from django.db import migrations

HOT = ("notifications_outgoingemail",)


class Migration(migrations.Migration):
    """Every attempt to send writes indexed columns of a mail: leave room on the pages,
    and vacuum early (dead index entries made an idle sweep 16 times slower).
    """

    dependencies = [("notifications", "0002_initial")]

    operations = [
        migrations.RunSQL(
            sql=[
                f"ALTER TABLE {table} SET (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.01)"
                for table in HOT
            ],
            reverse_sql=[
                f"ALTER TABLE {table} RESET (fillfactor, autovacuum_vacuum_scale_factor)"
                for table in HOT
            ],
        )
    ]
