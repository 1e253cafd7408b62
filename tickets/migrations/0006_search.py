import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
from django.db import migrations, models

#: What stands between words, and what accents become when they are taken apart (NFKD).
WORDS = r"""
    CREATE FUNCTION tickets_search_words(said text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE WHEN octet_length(said) = length(said)
        THEN regexp_replace(lower(said), '[^a-z0-9]+', ' ', 'g')
        ELSE regexp_replace(
            replace(replace(replace(
                translate(
                    lower(regexp_replace(normalize(said, NFKD), '[\u0300-\u036f]+', '', 'g')),
                    'øłđıð', 'oldid'),
                'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'),
            '[\x01-/:-@\[-`{-\u00bf\u00d7\u00f7\u2000-\u2bff\u3000-\u303f]+', ' ', 'g')
        END;
    COMMENT ON FUNCTION tickets_search_words IS
        'A text as its words: lower case, without accents, a blank for whatever stands between.';

    CREATE FUNCTION tickets_search_forms(word text) RETURNS text[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (
        SELECT array_agg(DISTINCT form) FROM (
            SELECT word AS form
            UNION ALL
            SELECT base || ending
            FROM unnest(ts_lexize('pg_catalog.english_stem', word)) AS stem,
                LATERAL (VALUES (stem), (left(stem, -1)), (stem || right(stem, 1))) AS bases (base),
                unnest(ARRAY['', 's', 'es', 'ed', 'e', 'ing', 'ings', 'er', 'ers', 'y', 'ies', 'ied',
                    'ly', 'able', 'ment', 'ments', 'ion', 'ions', 'or', 'ors', 'ate', 'ates', 'ated',
                    'ating', 'ation', 'ations']) AS ending
            WHERE ts_lexize('pg_catalog.english_stem', base || ending) = ARRAY[stem]
            UNION ALL
            SELECT stem || ending
            FROM unnest(ts_lexize('pg_catalog.german_stem', word)) AS stem,
                unnest(ARRAY['', 'e', 'em', 'en', 'er', 'ern', 'es', 'n', 's', 't', 'te', 'ten', 'end',
                    'ung', 'ungen', 'ig', 'ige', 'igen', 'lich', 'liche', 'lichen']) AS ending
            WHERE ts_lexize('pg_catalog.german_stem', stem || ending) = ARRAY[stem]
        ) AS forms
    );
    COMMENT ON FUNCTION tickets_search_forms IS
        'A word and those that have its English or its German stem, as far as endings make them.';

    CREATE FUNCTION tickets_search_query(asked text, beginning boolean) RETURNS tsquery
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
    DECLARE
        words text := trim(tickets_search_words(asked));
        wanted tsquery := phraseto_tsquery('pg_catalog.simple', words);
    BEGIN
        IF numnode(wanted) > 0 AND beginning THEN
            RETURN (wanted::text || ':*')::tsquery;
        ELSIF numnode(wanted) = 1 AND length(words) > 2 AND words !~ '[0-9]' THEN
            RETURN array_to_string(tickets_search_forms(words), '|')::tsquery;
        END IF;
        RETURN wanted;
    END $$;
    COMMENT ON FUNCTION tickets_search_query IS
        'One word in its forms; what has parts (an address, a file name) as a phrase of them.';
"""

