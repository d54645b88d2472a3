import type { MergeCall, MergeFailure, MergeFunctions, MergeOutcome } from '@meridian/core';
import type { Session } from '../connection/session.js';
import { findFunction } from './find-function.js';
import { isFunctionsOwn, failureOf } from './function-failure.js';
import { outcomeOfText } from './result-text.js';

/** Of one statement. What takes longer is ended, and its calls are made one by one. */
const STATEMENT_CALLS = 100;
const STATEMENT_TIMEOUT_MS = 50;
/** Calls of one function that may time out in one run: the others are not made. */
const TIMEOUTS = 2;

/**
 * Merges by functions of the region's database, `fn(base jsonb, versions jsonb) RETURNS jsonb`, in the transaction that the
 * session has open. Whatever a function does is undone: it runs behind a savepoint that is always rolled back, and read-only.
 */
export class SqlMergeFunctions implements MergeFunctions {
  constructor(
    private readonly session: Session,
    private readonly timeoutMs = STATEMENT_TIMEOUT_MS,
  ) {}

  async run(calls: readonly MergeCall[]): Promise<readonly MergeOutcome[]> {
    const outcomes = new Map<MergeCall, MergeOutcome>();
    for (const [name, digest] of functionsOf(calls)) {
      const ofFunction = calls.filter((call) => call.function.name === name && call.function.digest === digest);
      const found = await findFunction(this.session, name, digest);
      const answers =
        found.kind === 'found'
          ? await this.runAll(found.sql, ofFunction)
          : ofFunction.map(() => failed('unknown function', found.detail));
      for (const [i, call] of ofFunction.entries()) outcomes.set(call, answers[i]!);
    }
    return calls.map((call) => outcomes.get(call)!);
  }

  private async runAll(sql: string, calls: readonly MergeCall[]): Promise<MergeOutcome[]> {
    const outcomes: MergeOutcome[] = [];
    for (let from = 0; from < calls.length; from += STATEMENT_CALLS) {
      const part = calls.slice(from, from + STATEMENT_CALLS);
      const together = outcomes.some(isTimeout) ? null : await this.tried(sql, part);
      if (together?.length === part.length) outcomes.push(...together);
      else for (const call of part) outcomes.push(await this.alone(sql, call, outcomes));
    }
    return outcomes;
  }

  private async alone(sql: string, call: MergeCall, before: readonly MergeOutcome[]): Promise<MergeOutcome> {
    if (before.filter(isTimeout).length >= TIMEOUTS) return SUSPENDED;
    const [outcome] = await this.tried(sql, [call]);
    return outcome!;
  }

  /** An outcome for each call, or one failure for all of them. */
  private async tried(sql: string, calls: readonly MergeCall[]): Promise<MergeOutcome[]> {
    const texts = [
      calls.map(({ base }) => JSON.stringify(base)),
      calls.map(({ versions }) => JSON.stringify(versions)),
    ];
    await this.session.script(`SAVEPOINT merge_function; SET LOCAL statement_timeout = ${this.timeoutMs};
      SET LOCAL search_path = pg_catalog, pg_temp; SET LOCAL transaction_read_only = on`);
    try {
      const { rows } = await this.session.query(
        `SELECT ${sql}(nullif(c.base, 'null')::jsonb, c.versions::jsonb)::text
           FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS c (base, versions, position) ORDER BY c.position`,
        texts,
      );
      return rows.map(([text], i) => outcomeOfText(text ?? null, calls[i]!.columns));
    } catch (error) {
      if (!isFunctionsOwn(error)) throw error;
      return [failureOf(error)];
    } finally {
      if (this.session.alive) await this.session.script('ROLLBACK TO SAVEPOINT merge_function; RELEASE merge_function');
    }
  }
}

/** Each once; of one name there may be several, agreed on at different times. */
const functionsOf = (calls: readonly MergeCall[]): (readonly [string, string | undefined])[] => [
  ...new Map(calls.map(({ function: { name, digest } }) => [`${digest}\n${name}`, [name, digest] as const])).values(),
];

const failed = (because: MergeFailure, detail: string): MergeOutcome => ({ kind: 'failed', because, detail });
const isTimeout = (outcome: MergeOutcome): boolean => outcome.kind === 'failed' && outcome.because === 'timed out';
const SUSPENDED = failed('suspended', 'other calls of it timed out just now');
