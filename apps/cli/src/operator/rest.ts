export interface Connection {
  readonly url: string;
}

/** One REST call; a problem document becomes a one-line message with its cure. */
export async function call<T>(
  connection: Connection,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<T> {
  const text = await (await asked(connection, method, path, body, headers)).text();
  return (text === '' ? null : JSON.parse(text)) as T;
}

/** The same for an answer that is read as it comes. */
export async function asked(
  { url }: Connection,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  if (!URL.canParse(url)) throw new Error(`--url ${url} is no URL; it names a region's service: http://127.0.0.1:7001`);
  const answer = await fetch(new URL(path, url), {
    method,
    headers: { 'user-agent': 'meridian cli', ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  }).catch((error: Error & { cause?: Error }) => {
    throw new Error(
      `${url} does not answer (${error.cause?.message ?? error.message}); --url names a region's service`,
    );
  });
  if (!answer.ok) throw new Error(problemText(answer.status, await answer.text()));
  return answer;
}

function problemText(status: number, text: string): string {
  try {
    const { title, detail, code, traceId } = JSON.parse(text) as Record<string, string>;
    return `${title ?? status}: ${detail ?? ''} (${code ?? status}, trace ${traceId ?? 'none'})`;
  } catch {
    return `status ${status}: ${text.slice(0, 500)}`;
  }
}
