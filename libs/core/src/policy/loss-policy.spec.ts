import type { RowKey } from '../ids.js';
import { regionId } from '../ids.js';
import { renamed } from './loss-policy.js';

describe('the value that a loser gets instead', () => {
  const rename = (template: string, longest: number | null, attempt = 1, value: string | null = 'a@x'): string | null =>
    renamed(
      { kind: 'rename', column: 'email', template, longest },
      { key: '["7", "eu"]' as RowKey, values: { email: value }, region: regionId('us') },
      attempt,
    );

  it('names the value, the region and the key', () => {
    expect(rename('{value} ({region}, {key})', null)).toBe('a@x (us, 7-eu)');
    expect(rename('{value} ({region})', null, 3)).toBe('a@x (us) 3');
    expect(rename('{key}', null, 2, null)).toBe('7-eu 2');
  });

  it('is cut to what the column takes, and never by what tells it from others', () => {
    expect(rename('{value}-{region}', 5)).toBe('a@-us');
    expect(rename('{value}-{region}', 3)).toBe('-us');
    expect(rename('{value}-{region}', 2)).toBeNull();
    expect(rename('{value}-{region}', 7, 12)).toBe('a-us 12');
    expect(rename('{value}{region}{value}', 6)).toBe('a@usa@');
    expect(rename('{region}-{key}', 6)).toBeNull();
  });

  it('counts characters as PostgreSQL does', () => {
    expect(rename('{value}-{region}', 5, 1, '🙂🙂🙂🙂')).toBe('🙂🙂-us');
  });
});
