/** The methods that each path is served under, to tell a wrong method from a path that nothing is served under. */
export class ServedMethods {
  private readonly routes = new Map<string, { readonly path: RegExp; readonly methods: Set<string> }>();

  /** As the router takes it: `/v1/data/:table/:key`, `/v1/policies::preview`. */
  add(pattern: string, methods: string | readonly string[]): void {
    const route = this.routes.get(pattern) ?? { path: pathOf(pattern), methods: new Set<string>() };
    for (const method of [methods].flat()) route.methods.add(method);
    this.routes.set(pattern, route);
  }

  /** None: there is no such path. */
  of(url: string): readonly string[] {
    const path = url.split('?', 1)[0]!;
    const served = [...this.routes.values()].filter((route) => route.path.test(path));
    return [...new Set(served.flatMap((route) => [...route.methods]))].sort();
  }
}

/** A colon that begins no parameter is written twice. */
function pathOf(pattern: string): RegExp {
  const parts = pattern.split(/(::|:\w+|\*)/).map((part) => {
    if (part === '::') return ':';
    if (part === '*') return '.*';
    return part.startsWith(':') ? '[^/]+' : part.replace(/[.?+^$()[\]{}|\\]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('')}/?$`);
}
