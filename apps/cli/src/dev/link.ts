import { type Server, type Socket, connect, createServer } from 'node:net';

/** One direction between two regions: a TCP proxy, so that the demo can cut a real connection and heal it. */
export class Link {
  private readonly sockets = new Set<Socket>();
  private open = true;

  private constructor(
    private readonly server: Server,
    readonly port: number,
    private targetPort: number,
  ) {}

  static async to(targetPort: number): Promise<Link> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
    const link = new Link(server, (server.address() as { port: number }).port, targetPort);
    server.on('connection', (socket) => link.forward(socket));
    return link;
  }

  cut(): void {
    this.open = false;
    for (const socket of this.sockets) socket.destroy();
  }

  /** New connections go to another instance, as behind a load balancer. */
  retarget(port: number): void {
    this.targetPort = port;
    for (const socket of this.sockets) socket.destroy();
  }

  heal(): void {
    this.open = true;
  }

  close(): void {
    this.cut();
    this.server.close();
  }

  private forward(incoming: Socket): void {
    if (!this.open) {
      incoming.destroy();
      return;
    }
    const outgoing = connect(this.targetPort, '127.0.0.1');
    for (const [socket, other] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      this.sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.sockets.delete(socket);
        other.destroy();
      });
    }
    incoming.pipe(outgoing).pipe(incoming);
  }
}
