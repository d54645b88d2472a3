import type { Entry } from '../../causality/coverage.js';
import { valuesText } from '../../change/change.js';
import { decideText, MOST_MEMBERS } from './decide-text.js';
import { textMembers } from './text-members.js';

/** `seen`: how many of the other region's it had. */
const edit = (origin: string, id: number, [before, text]: readonly [string, string], seen = 0): Entry =>
  ({
    ...{ origin, id, seq: id, deps: { [origin === 'us' ? 'eu' : 'us']: seen }, unseen: null, ranks: null, actor: '' },
    ...{ table: 'public.notes', key: '["1"]', op: 'update', wall: 0n, epoch: 1 },
    ...{ stamp: BigInt(id), patch: valuesText({ body: text }), before: valuesText({ body: before }) },
  }) as unknown as Entry;

const LONG = { kind: 'text', longest: null } as const;

describe('a decided text', () => {
  it('goes back to what all have seen, also beyond what the arriving change has not', () => {
    const old = edit('eu', 1, ['a b c', 'a b C']);
    const beside = edit('us', 1, ['a b c', 'A b c']);
    const arriving = edit('eu', 2, ['a b C', 'a B C'], 0);
    const members = textMembers([arriving], [old, beside]);
    expect(members).toHaveLength(3);
    expect(decideText('body', LONG, members)).toMatchObject({ value: 'A B C', verdict: { losers: [], failure: null } });
  });

  it('is the latest where more edits than are merged had not seen one another, and the others are lost to it', () => {
    const many = Array.from({ length: MOST_MEMBERS }, (_, i) => edit('us', i + 1, [`n ${i}`, `n ${i + 1}`]));
    const other = edit('eu', MOST_MEMBERS + 1, ['n 0', 'n 0 m']);
    const { value, verdict } = decideText('body', LONG, [...many, other]);
    expect(value).toBe('n 0 m');
    expect(verdict.losers).toEqual([many.at(-1)]);
    expect(verdict.failure).toMatch(/^2001 edits .* are more than are merged$/);
    expect(decideText('body', LONG, [...many.slice(1), other]).verdict.failure).toBeNull();
  });

  it('is the latest where the column does not take what both make, as PostgreSQL counts', () => {
    const [one, other] = [edit('us', 1, ['🦊', '🦊 a']), edit('eu', 2, ['🦊', 'b 🦊'])];
    expect(decideText('body', { kind: 'text', longest: 5 }, [one, other]).value).toBe('b 🦊 a');
    expect(decideText('body', { kind: 'text', longest: 4 }, [one, other]).value).toBe('b 🦊');
  });
});
