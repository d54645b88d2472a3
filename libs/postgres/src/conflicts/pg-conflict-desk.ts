import {
  type Choice,
  chosenVersion,
  type ConflictDesk,
  type ConflictRecord,
  type Operator,
  Refused,
  type RegionId,
  type Remedy,
  remedyOf,
  type Resolving,
  reversalOf,
  type ShownConflict,
  type TriageAspect,
  type ValueChoice,
  writeOf,
  type Writer,
  type Written,
} from '@meridian/core';
import type { Pool, PoolClient } from 'pg';
import { RowTransactions } from '../rows/row-transactions.js';
import { Parameters } from '../rows/sql-builder.js';
import { setWriterSql } from '../rows/write-sql.js';
import { type ConflictRow, lockConflictRow, rowWriteOf } from './conflict-row.js';
import { GET_SQL } from './conflict-sql.js';
import {
  type DecidedConflict,
  parseConflict,
  requireNote,
  requireOpen,
  requireVersion,
  standing,
} from './decided-conflict.js';

/** Decisions as rows of their own (migration 8), written with the row in one transaction (see `ConflictDesk`). */
export class PgConflictDesk implements ConflictDesk {
  readonly #rows: RowTransactions;

  constructor(
    pool: Pool,
    private readonly region: RegionId,
  ) {
    this.#rows = new RowTransactions(pool, 'desk');
  }

  resolve(id: string, { choice, note }: Resolving, operator: Operator): Promise<ShownConflict> {
    return this.#at(id, operator, async (client, conflict) => {
      requireOpen(conflict, operator);
      requireNote(conflict, choice.kind, note, operator);
      const version = choice.kind === 'version' ? refOf(conflict.record, choice) : null;
      const written =
        choice.kind === 'accept'
          ? null
          : await this.#carryOut(client, conflict, operator, (row) => this.#chosen(client, conflict, row, choice));
      await this.#decide(client, conflict, { strategy: choice.kind, version, written, note }, operator);
    });
  }

  undo(id: string, note: string | null, operator: Operator): Promise<ShownConflict> {
    return this.#at(id, operator, async (client, conflict) => {
      const decision = standing(conflict);
      if (decision === null) {
        requireOpen(conflict, operator);
        const written = await this.#carryOut(client, conflict, operator, async ({ counters }) =>
          remedyOf(conflict.record, { kind: 'undo' }, counters),
        );
        return this.#decide(client, conflict, { strategy: 'undo', version: null, written, note }, operator);
      }
      const written =
        decision.written === null
          ? null
          : await this.#carryOut(client, conflict, operator, async ({ present, counters }) =>
              reversalOf(decision.written!, present, counters),
            );
      return this.#decide(client, conflict, { strategy: 'undone', version: null, written, note }, operator);
    });
  }

  reopen(id: string, note: string | null, operator: Operator): Promise<ShownConflict> {
    return this.#at(id, operator, async (client, conflict) => {
      if (standing(conflict) === null)
        throw new Refused(
          'conflict_not_decided',
          'nobody has decided it, or it is open again: there is nothing to reopen',
        );
      await this.#decide(client, conflict, { strategy: 'reopened', version: null, written: null, note }, operator);
    });
  }

  triage(id: string, aspect: TriageAspect, value: string | null, operator: Operator): Promise<ShownConflict> {
    return this.#at(id, operator, async (client, _, known) => {
      const { rowCount } = await client.query(TRIAGE, [
        id,
        aspect,
        value,
        operator.actor,
        this.region,
        known.has(aspect),
      ]);
      if (rowCount === 0) throw changedMeanwhile();
    });
  }

  /** One at a time in this region; what apply brings of the conflict waits, or is seen. */
  #at(
    id: string,
    operator: Operator,
    work: (client: PoolClient, conflict: DecidedConflict, known: ReadonlySet<string>) => Promise<void>,
  ): Promise<ShownConflict> {
    return this.#rows.run(async (client) => {
      const parameters = new Parameters();
      const lock = `pg_advisory_xact_lock(hashtextextended('meridian conflict ' || ${parameters.add(id)}, 0))`;
      const setWriter = setWriterSql(writerOf(operator), (value) => parameters.add(value));
      await client.query(`SELECT ${lock}, ${setWriter}`, parameters.values);
      await client.query('SELECT FROM meridian.decision WHERE conflict = $1 FOR UPDATE', [id]);
      const triage = await client.query<{ aspect: string }>(
        'SELECT aspect FROM meridian.triage WHERE conflict = $1 ORDER BY aspect FOR UPDATE',
        [id],
      );
      const conflict = parseConflict(await shown(client, id));
      requireVersion(conflict, operator);
      await work(client, conflict, new Set(triage.rows.map((r) => r.aspect)));
      return shown(client, id);
    });
  }

  async #chosen(
    client: PoolClient,
    { record }: DecidedConflict,
    row: ConflictRow,
    choice: Exclude<Choice, { kind: 'value' }> | ValueChoice,
  ): Promise<Remedy> {
    if (choice.kind !== 'value') return remedyOf(record, choice, row.counters);
    const { table, key } = row;
    const named = table.keyColumns.filter((c) => choice.columns.includes(c));
    if (named.length > 0)
      throw new Refused('unresolvable', `${named.join(', ')} is the row's key, which stays: leave it out`, {
        table: table.name,
        column: named[0]!,
      });
    const target = { kind: 'key', key, etag: null } as const;
    const { columns, json } = choice;
    const returning = { kind: 'nothing' } as const;
    const values = await this.#rows.texts(client, { kind: 'update', table, target, columns, values: json, returning });
    return remedyOf(record, { kind: 'value', values }, row.counters);
  }

  /** Null: the row is as it is to be already. */
  async #carryOut(
    client: PoolClient,
    { record, key }: DecidedConflict,
    operator: Operator,
    remedy: (row: ConflictRow) => Promise<Remedy>,
  ): Promise<Written | null> {
    const row = await lockConflictRow(this.#rows, client, record, key);
    const write = writeOf(await remedy(row), row.present, row.table.keyColumns);
    if (write.kind === 'none') return null;
    await this.#rows.write(client, rowWriteOf(row, write), writerOf(operator));
    return write.written;
  }

  async #decide(client: PoolClient, conflict: DecidedConflict, deciding: Deciding, { actor }: Operator): Promise<void> {
    const { record, createdAt, decision } = conflict;
    const { strategy, version, written, note } = deciding;
    const { rowCount } = await client.query(DECIDE, [
      ...[record.id, strategy, version, written].map((v) =>
        typeof v === 'object' && v !== null ? JSON.stringify(v) : v,
      ),
      ...[actor, this.region, note, createdAt, decision !== null],
    ]);
    if (rowCount === 0) throw changedMeanwhile();
  }
}

