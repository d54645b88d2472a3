import net from 'node:net';
import type { AddressInfo } from 'node:net';

export type LinkState = 'open' | 'silent' | 'refusing';

/** A TCP link that tests damage: half-open, cut, slow to nothing, or with flipped bits. */
export class FaultyProxy {
  private readonly sockets = new Set<net.Socket>();
  private state: LinkState = 'open';
  /** What becomes of bytes on the way back to the client. */
  damage: (bytes: Buffer) => Buffer = (bytes) => bytes;
  /** Bytes a second on the way back to the client. */
  rate = Infinity;
  /** Bytes that came from the server and were let through. */
  passed = 0;

  private constructor(
    private readonly server: net.Server,
    private readonly target: number,
  ) {}

  static async to(target: string): Promise<FaultyProxy> {
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const proxy = new FaultyProxy(server, Number(new URL(target).port));
    server.on('connection', (socket) => proxy.connect(socket));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Silent: connections stay, and carry nothing any more: what a lost network looks like to TCP. */
  become(state: LinkState): void {
    this.state = state;
    if (state === 'refusing') this.reset();
  }

  /** Breaks what is connected now. */
  reset(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.reset();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private connect(client: net.Socket): void {
    if (this.state === 'refusing') return void client.destroy();
    const server = net.connect(this.target, '127.0.0.1');
    for (const [from, to, back] of [
      [client, server, false],
      [server, client, true],
    ] as const) {
      this.sockets.add(from);
      from.on('data', (bytes) => this.carry(bytes, from, to, back));
      from.on('error', () => undefined);
      from.on('close', () => {
        this.sockets.delete(from);
        // A silent link does not carry the news either.
        if (this.state !== 'silent') to.destroy();
      });
    }
  }

  private carry(bytes: Buffer, from: net.Socket, to: net.Socket, back: boolean): void {
    if (this.state === 'silent') return;
    if (back) this.passed += bytes.length;
    const room = to.write(back ? this.damage(bytes) : bytes);
    const resume = (): void => void from.resume();
    const rest = back && this.rate < Infinity;
    if (room && !rest) return;
    from.pause();
    if (rest) setTimeout(resume, (bytes.length / this.rate) * 1_000);
    else to.once('drain', resume);
  }
}
