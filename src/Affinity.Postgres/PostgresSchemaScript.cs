namespace Affinity.Backends.Postgres;

/// <summary>
/// The SQL that makes and upgrades the tables and functions. It may be run again and again; <c>affinity schema postgres</c> prints it for those who do not let an app create tables.
/// </summary>
/// <remarks>
/// <para>A session is a row. <c>version</c> is counter and stamp, 8 bytes each, big-endian, so that no counter is too large for a type of SQL; <c>writes</c> is the last of them, oldest first. A deleted session is a row with <c>ended</c>, of which
/// nothing is left but how long the ending is remembered. <c>due</c> is <c>expires</c> rounded down to ten minutes and has the index that the sweeper reads: with an index on <c>expires</c> itself no write and no touch
/// could be heap-only, so each would write the index and leave a dead entry in it.</para>
/// <para>Times are of <c>clock_timestamp()</c>: <c>now()</c> is when the transaction began, and one that has waited for another writer's lock would take for living what has expired meanwhile.</para>
/// <para>The table of nodes is UNLOGGED: a transaction that changes nothing else waits neither for a disk nor for a synchronous standby, so nodes do not count as dead because a standby is away. A crash empties it, as it empties
/// the nodes' belief in what they were told: each beat says that the former record is gone.</para>
/// </remarks>
internal static class PostgresSchemaScript
{
    /// <summary>What this release makes and needs. A later one that can no longer be used by this one raises <c>serves</c> beyond it.</summary>
    public const int Number = 1;

    // Two numbers name a lock of ours among those of the app: "aff" and what it is for.
    private const int LockSpace = 0x616666;

    /// <summary>As PostgreSQL takes it: who makes the schema of this name does so alone.</summary>
    public static string MakingLock(string schema) => $"{LockSpace}, hashtext('{schema} schema')";

    /// <summary>The same for who removes expired sessions.</summary>
    public static string SweepingLock(string schema) => $"{LockSpace}, hashtext('{schema} sweeper')";

    /// <summary>Where endings and renewals are announced.</summary>
    public static string ChannelOf(string schema) => schema + "_stale";

    /// <summary>The whole script as one transaction, for people.</summary>
    public static string Printed(string schema, bool unlogged) =>
        $"BEGIN;\nSELECT pg_advisory_xact_lock({MakingLock(schema)});\n\n{Of(schema, unlogged)}\nCOMMIT;\n";

    /// <param name="schema">A name that needs no quotes.</param>
    /// <param name="unlogged">See <see cref="PostgresOptions.Unlogged"/>; of a table that is there already it changes nothing.</param>
    public static string Of(string schema, bool unlogged) =>
        Text.Replace("«schema»", schema, StringComparison.Ordinal)
            .Replace("«channel»", ChannelOf(schema), StringComparison.Ordinal)
            .Replace("«unlogged»", unlogged ? "UNLOGGED " : "", StringComparison.Ordinal)
            .Replace("«number»", Number.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal);

