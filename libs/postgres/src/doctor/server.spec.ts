import { type ServerSettings, settingsFindings } from './server.js';

const WELL: ServerSettings = {
  ...{ fsync: 'on', synchronousCommit: 'on', usable: 97, used: 87 },
  ...{ locks: 6_400, locksPerTransaction: 64, relations: 3_200 },
};
const codes = (settings: Partial<ServerSettings>): string[] =>
  settingsFindings({ ...WELL, ...settings }).map((f) => f.code);

describe('what the doctor says of a server’s settings', () => {
  it('is nothing when they will do', () => {
    expect([codes({}), codes({ synchronousCommit: 'remote_apply' })]).toEqual([[], []]);
  });

  it('is what may lose acknowledged writes, and what will soon run out', () => {
    expect(codes({ fsync: 'off' })).toEqual(['fsync_off']);
    expect(codes({ synchronousCommit: 'off' })).toEqual(['synchronous_commit_off']);
    expect(codes({ used: 88 })).toEqual(['connections_scarce']);
    expect(settingsFindings({ ...WELL, used: 99 })[0]!.detail).toMatch(/^0 connections of 97 are free/);
    expect(settingsFindings({ ...WELL, relations: 3_201 })[0]).toMatchObject({
      code: 'locks_scarce',
      cure: 'ALTER SYSTEM SET max_locks_per_transaction = 256, then restart the server',
    });
  });
});
