import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What webhooks are to be told of conflicts: put beside the record, in the transaction that writes it, so that nothing is lost
 * whoever dies; and how many merges have lost nothing.
 */
export class Telling1763700000014 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(TABLES);
    await queryRunner.query(EVENTS);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(/* sql */ `
DROP TRIGGER meridian_tell_insert ON meridian.conflict;
DROP TRIGGER meridian_tell_update ON meridian.conflict;
DROP TRIGGER meridian_tell_insert ON meridian.decision;
DROP TRIGGER meridian_tell_update ON meridian.decision;
DROP FUNCTION meridian.tell_conflicts(), meridian.tell_decisions(), meridian.conflict_event(text, text), meridian.decision_event(text);
DROP TABLE meridian.webhook, meridian.webhook_delivery, meridian.merge_count`);
  }
}

const TABLES = /* sql */ `
-- This region's own, as its configuration has them.
CREATE TABLE meridian.webhook (
  name text PRIMARY KEY,
  address text NOT NULL,      -- digest of its URL, which may hold a secret: another address begins anew
  events text[] NOT NULL,
  tables text[],              -- as PostgreSQL writes them; NULL: all
  told_at timestamptz,        -- when the receiver took something last
  stopped text                -- why it is told nothing any more; NULL: it is
);

-- One row for each thing that a webhook is still to be told, or could not be.
CREATE TABLE meridian.webhook_delivery (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  hook text NOT NULL,
  event text NOT NULL,
  conflict text NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  since timestamptz NOT NULL DEFAULT clock_timestamp(),  -- from when on it is tried; told or given up in a time that counts from here
  attempts integer NOT NULL DEFAULT 0,
  next_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  error text,                 -- of the last attempt
  failed_at timestamptz       -- given up
);
CREATE INDEX webhook_delivery_due ON meridian.webhook_delivery (hook, next_at) WHERE failed_at IS NULL;
CREATE INDEX webhook_delivery_failed ON meridian.webhook_delivery (hook, failed_at) WHERE failed_at IS NOT NULL;

-- Of concurrent versions that all went into one value. This region's share: added up over the regions, each counts once.
CREATE TABLE meridian.merge_count (
  rel text NOT NULL,
  columns text NOT NULL,      -- JSON: ["tags"]
  policy text NOT NULL,
  merges bigint NOT NULL,
  since timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (rel, columns, policy)
);
`;

const EVENTS = /* sql */ `
-- What it is called when a record's status goes from one to the other; NULL: nothing to tell.
CREATE FUNCTION meridian.conflict_event(old_status text, new_status text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN new_status = 'open' THEN CASE WHEN old_status = 'open' THEN 'conflict.followed' ELSE 'conflict.opened' END
              WHEN old_status = 'open' THEN 'conflict.withdrawn' END
$$;
CREATE FUNCTION meridian.decision_event(strategy text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN strategy IN ('undone', 'reopened') THEN 'conflict.reopened' ELSE 'conflict.resolved' END
$$;

-- A record is told of by the region that wrote it: once for the cluster.
CREATE FUNCTION meridian.tell_conflicts() RETURNS trigger
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM meridian.webhook) THEN
    RETURN NULL;
  END IF;
  IF TG_OP = 'INSERT' THEN
    INSERT INTO meridian.webhook_delivery (hook, event, conflict)
    SELECT w.name, meridian.conflict_event(NULL, n.status), n.id
      FROM new_rows n JOIN meridian.region r ON r.name = n.region
      JOIN meridian.webhook w ON w.stopped IS NULL AND (w.tables IS NULL OR n.rel = ANY (w.tables))
                             AND meridian.conflict_event(NULL, n.status) = ANY (w.events);
  ELSE
    INSERT INTO meridian.webhook_delivery (hook, event, conflict)
    SELECT w.name, meridian.conflict_event(o.status, n.status), n.id
      FROM new_rows n JOIN old_rows o USING (id) JOIN meridian.region r ON r.name = n.region
      JOIN meridian.webhook w ON w.stopped IS NULL AND (w.tables IS NULL OR n.rel = ANY (w.tables))
                             AND meridian.conflict_event(o.status, n.status) = ANY (w.events);
  END IF;
  RETURN NULL;
END
$$;

CREATE FUNCTION meridian.tell_decisions() RETURNS trigger
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM meridian.webhook) THEN
    RETURN NULL;
  END IF;
  INSERT INTO meridian.webhook_delivery (hook, event, conflict)
  SELECT w.name, meridian.decision_event(n.strategy), c.id
    FROM new_rows n JOIN meridian.conflict c ON c.id = n.conflict JOIN meridian.region r ON r.name = c.region
    JOIN meridian.webhook w ON w.stopped IS NULL AND (w.tables IS NULL OR c.rel = ANY (w.tables))
                           AND meridian.decision_event(n.strategy) = ANY (w.events);
  RETURN NULL;
END
$$;

-- Meridian's by their names: such triggers change nothing that is captured. ALWAYS, for apply writes as a replica does.
${tells('conflict', 'tell_conflicts')}
${tells('decision', 'tell_decisions')}
`;

function tells(table: string, fn: string): string {
  const transition = { insert: 'NEW TABLE AS new_rows', update: 'OLD TABLE AS old_rows NEW TABLE AS new_rows' };
  return Object.entries(transition)
    .map(
      ([op, rows]) => /* sql */ `
CREATE TRIGGER meridian_tell_${op} AFTER ${op} ON meridian.${table} REFERENCING ${rows} FOR EACH STATEMENT EXECUTE FUNCTION meridian.${fn}();
ALTER TABLE meridian.${table} ENABLE ALWAYS TRIGGER meridian_tell_${op};`,
    )
    .join('\n');
}
