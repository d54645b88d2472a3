import { GenericContainer, type StartedTestContainer } from 'testcontainers';
import { until } from '../e2e/reachable-regions.js';
import { freePorts } from './free-ports.js';

/** Whose changes travel to whom: over `us>eu` eu reads us's ticks. */
export type LinkName = `${string}>${string}`;
interface Proxy {
  readonly name: string;
  readonly listen: string;
  readonly upstream: string;
}

/**
 * Toxiproxy between regions, a proxy for each direction. In the machine's own network: the services that it stands between
 * listen on loopback, which no other network reaches (and for which @testcontainers/toxiproxy maps no ports).
 */
export class ToxicLinks {
  private readonly links = new Map<LinkName, Proxy>();

  private constructor(
    private readonly container: StartedTestContainer,
    private readonly api: string,
  ) {}

  static async start(ports: ReadonlyMap<string, number>): Promise<ToxicLinks> {
    const names = [...ports.keys()];
    const directions = names.flatMap((from) => names.filter((to) => to !== from).map((to) => [from, to] as const));
    const [api, ...listening] = await freePorts(1 + directions.length);
    const container = await new GenericContainer(
      process.env['MERIDIAN_TEST_TOXIPROXY_IMAGE'] ?? 'shopify/toxiproxy:2.1.4',
    )
      .withNetworkMode('host')
      .withCommand(['-host=127.0.0.1', `-port=${api}`])
      .start();
    const links = new ToxicLinks(container, `http://127.0.0.1:${api}`);
    await until(async () => (await fetch(`${links.api}/version`).catch(() => null))?.ok === true, 'toxiproxy answers');
    for (const [i, [from, to]] of directions.entries())
      await links.open(`${from}>${to}`, {
        name: `${from}-${to}`,
        listen: `127.0.0.1:${listening[i]}`,
        upstream: `127.0.0.1:${ports.get(from)}`,
      });
    return links;
  }

  /** Where `to` calls `from`. */
  url(link: LinkName): string {
    return `http://${this.links.get(link)!.listen}`;
  }

  /** Open connections end and new ones are refused, on all links when none is named. */
  async cut(...names: readonly LinkName[]): Promise<void> {
    for (const { name } of this.chosen(names)) await this.ask(`/proxies/${name}`, { enabled: false });
  }

  /** A toxic on what comes from a link's origin. Open connections stay open, if the toxic lets them. */
  async poison(type: string, attributes: object, ...names: readonly LinkName[]): Promise<void> {
    for (const { name } of this.chosen(names))
      await this.ask(`/proxies/${name}/toxics`, { name: type, type, stream: 'downstream', attributes });
  }

  /** Nothing is cut and nothing is poisoned any more. Toxiproxy hangs when a toxic is taken off a connection that has bytes in it. */
  async heal(): Promise<void> {
    await this.cut();
    await this.ask('/reset', {});
  }

  async stop(): Promise<void> {
    await this.container.stop({ timeout: 0 });
  }

  private async open(link: LinkName, proxy: Proxy): Promise<void> {
    await this.ask('/proxies', proxy);
    this.links.set(link, proxy);
  }

  private chosen(names: readonly LinkName[]): readonly Proxy[] {
    return names.length === 0 ? [...this.links.values()] : names.map((name) => this.links.get(name)!);
  }

  private async ask(path: string, body: object): Promise<void> {
    const answer = await fetch(`${this.api}${path}`, { method: 'POST', body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`toxiproxy: ${path}: ${answer.status} ${await answer.text()}`);
  }
}
