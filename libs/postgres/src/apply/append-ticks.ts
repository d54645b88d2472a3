import { type Change, type JsonText, type RowRef, type Tick, type Vector } from '@meridian/core';
import { answersTo, type Session } from '../connection/session.js';
import { ranksText } from '../log/change-row.js';
import { exceedOneStatement, inPieces, portions } from './portions.js';

const OPS = { insert: 'i', update: 'u', delete: 'd' } as const;

/** json_to_recordset gives a json field's text as it stands, so the ticks can be made again to the byte (I5). */
const INSERT_CHANGES = /* sql */ `
INSERT INTO meridian.change (origin, seq, origin_id, rel, op, pk, stamp, wall, epoch, actor, patch, before, ranks, unseen)
SELECT o, s, i, t, c, k, st, w, e, a, p, b, r, u
  FROM json_to_recordset($1::json) AS x(o text, s bigint, i bigint, t text, c "char", k json, st bigint, w bigint, e int, a text,
                                        p json, b json, r json, u json)`;

const INSERT_TICKS = /* sql */ `
INSERT INTO meridian.tick (origin, seq, deps, stamp, wall, previous, digest, changes)
SELECT * FROM json_to_recordset($1::json)
           AS x(origin text, seq bigint, deps json, stamp bigint, wall bigint, previous text, digest text, changes int)`;

export const isLargeAppend = (ticks: readonly Tick[]): boolean =>
  exceedOneStatement(
    ticks.flatMap((tick) => tick.changes),
    charsOf,
  );

/** Step 5: the ticks' changes into the log as remote ones, in their order, and the ticks' rows; large ones ({@link isLargeAppend}) in pieces. */
export function appendTicks(session: Session, ticks: readonly Tick[], isLarge: boolean): Promise<unknown> {
  const changes = ticks.flatMap((tick) => tick.changes.map((change) => ({ tick, change })));
  const texts = portions(changes, ({ change }) => charsOf(change)).map(
    (portion) => () => `[${portion.map(({ tick, change }) => record(tick, change)).join(',')}]`,
  );
  const insert = (records: string) => session.query(INSERT_CHANGES, [records], 'insert_changes');
  const heads = `[${ticks.map(tickRecord).join(',')}]`;
  const insertTicks = () => session.query(INSERT_TICKS, [heads], 'insert_ticks');
  if (isLarge) return inPieces([...texts.map((text) => () => insert(text())), insertTicks]);
  const records = texts.map((text) => text());
  return answersTo([...records.map(insert), insertTicks()]);
}

const charsOf = ({ patch, before }: Change): number => (patch?.length ?? 0) + (before?.length ?? 0);

/** By concatenation: the parts are JSON already. */
function record(tick: Tick, c: Change): string {
  return (
    `{"o":"${tick.origin}","s":${tick.seq},"i":${c.id},"t":${JSON.stringify(c.table)},"c":"${OPS[c.op]}","k":${c.key},` +
    `"st":${c.stamp},"w":${c.wall},"e":${c.epoch},"a":${JSON.stringify(c.actor)},"p":${c.patch},"b":${c.before},` +
    `"r":${c.ranks === null ? 'null' : ranksText(c.ranks)},"u":${c.unseen === null ? 'null' : vectorText(c.unseen)}}`
  );
}

const tickRecord = (t: Tick): string =>
  `{"origin":"${t.origin}","seq":${t.seq},"deps":${vectorText(t.deps)},"stamp":${t.stamp},"wall":${t.wall},` +
  `"previous":${JSON.stringify(t.previous)},"digest":${JSON.stringify(t.digest)},"changes":${t.changes.length}}`;

const vectorText = (v: Vector): string => JSON.stringify(v);

/**
 * Every delete of a row in the log carries the same, newest image of it: they leave the log at different times, and a later
 * winner has to restore the whole row, the same one everywhere. Beside `before`, which is what the tick is made again from.
 */
export function keepImages(
  session: Session,
  images: readonly { readonly ref: RowRef; readonly image: JsonText }[],
): Promise<unknown> {
  const rows = images.map(
    ({ ref, image }) => `{"rel":${JSON.stringify(ref.table)},"pk":${JSON.stringify(ref.key)},"image":${image}}`,
  );
  return session.query(
    `UPDATE meridian.change c SET image = x.image FROM json_to_recordset($1::json) AS x(rel text, pk text, image json)
      WHERE c.rel = x.rel AND c.pk::text = x.pk AND c.op = 'd'`,
    [`[${rows.join(',')}]`],
    'keep_images',
  );
}
