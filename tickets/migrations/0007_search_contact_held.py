from django.db import migrations

#: Of the contacts of new tickets: whoever renames one meanwhile has ended, and is read below, or
#: waits until these tickets can be seen and indexes them again.
HOLD = """
    CREATE OR REPLACE FUNCTION tickets_search_ticket_made() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM 1 FROM tickets_contact WHERE id IN (SELECT requester_id FROM made)
        ORDER BY id FOR SHARE;
        INSERT INTO tickets_searchentry (ticket_id, doc, length, touched_at)
        SELECT made.id, tickets_search_head(made.id), 0, made.created_at FROM made;
        RETURN NULL;
    END $$;

    CREATE OR REPLACE FUNCTION tickets_search_ticket_changed() RETURNS trigger
    LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.requester_id <> OLD.requester_id THEN
            PERFORM 1 FROM tickets_contact WHERE id = NEW.requester_id FOR SHARE;
        END IF;
        PERFORM tickets_search_renew(ARRAY[NEW.id]);
        RETURN NULL;
    END $$;
"""

BEFORE = """
    CREATE OR REPLACE FUNCTION tickets_search_ticket_made() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO tickets_searchentry (ticket_id, doc, length, touched_at)
        SELECT made.id, tickets_search_head(made.id), 0, made.created_at FROM made;
        RETURN NULL;
    END $$;

    CREATE OR REPLACE FUNCTION tickets_search_ticket_changed() RETURNS trigger
    LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM tickets_search_renew(ARRAY[NEW.id]);
        RETURN NULL;
    END $$;
"""


class Migration(migrations.Migration):
    """A ticket is found under the name its contact has, also when both are written at once."""

    dependencies = [("tickets", "0006_search")]

    operations = [migrations.RunSQL(sql=HOLD, reverse_sql=BEFORE)]