#: Positions end at 16,383 and a tsvector at 1 MB: 200,000 characters are at most 0.8 MB.
#: A function for one ticket keeps its plan; one for a set of them was planned anew for each call,
#: which took a millisecond where the work takes a tenth.
ENTRIES = """
    CREATE FUNCTION tickets_search_name(name text, customer_id text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN to_tsvector('pg_catalog.simple', tickets_search_words(name || ' ' || customer_id));

    CREATE FUNCTION tickets_search_anywhere(wanted tsquery) RETURNS tsquery
    LANGUAGE plpgsql STABLE STRICT AS $$
    DECLARE
        theirs text := (
            SELECT string_agg('''org#' || id || '''', '|') FROM (
                SELECT id FROM tickets_organization
                WHERE tickets_search_name(name, customer_id) @@ wanted LIMIT 2000
            ) AS organization
        );
    BEGIN
        RETURN CASE WHEN theirs IS NULL THEN wanted ELSE wanted || theirs::tsquery END;
    END $$;
    COMMENT ON FUNCTION tickets_search_anywhere IS
        'What stands on a ticket, or in the name of its organization, which may change at any time.';

    CREATE FUNCTION tickets_search_head(ticket bigint) RETURNS tsvector
    LANGUAGE plpgsql STABLE STRICT AS $$
    BEGIN
        RETURN (
            SELECT setweight(to_tsvector('pg_catalog.simple',
                tickets_search_words(concat_ws(' ', 'HD', t.id, t.customer_reference, t.subject))),
                'A')
            || setweight(to_tsvector('pg_catalog.simple',
                tickets_search_words(concat_ws(' ', c.name, c.email))), 'B')
            || coalesce(('''org#' || t.organization_id || ''':1B')::tsvector, '')
            || setweight(to_tsvector('pg_catalog.simple',
                left(tickets_search_words(concat_ws(' ',
                    (SELECT left(string_agg(d.value, ' ' ORDER BY d.id), 20000)
                        FROM tickets_detail d WHERE d.ticket_id = t.id),
                    (SELECT left(string_agg(a.name, ' ' ORDER BY a.id), 20000)
                        FROM tickets_message m JOIN tickets_attachment a ON a.message_id = m.id
                        WHERE m.ticket_id = t.id)
                )), 40000)), 'C')
            FROM tickets_ticket t
            JOIN tickets_contact c ON c.id = t.requester_id
            WHERE t.id = ticket
        );
    END $$;

    CREATE FUNCTION tickets_search_talk(ticket bigint) RETURNS text
    LANGUAGE plpgsql STABLE STRICT AS $$
    BEGIN
        RETURN (
            SELECT coalesce(string_agg(
                ' ' || tickets_search_words(left(m.text, 50000)), '' ORDER BY m.id), '')
            FROM tickets_message m WHERE m.ticket_id = ticket
        );
    END $$;

    CREATE FUNCTION tickets_search_touched(ticket bigint) RETURNS timestamptz
    LANGUAGE plpgsql STABLE STRICT AS $$
    BEGIN
        RETURN (
            SELECT greatest(t.created_at,
                (SELECT max(m.created_at) FROM tickets_message m WHERE m.ticket_id = t.id))
            FROM tickets_ticket t WHERE t.id = ticket
        );
    END $$;

    CREATE FUNCTION tickets_search_lock(ids bigint[]) RETURNS void
    LANGUAGE plpgsql STRICT AS $$
    BEGIN
        -- What is read in the next statement is then the newest, and nobody waits in a circle.
        PERFORM 1 FROM tickets_searchentry WHERE ticket_id = ANY (ids)
        ORDER BY ticket_id FOR NO KEY UPDATE;
    END $$;

    CREATE FUNCTION tickets_search_renew(ids bigint[]) RETURNS void
    LANGUAGE plpgsql STRICT AS $$
    BEGIN
        -- In slices: a customer may have any number of tickets.
        FOR start IN 1 .. cardinality(ids) BY 200 LOOP
            PERFORM tickets_search_lock(ids[start : start + 199]);
            UPDATE tickets_searchentry AS e SET
                doc = tickets_search_head(said.id)
                    || to_tsvector('pg_catalog.simple', left(said.words, 200000)),
                length = length(said.words),
                touched_at = tickets_search_touched(said.id)
            FROM (
                SELECT id, tickets_search_talk(id) AS words
                FROM unnest(ids[start : start + 199]) AS id OFFSET 0
            ) AS said
            -- Messages are deleted before their ticket.
            WHERE e.ticket_id = said.id AND tickets_search_touched(said.id) IS NOT NULL;
        END LOOP;
    END $$;

    CREATE FUNCTION tickets_search_rebuild(first bigint, last bigint) RETURNS bigint
    LANGUAGE plpgsql STRICT AS $$
    DECLARE
        ids bigint[] := ARRAY(
            SELECT id FROM tickets_ticket WHERE id BETWEEN first AND last ORDER BY id);
    BEGIN
        PERFORM tickets_search_lock(ids);
        INSERT INTO tickets_searchentry AS e (ticket_id, doc, length, touched_at)
        SELECT said.id,
            tickets_search_head(said.id)
                || to_tsvector('pg_catalog.simple', left(said.words, 200000)),
            length(said.words),
            tickets_search_touched(said.id)
        FROM (
            SELECT id, tickets_search_talk(id) AS words FROM unnest(ids) AS id OFFSET 0
        ) AS said
        ON CONFLICT (ticket_id) DO UPDATE SET
            doc = excluded.doc, length = excluded.length, touched_at = excluded.touched_at;
        RETURN cardinality(ids);
    END $$;
    COMMENT ON FUNCTION tickets_search_rebuild IS
        'Index the tickets with these numbers anew, both included; answers how many there are.';
"""

