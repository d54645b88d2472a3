import { callOf } from './call.builder.js';
import { outcomeOf } from './call-text.js';

describe('an answer of the sandbox is not trusted:', () => {
  const call = callOf('f', null, { a: '1', b: '2' });
  const outcome = (text: string) => outcomeOf(call, { failure: null, text, micros: 1 });

  it('text and nulls for the columns asked for are values', () => {
    expect(outcome('["1",null]')).toEqual({ kind: 'merged', values: { a: '1', b: null } });
  });

  it.each([
    '',
    '[',
    'null',
    '"12"',
    '{"a":"1","b":"2"}',
    '["1"]',
    '["1","2","3"]',
    '["1",2]',
    '["1",["2"]]',
    '["1",{}]',
  ])('%s is not', (text) => expect(outcome(text)).toMatchObject({ kind: 'failed', because: 'not a value' }));
});
