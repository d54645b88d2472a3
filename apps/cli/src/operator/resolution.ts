export interface Resolving {
  readonly version?: string;
  readonly columns?: string;
  readonly value?: string;
  readonly accept?: boolean;
  readonly note?: string;
}

/** As JSON text, so that a value's digits go out as they were typed. */
export function resolutionText({ version, columns, value, accept, note }: Resolving): string {
  const chosen = [version, value, accept].filter((option) => option !== undefined);
  if (chosen.length !== 1) throw new Error('say how: with one of --version, --value and --accept');
  if (columns !== undefined && version === undefined) throw new Error('--columns goes with --version');
  const members = [
    ...(note === undefined ? [] : [`"note":${JSON.stringify(note)}`]),
    ...(version === undefined ? [] : [`"strategy":"version","version":${versionText(version)}`]),
    ...(columns === undefined ? [] : [`"columns":${JSON.stringify(columns.split(','))}`]),
    ...(value === undefined ? [] : [`"strategy":"value","value":${valueText(value)}`]),
    ...(accept === undefined ? [] : ['"strategy":"accept"']),
  ];
  return `{${members.join(',')}}`;
}

function versionText(version: string): string {
  if (/^\d{1,9}$/.test(version)) return version;
  const [, origin, id] = /^([^/]+)\/(\d{1,16})$/.exec(version) ?? [];
  if (origin === undefined || id === undefined)
    throw new Error(`--version ${version}: its place among the versions (0), or its origin and id (us/7)`);
  return `{"origin":${JSON.stringify(origin)},"id":${id}}`;
}

function valueText(value: string): string {
  try {
    JSON.parse(value);
  } catch (cause) {
    throw new Error(`--value is no JSON: ${(cause as Error).message}. Write '{"column": value}'`, { cause });
  }
  return value;
}