TRIGGERS = """
    CREATE FUNCTION tickets_search_ticket_made() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO tickets_searchentry (ticket_id, doc, length, touched_at)
        SELECT made.id, tickets_search_head(made.id), 0, made.created_at FROM made;
        RETURN NULL;
    END $$;
    CREATE TRIGGER search_made AFTER INSERT ON tickets_ticket
        REFERENCING NEW TABLE AS made
        FOR EACH STATEMENT EXECUTE FUNCTION tickets_search_ticket_made();

    CREATE FUNCTION tickets_search_ticket_changed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM tickets_search_renew(ARRAY[NEW.id]);
        RETURN NULL;
    END $$;
    -- By row, so that the engine's own writes, which name none of these, cost nothing.
    CREATE TRIGGER search_changed
        AFTER UPDATE OF subject, customer_reference, requester_id, organization_id
        ON tickets_ticket FOR EACH ROW
        WHEN ((OLD.subject, OLD.customer_reference, OLD.requester_id, OLD.organization_id)
            IS DISTINCT FROM
            (NEW.subject, NEW.customer_reference, NEW.requester_id, NEW.organization_id))
        EXECUTE FUNCTION tickets_search_ticket_changed();

    CREATE FUNCTION tickets_search_message_made() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        ids bigint[] := ARRAY(SELECT DISTINCT ticket_id FROM made);
    BEGIN
        PERFORM tickets_search_lock(ids);
        UPDATE tickets_searchentry AS e SET
            doc = CASE WHEN e.length < 200000
                THEN e.doc
                    || to_tsvector('pg_catalog.simple', left(said.words, 200000 - e.length))
                ELSE e.doc END,
            length = e.length + length(said.words),
            touched_at = greatest(e.touched_at, said.touched_at)
        FROM (
            SELECT made.ticket_id,
                string_agg(
                    ' ' || tickets_search_words(left(made.text, 50000)), '' ORDER BY made.id)
                    AS words,
                max(made.created_at) AS touched_at
            FROM made GROUP BY made.ticket_id
        ) AS said
        WHERE e.ticket_id = said.ticket_id AND e.ticket_id = ANY (ids);
        RETURN NULL;
    END $$;
    CREATE TRIGGER search_made AFTER INSERT ON tickets_message
        REFERENCING NEW TABLE AS made
        FOR EACH STATEMENT EXECUTE FUNCTION tickets_search_message_made();

    CREATE FUNCTION tickets_search_message_changed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM tickets_search_renew(ARRAY[OLD.ticket_id, NEW.ticket_id]);
        RETURN NULL;
    END $$;
    CREATE TRIGGER search_changed AFTER UPDATE OF text, ticket_id, created_at
        ON tickets_message FOR EACH ROW
        WHEN ((OLD.text, OLD.ticket_id, OLD.created_at)
            IS DISTINCT FROM (NEW.text, NEW.ticket_id, NEW.created_at))
        EXECUTE FUNCTION tickets_search_message_changed();

    CREATE FUNCTION tickets_search_message_gone() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM tickets_search_renew(ARRAY(SELECT DISTINCT ticket_id FROM gone));
        RETURN NULL;
    END $$;
    CREATE TRIGGER search_gone AFTER DELETE ON tickets_message
        REFERENCING OLD TABLE AS gone
        FOR EACH STATEMENT EXECUTE FUNCTION tickets_search_message_gone();

    CREATE FUNCTION tickets_search_detail() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM tickets_search_renew(ARRAY(SELECT DISTINCT ticket_id FROM rows));
        RETURN NULL;
    END $$;
    CREATE FUNCTION tickets_search_detail_changed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM tickets_search_renew(ARRAY[OLD.ticket_id, NEW.ticket_id]);
        RETURN NULL;
    END $$;
    CREATE TRIGGER search_made AFTER INSERT ON tickets_detail
        REFERENCING NEW TABLE AS rows
        FOR EACH STATEMENT EXECUTE FUNCTION tickets_search_detail();
    CREATE TRIGGER search_gone AFTER DELETE ON tickets_detail
        REFERENCING OLD TABLE AS rows
        FOR EACH STATEMENT EXECUTE FUNCTION tickets_search_detail();
    CREATE TRIGGER search_changed AFTER UPDATE OF value, ticket_id ON tickets_detail FOR EACH ROW
        WHEN ((OLD.value, OLD.ticket_id) IS DISTINCT FROM (NEW.value, NEW.ticket_id))
        EXECUTE FUNCTION tickets_search_detail_changed();

    CREATE FUNCTION tickets_search_attachment() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM tickets_search_renew(ARRAY(
            SELECT DISTINCT m.ticket_id FROM rows JOIN tickets_message m ON m.id = rows.message_id));
        RETURN NULL;
    END $$;
    CREATE FUNCTION tickets_search_attachment_changed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM tickets_search_renew(ARRAY(
            SELECT ticket_id FROM tickets_message WHERE id IN (OLD.message_id, NEW.message_id)));
        RETURN NULL;
    END $$;
    CREATE TRIGGER search_made AFTER INSERT ON tickets_attachment
        REFERENCING NEW TABLE AS rows
        FOR EACH STATEMENT EXECUTE FUNCTION tickets_search_attachment();
    CREATE TRIGGER search_gone AFTER DELETE ON tickets_attachment
        REFERENCING OLD TABLE AS rows
        FOR EACH STATEMENT EXECUTE FUNCTION tickets_search_attachment();
    CREATE TRIGGER search_changed AFTER UPDATE OF name, message_id
        ON tickets_attachment FOR EACH ROW
        WHEN ((OLD.name, OLD.message_id) IS DISTINCT FROM (NEW.name, NEW.message_id))
        EXECUTE FUNCTION tickets_search_attachment_changed();

    CREATE FUNCTION tickets_search_contact_changed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM tickets_search_renew(
            ARRAY(SELECT id FROM tickets_ticket WHERE requester_id = NEW.id ORDER BY id));
        RETURN NULL;
    END $$;
    CREATE TRIGGER search_changed AFTER UPDATE OF name, email ON tickets_contact FOR EACH ROW
        WHEN ((OLD.name, OLD.email) IS DISTINCT FROM (NEW.name, NEW.email))
        EXECUTE FUNCTION tickets_search_contact_changed();
"""