    private const string Text = """
        CREATE SCHEMA IF NOT EXISTS «schema»;

        CREATE TABLE IF NOT EXISTS «schema».version (
          one boolean PRIMARY KEY DEFAULT true CHECK (one),
          number integer NOT NULL, -- what is here
          serves integer NOT NULL  -- the oldest release that can use it, by its number
        );

        CREATE «unlogged»TABLE IF NOT EXISTS «schema».sessions (
          key text COLLATE "C" PRIMARY KEY,
          version bytea NOT NULL CHECK (length(version) = 16),
          generation integer NOT NULL CHECK (generation >= 0),
          generation_before integer NOT NULL,  -- this and the next are of the write before the last: what a write has replaced is
          expires_before timestamptz NOT NULL, -- known without a look before each
          ended boolean NOT NULL DEFAULT false,
          expires timestamptz NOT NULL CHECK (isfinite(expires)),
          absolute timestamptz NOT NULL CHECK (isfinite(absolute)),
          due timestamptz GENERATED ALWAYS AS (date_bin('10 minutes', expires, '2000-01-01 00:00:00+00')) STORED,
          writes bytea NOT NULL CHECK (length(writes) <= 256 AND length(writes) % 16 = 0),
          payload bytea NOT NULL
        ) WITH (fillfactor = 75, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.2);

        CREATE INDEX IF NOT EXISTS sessions_due ON «schema».sessions (due);

        CREATE UNLOGGED TABLE IF NOT EXISTS «schema».nodes (
          id text COLLATE "C" PRIMARY KEY,
          incarnation uuid NOT NULL,
          expires timestamptz NOT NULL,
          wish text,
          state text NOT NULL,
          in_flight integer NOT NULL,
          bound integer NOT NULL,
          address text,
          track text,
          stopping boolean NOT NULL,
          format_level integer NOT NULL,
          settings text
        ) WITH (fillfactor = 50);

        CREATE TABLE IF NOT EXISTS «schema».keys (
          ring text COLLATE "C" NOT NULL,
          position integer NOT NULL,
          element bytea NOT NULL, -- UTF-8; a text cannot hold every character
          PRIMARY KEY (ring, position)
        );

        -- One atomic step of check and write. A row that ON CONFLICT or UPDATE meets is locked, and its condition is tried on the newest row there is; what is answered when it does not hold is read by a statement of its own, whose
        -- snapshot is newer than that. In one statement with a CTE it would come from the snapshot in which the whole began: an older row than the one that was in the way, or none.
        CREATE OR REPLACE FUNCTION «schema».write_session(
          p_key text, p_expected bytea, p_next bytea, p_generation integer, p_idle bigint, p_absolute bigint, p_payload bytea, p_between bytea,
          OUT o_kind text, OUT o_version bytea, OUT o_generation integer, OUT o_left bigint, OUT o_absolute bigint, OUT o_payload bytea, OUT o_writes bytea)
        LANGUAGE plpgsql AS $$
        DECLARE
          v_row «schema».sessions%ROWTYPE;
          v_before integer;
          v_expired timestamptz;
          v_creates boolean := p_expected = '\x00000000000000000000000000000000';
          v_new bytea := p_between || p_next;
          v_now timestamptz;
        BEGIN
          FOR attempt IN 1..100 LOOP
            IF v_creates THEN
              INSERT INTO «schema».sessions AS s (key, version, generation, generation_before, expires_before, expires, absolute, writes, payload)
              VALUES (p_key, p_next, p_generation, p_generation, clock_timestamp(), clock_timestamp() + least(p_idle, p_absolute) * interval '1 millisecond', clock_timestamp() + p_absolute * interval '1 millisecond', v_new, p_payload)
              ON CONFLICT (key) DO UPDATE SET
                version = p_next, generation = p_generation, generation_before = p_generation, expires_before = clock_timestamp(), ended = false,
                expires = clock_timestamp() + least(p_idle, p_absolute) * interval '1 millisecond', absolute = clock_timestamp() + p_absolute * interval '1 millisecond', writes = v_new, payload = p_payload
              WHERE s.expires <= clock_timestamp();
              IF FOUND THEN
                o_kind := 'written';
                RETURN;
              END IF;
            ELSE
              UPDATE «schema».sessions s SET
                version = p_next, generation = p_generation, generation_before = s.generation, expires_before = s.expires, payload = p_payload,
                expires = least(clock_timestamp() + p_idle * interval '1 millisecond', s.absolute),
                writes = substr(s.writes || v_new, greatest(1, length(s.writes) + length(v_new) - 255))
              WHERE s.key = p_key AND s.version = p_expected AND NOT s.ended AND s.expires > clock_timestamp()
              RETURNING s.generation_before, s.expires_before INTO v_before, v_expired;
              IF FOUND THEN
                -- Who had the row locked may have changed nothing of it. Then the condition is not tried again, and by now the session may be gone; nobody has seen what was written on it.
                IF v_expired <= clock_timestamp() THEN
                  DELETE FROM «schema».sessions s WHERE s.key = p_key;
                  o_kind := 'absent';
                  RETURN;
                END IF;

                -- Within the transaction, so that it is told if and when the write is done. A commit that notifies holds a lock that all databases of the server share: writes that renew nothing do not.
                IF v_before <> p_generation THEN
                  PERFORM pg_notify('«channel»', p_key || ' ' || p_generation);
                END IF;
                o_kind := 'written';
                RETURN;
              END IF;
            END IF;

            SELECT * INTO v_row FROM «schema».sessions s WHERE s.key = p_key;
            v_now := clock_timestamp();
            IF FOUND AND v_row.expires IS NULL THEN
              o_kind := 'damaged';
              RETURN;
            END IF;
            IF v_row.key IS NULL OR v_row.expires <= v_now THEN
              CONTINUE WHEN v_creates; -- it has gone since
              o_kind := 'absent';
              RETURN;
            END IF;
            CONTINUE WHEN NOT v_creates AND NOT v_row.ended AND v_row.version = p_expected; -- it has come since

            IF v_row.ended THEN
              o_kind := 'ended';
              RETURN;
            END IF;
            IF v_row.version = p_next THEN
              o_kind := 'written';
              RETURN;
            END IF;

            o_kind := CASE WHEN EXISTS (SELECT 1 FROM generate_series(9, length(v_row.writes) - 7, 16) AS at WHERE substr(v_row.writes, at, 8) = substr(p_next, 9, 8)) THEN 'superseded' ELSE 'conflict' END;
            o_version := v_row.version;
            o_generation := v_row.generation;
            o_left := extract(epoch FROM v_row.expires - v_now) * 1000000;
            o_absolute := extract(epoch FROM v_row.absolute - v_now) * 1000000;
            o_payload := v_row.payload;
            o_writes := v_row.writes;
            RETURN;
          END LOOP;
          RAISE EXCEPTION 'the session came and went' USING ERRCODE = 'serialization_failure';
        END
        $$;

        -- The lock first: with an UPDATE alone the condition would be of the time before it.
        CREATE OR REPLACE FUNCTION «schema».touch_session(p_key text, p_idle bigint) RETURNS boolean LANGUAGE plpgsql AS $$
        DECLARE
          v_expires timestamptz;
        BEGIN
          SELECT s.expires INTO v_expires FROM «schema».sessions s WHERE s.key = p_key AND NOT s.ended FOR UPDATE;
          IF v_expires > clock_timestamp() THEN
            UPDATE «schema».sessions s SET expires = least(clock_timestamp() + p_idle * interval '1 millisecond', s.absolute) WHERE s.key = p_key;
            RETURN true;
          END IF;
          RETURN false;
        END
        $$;

        -- One beat: the caller's record, if the name is its own or free, and all who live. Rows that another beat holds are left to it, so that two beats never wait for each other in a circle.
        CREATE OR REPLACE FUNCTION «schema».beat(
          p_id text, p_incarnation uuid, p_dead_after bigint, p_state text, p_in_flight integer, p_bound integer, p_address text, p_track text, p_stopping boolean, p_format_level integer, p_settings text)
        RETURNS TABLE (o_accepted boolean, o_renewed boolean, o_wish text, o_history text, o_id text, o_incarnation uuid, o_state text, o_in_flight integer, o_bound integer, o_address text, o_track text, o_stopping boolean, o_format_level integer, o_settings text)
        LANGUAGE plpgsql AS $$
        DECLARE
          v_held «schema».nodes%ROWTYPE;
          v_lives boolean;
          v_accepted boolean := false;
          v_renewed boolean := false;
          v_wish text;
          v_history text := (SELECT system_identifier FROM pg_control_system()) || ' ' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) || ' ' || extract(epoch FROM pg_postmaster_start_time());
        BEGIN
          FOR attempt IN 1..100 LOOP
            SELECT * INTO v_held FROM «schema».nodes n WHERE n.id = p_id FOR UPDATE;
            IF NOT FOUND THEN
              INSERT INTO «schema».nodes VALUES (p_id, p_incarnation, clock_timestamp() + p_dead_after * interval '1 millisecond', NULL, p_state, p_in_flight, p_bound, p_address, p_track, p_stopping, p_format_level, p_settings)
              ON CONFLICT (id) DO NOTHING;
              CONTINUE WHEN NOT FOUND; -- another one was faster, and is looked at
              v_accepted := true;
            ELSE
              v_lives := v_held.expires > clock_timestamp();
              v_renewed := v_lives AND v_held.incarnation = p_incarnation;
              v_accepted := v_renewed OR NOT v_lives;
              IF v_renewed THEN
                v_wish := v_held.wish;
              END IF;
              IF v_accepted THEN
                UPDATE «schema».nodes n SET
                  incarnation = p_incarnation, expires = clock_timestamp() + p_dead_after * interval '1 millisecond', wish = v_wish, state = p_state, in_flight = p_in_flight, bound = p_bound, address = p_address, track = p_track,
                  stopping = p_stopping, format_level = p_format_level, settings = p_settings
                WHERE n.id = p_id;
              END IF;
            END IF;
            EXIT;
          END LOOP;

          IF v_accepted THEN
            DELETE FROM «schema».nodes n WHERE n.id IN (SELECT d.id FROM «schema».nodes d WHERE d.expires <= clock_timestamp() AND d.id <> p_id FOR UPDATE SKIP LOCKED);
          END IF;

          RETURN QUERY SELECT v_accepted, v_renewed, v_wish, v_history, n.id, n.incarnation, n.state, n.in_flight, n.bound, n.address, n.track, n.stopping, n.format_level, n.settings
          FROM «schema».nodes n WHERE n.expires > clock_timestamp() OR n.id = p_id ORDER BY n.id;
        END
        $$;

        INSERT INTO «schema».version AS v (number, serves) VALUES («number», 1)
        ON CONFLICT (one) DO UPDATE SET number = greatest(v.number, EXCLUDED.number), serves = greatest(v.serves, EXCLUDED.serves);
        """;
}
