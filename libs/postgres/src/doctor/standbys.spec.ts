import { type Standbys, standbysFindings } from './standbys.js';

const WELL: Standbys = {
  slots: [
    { name: 'read', active: true, status: 'extended', retained: 5_000_000_000 },
    { name: 'fresh', active: false, status: 'reserved', retained: 1_000 },
  ],
  standbys: [{ name: 'near', behind: 1_000, sync: 'async' }],
  awaited: '',
};
const found = (more: Partial<Standbys>) => standbysFindings({ ...WELL, ...more }, 1_000_000_000);

describe('what the doctor says of standbys and slots', () => {
  it('is nothing when they keep up, or are just away', () => {
    expect(found({})).toEqual([]);
    expect(found({ awaited: 'near', standbys: [{ name: 'near', behind: 0, sync: 'quorum' }] })).toEqual([]);
  });

  it('is a slot that fills the disk or is lost, with what drops it', () => {
    const slots = [
      { name: "it's", active: false, status: 'extended', retained: 2_000_000_000 },
      { name: 'gone', active: false, status: 'lost', retained: 0 },
    ];
    expect(found({ slots })).toMatchObject([
      { code: 'replication_slot_abandoned', sql: ["SELECT pg_drop_replication_slot('it''s')"] },
      { code: 'replication_slot_abandoned', about: 'slot gone' },
    ]);
    expect(found({ slots })[0]!.detail).toContain('2000 MB');
  });

  it('is a standby that is far behind, and a synchronous one that nobody is', () => {
    expect(found({ standbys: [{ name: 'far', behind: 3_000_000_000, sync: 'async' }] })).toMatchObject([
      { severity: 'warning', code: 'standby_lags', about: 'standby far' },
    ]);
    expect(found({ awaited: 'near' })).toMatchObject([{ severity: 'error', code: 'synchronous_standby_missing' }]);
  });
});