TABLES = (
    "tickets_ticket",
    "tickets_message",
    "tickets_detail",
    "tickets_attachment",
    "tickets_contact",
)
DROP_TRIGGERS = [
    *(
        f"DROP TRIGGER IF EXISTS {name} ON {table}"
        for table in TABLES
        for name in ("search_made", "search_changed", "search_gone")
    ),
    *(
        f"DROP FUNCTION tickets_search_{name}()"
        for name in (
            "ticket_made",
            "ticket_changed",
            "message_made",
            "message_changed",
            "message_gone",
            "detail",
            "detail_changed",
            "attachment",
            "attachment_changed",
            "contact_changed",
        )
    ),
]


class Migration(migrations.Migration):
    """One row per ticket with the words it can be found by, kept by triggers, so that whatever
    door a text comes by it is found in the same transaction. See ``docs/architecture.md``, Search.
    """

    dependencies = [("tickets", "0005_undelivered_letters")]

    operations = [
        migrations.CreateModel(
            name="SearchEntry",
            fields=[
                (
                    "ticket",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="search_entry",
                        serialize=False,
                        to="tickets.ticket",
                        verbose_name="ticket",
                    ),
                ),
                ("touched_at", models.DateTimeField(verbose_name="last said")),
                ("length", models.PositiveIntegerField(verbose_name="characters said")),
                ("doc", django.contrib.postgres.search.SearchVectorField(verbose_name="words")),
            ],
            options={
                "verbose_name": "search entry",
                "verbose_name_plural": "search entries",
            },
        ),
        migrations.RunSQL(
            sql="""
                ALTER TABLE tickets_searchentry
                    ADD CONSTRAINT search_entry_goes_with_its_ticket FOREIGN KEY (ticket_id)
                        REFERENCES tickets_ticket (id) ON DELETE CASCADE,
                    -- The words stand beside the table, so that its rows are few pages.
                    SET (toast_tuple_target = 128, fillfactor = 90,
                        autovacuum_vacuum_scale_factor = 0.02);
            """,
            reverse_sql=migrations.RunSQL.noop,
        ),
        migrations.RunSQL(
            sql=WORDS,
            reverse_sql="""
                DROP FUNCTION tickets_search_query(text, boolean);
                DROP FUNCTION tickets_search_forms(text);
                DROP FUNCTION tickets_search_words(text);
            """,
        ),
        migrations.RunSQL(
            sql=ENTRIES,
            reverse_sql="""
                DROP FUNCTION tickets_search_rebuild(bigint, bigint);
                DROP FUNCTION tickets_search_renew(bigint[]);
                DROP FUNCTION tickets_search_lock(bigint[]);
                DROP FUNCTION tickets_search_touched(bigint);
                DROP FUNCTION tickets_search_talk(bigint);
                DROP FUNCTION tickets_search_head(bigint);
                DROP FUNCTION tickets_search_anywhere(tsquery);
                DROP FUNCTION tickets_search_name(text, text);
            """,
        ),
        # Those there are, before there are indexes to keep.
        migrations.RunSQL(
            sql="SELECT tickets_search_rebuild(min(id), max(id)) FROM tickets_ticket",
            reverse_sql=migrations.RunSQL.noop,
        ),
        migrations.AddIndex(
            model_name="searchentry",
            index=django.contrib.postgres.indexes.GinIndex(
                fields=["doc"], gin_pending_list_limit=1024, name="search_entry_words"
            ),
        ),
        migrations.AddIndex(
            model_name="searchentry",
            index=models.Index(fields=["touched_at"], name="search_entry_newest"),
        ),
        migrations.RunSQL(
            sql="""
                CREATE INDEX search_organization ON tickets_organization
                    USING gin (tickets_search_name(name, customer_id));
            """,
            reverse_sql="DROP INDEX search_organization",
        ),
        migrations.RunSQL(sql=TRIGGERS, reverse_sql=DROP_TRIGGERS),
    ]
