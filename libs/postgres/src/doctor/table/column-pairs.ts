/** Words that come in pairs: columns named by both, before or after the same rest, are likely to change together. */
const PAIRS: readonly (readonly [RegExp, RegExp])[] = [
  [/^(?:amount|price|total|value|cost|fee|balance)$/, /^currency$/],
  [/^(?:amount|quantity|qty|value|weight|size)$/, /^unit$/],
  [/^lat(?:itude)?$/, /^(?:lng|lon|long|longitude)$/],
  [/^(?:start|starts|begin|begins|from|since|opens?)$/, /^(?:end|ends|finish|to|until|closes?)$/],
  [/^valid_from$/, /^valid_(?:to|until)$/],
  [/^min(?:imum)?$/, /^max(?:imum)?$/],
  [/^width$/, /^height$/],
  [/^x$/, /^y$/],
  [/^(?:password_)?hash$/, /^(?:password_)?salt$/],
];
/** A reference to a row of any table: which table, and which row. Without a word before them they are two columns as any. */
const POLYMORPHIC = [/^type$/, /^id$/] as const;
/** `start_at` and `end_at` are a pair as `start` and `end` are. */
const TAIL = /_(?:at|on|date|time|day|ts)$/;

interface Named {
  readonly column: string;
  readonly before: string;
  readonly word: string;
  readonly tail: string;
}

/** Each way to take one word of a name: `price_amount` is "amount" after price, `min_price` is "min" before it. */
function readings(column: string): Named[] {
  const name = column.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
  const tail = TAIL.exec(name)?.[0] ?? '';
  const bare = name.slice(0, name.length - tail.length);
  const parts = bare.split('_');
  return [
    { column, before: '', word: bare, tail },
    ...parts.slice(1).map((_, i) => ({
      ...{ column, tail, before: `${parts.slice(0, i + 1).join('_')}_` },
      word: parts.slice(i + 1).join('_'),
    })),
    ...(parts.length > 1 ? [{ column, before: `_${parts.slice(1).join('_')}`, word: parts[0]!, tail }] : []),
  ];
}

/** Pairs by their names, each once, in the columns' order. */
export function columnPairs(columns: readonly string[]): (readonly [string, string])[] {
  const all = columns.flatMap(readings);
  const found = new Map<string, readonly [string, string]>();
  for (const a of all)
    for (const b of all) {
      if (a.column === b.column || a.before !== b.before || a.tail !== b.tail) continue;
      if (isPair(a, b)) found.set(JSON.stringify([a.column, b.column]), [a.column, b.column]);
    }
  return [...found.values()];
}

const isPair = (a: Named, b: Named): boolean =>
  PAIRS.some(([first, second]) => first.test(a.word) && second.test(b.word)) ||
  (a.before !== '' && POLYMORPHIC[0].test(a.word) && POLYMORPHIC[1].test(b.word));
