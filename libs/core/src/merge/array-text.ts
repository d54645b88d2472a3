/**
 * The elements of an array as PostgreSQL writes it (`{a,"b c",NULL}`), each in its own spelling, quotes and all: one value of a
 * type has one spelling. Of a multi-dimensional array the elements are its rows.
 */
export function elementsOf(text: string | null): readonly string[] {
  if (text === null) return [];
  const body = text.slice(text.indexOf('{') + 1, -1);
  const elements: string[] = [];
  let [start, depth, quoted] = [0, 0, false];
  for (let i = 0; i < body.length; i++) {
    const c = body[i];
    if (quoted && c === '\\') i++;
    else if (c === '"') quoted = !quoted;
    else if (!quoted && c === '{') depth++;
    else if (!quoted && c === '}') depth--;
    else if (!quoted && depth === 0 && c === ',') {
      elements.push(body.slice(start, i));
      start = i + 1;
    }
  }
  return body === '' ? [] : [...elements, body.slice(start)];
}

export const arrayText = (elements: readonly string[]): string => `{${elements.join(',')}}`;
