import { createServer, type Server as TcpServer, Socket } from 'node:net';

/** A TCP link to one port that can be cut: open connections break, new ones are refused until it is mended. */
export class Link {
  private readonly open = new Set<Socket>();
  private isCut = false;

  private constructor(
    private readonly server: TcpServer,
    readonly port: number,
  ) {}

  static async to(target: number): Promise<Link> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('a link without a port');
    const link = new Link(server, address.port);
    server.on('connection', (near) => link.join(near, target));
    return link;
  }

  cut(): void {
    this.isCut = true;
    for (const socket of this.open) socket.destroy();
  }

  mend(): void {
    this.isCut = false;
  }

  close(): void {
    this.cut();
    this.server.close();
  }

  private join(near: Socket, target: number): void {
    if (this.isCut) return void near.destroy();
    const far = new Socket();
    far.connect(target, '127.0.0.1');
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.setNoDelay(true);
      this.open.add(one);
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        this.open.delete(one);
        other.destroy();
      });
    }
  }
}