interface Deciding {
  readonly strategy: string;
  readonly version: object | null;
  readonly written: Written | null;
  readonly note: string | null;
}

/** The last parameter: is the row known? One that apply inserted meanwhile has not been seen, and is not overwritten. */
const DECIDE = /* sql */ `
INSERT INTO meridian.decision AS d (conflict, strategy, version, written, by, region, note, at, recorded_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, clock_timestamp(), $8)
ON CONFLICT (conflict) DO UPDATE
   SET strategy = excluded.strategy, version = excluded.version, written = excluded.written, by = excluded.by,
       region = excluded.region, note = excluded.note, at = excluded.at WHERE $9::boolean`;

const TRIAGE = /* sql */ `
INSERT INTO meridian.triage AS t (conflict, aspect, value, by, region, at)
VALUES ($1, $2, $3, $4, $5, clock_timestamp())
ON CONFLICT (conflict, aspect) DO UPDATE
   SET value = excluded.value, by = excluded.by, region = excluded.region, at = excluded.at WHERE $6::boolean`;

async function shown(client: PoolClient, id: string): Promise<ShownConflict> {
  const { rows } = await client.query<ShownConflict>(GET_SQL, [id]);
  if (rows[0] === undefined)
    throw new Refused('conflict_not_found', 'no conflict has this id in this region: GET /v1/conflicts lists them');
  return rows[0];
}

function refOf(record: ConflictRecord, choice: Choice & { readonly kind: 'version' }): object {
  const { origin, id } = chosenVersion(record, choice.version);
  return { origin, id };
}

const writerOf = ({ actor, application = null }: Operator): Writer => ({ actor, application });

const changedMeanwhile = (): Refused =>
  new Refused('conflict_changed', 'another region decided it at this moment: look at it again, and decide anew');
