/**
 * What the relay does when changes wait: a local change of such a table, and everything else written to it since, has not seen
 * them, though the tick's deps cover them. Kept as races, so that the tick made again is the same (I5).
 */
export const MARK_UNSEEN = /* sql */ `
INSERT INTO meridian.race AS r (change_id, origin, seq)
SELECT c.id, w.origin, w.seq
  FROM unnest($1::bigint[], $2::text[]) AS c(id, rel)
  JOIN (SELECT rel, origin, min(seq) AS seq FROM meridian.waiting_change GROUP BY rel, origin) w USING (rel)
ON CONFLICT (change_id, origin) DO UPDATE SET seq = least(r.seq, excluded.seq)`;
