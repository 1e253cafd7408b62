from django.db import migrations


class Migration(migrations.Migration):
    """What was published is never changed and never goes, and neither is what was answered: kept by
    the database, whoever writes to it. A name may go with the person who left.
    """

    dependencies = [("training", "0001_initial")]

    operations = [
        migrations.RunSQL(
            sql="""
                CREATE FUNCTION training_version_stays() RETURNS trigger LANGUAGE plpgsql AS $$
                DECLARE
                    names text[] := ARRAY['created_by_id', 'submitted_by_id', 'published_by_id'];
                BEGIN
                    IF OLD.state = 'published' AND (
                        TG_OP = 'DELETE' OR to_jsonb(OLD) - names <> to_jsonb(NEW) - names
                    ) THEN
                        RAISE EXCEPTION 'a published version of a procedure is never changed'
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
                END $$;
                CREATE TRIGGER stays BEFORE UPDATE OR DELETE ON training_procedureversion
                    FOR EACH ROW EXECUTE FUNCTION training_version_stays();

                CREATE FUNCTION training_video_stays() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    IF EXISTS (
                        SELECT FROM training_procedureversion
                        WHERE state = 'published'
                        AND id = CASE TG_OP WHEN 'INSERT' THEN NEW.version_id ELSE OLD.version_id END
                    ) THEN
                        RAISE EXCEPTION 'the lesson of a published version is never changed'
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
                END $$;
                CREATE TRIGGER stays BEFORE INSERT OR UPDATE OR DELETE ON training_lessonvideo
                    FOR EACH ROW EXECUTE FUNCTION training_video_stays();

                CREATE FUNCTION training_answer_stays() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    RAISE EXCEPTION 'an answer is never changed'
                        USING ERRCODE = 'integrity_constraint_violation';
                END $$;
                CREATE TRIGGER stays BEFORE UPDATE ON training_answer
                    FOR EACH ROW EXECUTE FUNCTION training_answer_stays();
            """,
            reverse_sql="""
                DROP TRIGGER stays ON training_answer;
                DROP FUNCTION training_answer_stays();
                DROP TRIGGER stays ON training_lessonvideo;
                DROP FUNCTION training_video_stays();
                DROP TRIGGER stays ON training_procedureversion;
                DROP FUNCTION training_version_stays();
            """,
        ),
    ]
