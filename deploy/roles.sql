-- Least privilege for the store on PostgreSQL 13 or later: three roles, none of which logs in.
--
--   monitoring_owner   makes and upgrades the tables; used once a release, by a person or a deployment
--   monitoring_writer  runs, sensors and the label service: rows only, no tables, no schema
--   monitoring_reader  `history`, `incidents list` and `show`, dashboards: reads only
--
-- Use a database of its own. Connect to it as a superuser or as its owner who may create roles:
--
--   psql --set ON_ERROR_STOP=1 --single-transaction --dbname monitoring --file roles.sql
--
-- Then make the users that log in, each with one of the roles (passwords are yours to choose):
--
--   CREATE ROLE monitoring_deploy LOGIN IN ROLE monitoring_owner PASSWORD '...';
--   ALTER ROLE monitoring_deploy SET role = monitoring_owner;  -- so that tables are the role's
--   CREATE ROLE monitoring_run LOGIN IN ROLE monitoring_writer PASSWORD '...';
--   CREATE ROLE monitoring_view LOGIN IN ROLE monitoring_reader PASSWORD '...';
--
-- It may be run again at any time. Run it again after tables were first made: then the record of
-- their version, too, is the owner's alone to write.

DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['monitoring_owner', 'monitoring_writer', 'monitoring_reader'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
        END IF;
    END LOOP;
    -- By default everybody may connect and make temporary tables.
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format(
        'GRANT CONNECT ON DATABASE %I TO monitoring_owner, monitoring_writer, monitoring_reader',
        current_database()
    );
END
$$;

-- Before PostgreSQL 15 everybody may make tables here.
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO monitoring_owner;
GRANT USAGE ON SCHEMA public TO monitoring_writer, monitoring_reader;

-- Tables to come, those of upgrades as well.
ALTER DEFAULT PRIVILEGES FOR ROLE monitoring_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO monitoring_writer;
ALTER DEFAULT PRIVILEGES FOR ROLE monitoring_owner IN SCHEMA public
    GRANT USAGE ON SEQUENCES TO monitoring_writer;
ALTER DEFAULT PRIVILEGES FOR ROLE monitoring_owner IN SCHEMA public
    GRANT SELECT ON TABLES TO monitoring_reader;

-- Tables that are there, whoever made them; their sequences follow their owner.
DO $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT c.oid::regclass AS name, c.relkind AS kind
        FROM pg_class AS c
        WHERE c.relnamespace = 'public'::regnamespace
            AND c.relkind IN ('r', 'S')
            AND starts_with(c.relname, 'monitoring_')
        ORDER BY c.relkind DESC
    LOOP
        IF found.kind = 'r' THEN
            EXECUTE format('ALTER TABLE %s OWNER TO monitoring_owner', found.name);
            EXECUTE format(
                'GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE %s TO monitoring_writer', found.name
            );
            EXECUTE format('GRANT SELECT ON TABLE %s TO monitoring_reader', found.name);
        ELSE
            EXECUTE format('GRANT USAGE ON SEQUENCE %s TO monitoring_writer', found.name);
        END IF;
    END LOOP;
    IF to_regclass('public.monitoring_schema_version') IS NOT NULL THEN
        REVOKE INSERT, UPDATE, DELETE ON public.monitoring_schema_version FROM monitoring_writer;
    END IF;
END
$$;
