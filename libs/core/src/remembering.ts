/** A function that is asked the same again and again: answered once for each argument, as long as it is kept itself. */
export function remembering<K, V>(of: (argument: K) => V): (argument: K) => V {
  const known = new Map<K, { readonly answer: V }>();
  return (argument) => {
    const told = known.get(argument) ?? { answer: of(argument) };
    known.set(argument, told);
    return told.answer;
  };
}
