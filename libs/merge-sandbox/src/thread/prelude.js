// Runs inside the sandbox, before any user's code; see realm.ts. What it uses later is taken now: a user's code may
// replace every builtin, and then spoils nothing but its own results.
(() => {
  'use strict';
  const { parse, stringify } = JSON;
  const { hasOwn, keys } = Object;
  const MAX_RESULT = 100_000;
  const MAX_DETAIL = 500;

  delete Math.random;

  const describe = (error) => {
    try {
      const text = error instanceof Error ? `${error.name}: ${error.message}` : `it threw ${typeof error}: ${error}`;
      return text.length > MAX_DETAIL ? `${text.slice(0, MAX_DETAIL)}…` : text;
    } catch {
      return 'it threw something that cannot be told';
    }
  };
  const failure = (because, detail) => `${because}\n${detail}`;
  const failureOf = (error) =>
    error instanceof InternalError && error.message === 'out of memory'
      ? failure('out of memory', 'it needs more memory than a call may have')
      : failure('threw', describe(error));

  const kindOf = (value) =>
    value === null ? 'null' : value instanceof Promise ? 'a promise (merge functions are not async)' : typeof value;

  /** The values as a JSON array in the order of the columns, which is all that leaves the sandbox. */
  const valuesText = (result, columns) => {
    if (result === null || typeof result !== 'object' || result instanceof Promise)
      return failure('not a value', `the result is ${kindOf(result)}, not an object with a value for each column`);
    let text = '';
    let size = 0;
    for (let i = 0; i < columns.length; i++) {
      const column = columns[i];
      if (!hasOwn(result, column)) return failure('not a value', `the result has no column ${stringify(column)}`);
      const value = result[column];
      if (value !== null && typeof value !== 'string')
        return failure(
          'not a value',
          `column ${stringify(column)} is ${kindOf(value)}: a value is text, as PostgreSQL writes it, or null`,
        );
      size += value === null ? 0 : value.length;
      if (size > MAX_RESULT) return failure('too large', `the result has more than ${MAX_RESULT} characters`);
      text += (i === 0 ? '' : ',') + (value === null ? 'null' : stringify(value));
    }
    const names = keys(result);
    for (let i = 0; i < names.length; i++) {
      let asked = false;
      for (let j = 0; j < columns.length; j++) if (columns[j] === names[i]) asked = true;
      if (!asked)
        return failure('not a value', `the result has a column ${stringify(names[i])}, which is not asked for`);
    }
    return `\n[${text}]`;
  };

  /** What the host keeps of a function's module. */
  const bind = (exported) => {
    const merge = exported.default ?? exported.merge;
    if (typeof merge !== 'function')
      throw new TypeError('it exports no function: write `export default function merge`');
    return (input, columns) => {
      try {
        const { base, versions, context } = parse(input);
        return valuesText(merge(base, versions, context), parse(columns));
      } catch (error) {
        return failureOf(error);
      }
    };
  };

  return { bind, describe };
})();
