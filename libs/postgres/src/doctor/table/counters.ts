import type { ClientBase } from 'pg';
import { ident } from '../../catalog/quoting.js';
import { resolvePolicy } from '../../catalog/resolve-policy.js';
import { isBuiltIn } from '../../catalog/value-text.js';
import type { Examined } from './examined.js';
import type { TableFinding } from './table-finding.js';

/** Columns that are added to rather than set, and lose what other regions add meanwhile. */
export async function counters(client: ClientBase, examined: Examined): Promise<TableFinding[]> {
  const candidates = countable(examined);
  if (candidates.length === 0) return [];
  const names = candidates.map((c) => c.name);
  const policyOf = (name: string): CountingPolicy => candidates.find((c) => c.name === name)!.policy;
  if (examined.enrolled === undefined)
    return candidates.filter((c) => COUNTS.test(c.name)).map((c) => byName(examined, c));
  const seen = await client.query<Seen>(SEEN, [examined.table.name, names]);
  return seen.rows.filter(isAddedTo).map((s) => byLog(examined, s, policyOf(s.name)));
}

/** A number under a CHECK (… >= 0) can be a counter that never falls below it. */
const COUNTING = ['counter', { policy: 'bounded-counter', min: 0 }] as const;
type CountingPolicy = (typeof COUNTING)[number];

interface Countable {
  readonly name: string;
  readonly policy: CountingPolicy;
}

/** Numbers that nothing but the policy keeps from being counters. */
function countable({ table, resolved, policy }: Examined): Countable[] {
  if (resolved === null) return [];
  const chosen = resolved.document.columns;
  return table.columns
    .filter((c) => !chosen.has(c.name) && ['int2', 'int4', 'int8', 'numeric'].some((type) => isBuiltIn(c, type)))
    .flatMap(({ name }) => {
      const counting = COUNTING.find((given) => {
        const columns = { ...(policy as { columns?: object }).columns, [name]: given };
        return resolvePolicy({ ...(policy as object), columns }, table, 1).spec !== null;
      });
      return counting === undefined ? [] : [{ name, policy: counting }];
    });
}

const COUNTS =
  /(?:^|_)(?:stock|count|counter|views|hits|likes|votes|points|credits|balance|inventory|downloads|plays)(?:$|_)/i;

interface Seen {
  readonly name: string;
  readonly updates: number;
  readonly values: number;
  readonly differences: number;
  readonly overwritten: number;
}

/** The log's recent end: ids are dense, and this many are read in a moment. */
const RECENT_IDS = 200_000;

const SEEN = /* sql */ `
WITH written AS (
  SELECT c.name, (e.patch->>c.name)::numeric AS value, (e.patch->>c.name)::numeric - (e.before->>c.name)::numeric AS difference
    FROM meridian.change e, unnest($2::text[]) AS c(name)
   WHERE e.rel = $1 AND e.op = 'u' AND e.id > (SELECT last_value - ${RECENT_IDS} FROM meridian.change_id)
     AND e.patch->>c.name IS NOT NULL AND e.before->>c.name IS NOT NULL)
SELECT name, count(*)::int AS updates, count(DISTINCT value)::int AS values, count(DISTINCT difference)::int AS differences,
       (SELECT count(*)::int FROM meridian.conflict r
         WHERE r.rel = $1 AND r.status <> 'withdrawn'
           AND EXISTS (SELECT FROM json_array_elements(r.overwritten) o, json_array_elements_text(o->'columns') n WHERE n = name)) AS overwritten
  FROM written GROUP BY name ORDER BY name`;

/** Few differences lead to many values: +1, −1, −2 over and over. Values that are set differ by anything. */
const isAddedTo = ({ values, differences, overwritten }: Seen): boolean =>
  overwritten > 0 && values >= 5 && differences * 2 <= values;

const byLog = (
  examined: Examined,
  { name, updates, differences, overwritten }: Seen,
  policy: CountingPolicy,
): TableFinding =>
  suggestion(
    examined,
    { name, policy },
    `${updates} updates in the log change it by ${differences} different amounts, as a count is changed, and ${overwritten} of its writes were overwritten in conflicts`,
  );

const byName = (examined: Examined, countable: Countable): TableFinding =>
  suggestion(examined, countable, 'by its name it is a count, which is added to rather than set');

function suggestion({ table, policy }: Examined, { name, policy: counting }: Countable, message: string): TableFinding {
  const columns = JSON.stringify({ ...(policy as { columns?: object }).columns, [name]: counting });
  const does =
    counting === 'counter'
      ? 'the policy counter adds up what all regions add'
      : 'a CHECK keeps it from falling below zero: the policy bounded-counter adds up what all regions add, and never takes it there';
  return {
    ...{ code: 'counter_suggested', severity: 'hint', subject: `${table.name}.${ident(name)}`, message },
    meaning:
      'of two regions that add to it at once, one wins: what the other added is in the list of conflicts, and not in the sum',
    cure: { text: `${does}: PUT /v1/tables/${encodeURIComponent(table.name)} with "columns": ${columns}` },
  };
}
