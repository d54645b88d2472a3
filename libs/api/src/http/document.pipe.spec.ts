import { TablePolicy } from '@meridian/contract';
import { DocumentPipe } from './document.pipe.js';

const checked = (text: string): Promise<unknown> =>
  new DocumentPipe().transform(JSON.parse(text), { type: 'body', schema: TablePolicy });

describe('a document', () => {
  it('may name a column as an object names what it inherits from', async () => {
    const policy = (await checked('{"columns":{"__proto__":"counter","constructor":"set"}}')) as TablePolicy;
    expect(Object.entries(policy.columns)).toEqual([
      ['__proto__', 'counter'],
      ['constructor', 'set'],
    ]);
    await expect(checked('{"columns":{"__proto__":"count"}}')).rejects.toThrow(/^columns\.__proto__: takes/);
  });
});
