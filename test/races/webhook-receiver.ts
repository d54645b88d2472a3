import { webcrypto } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly id: string;
  readonly type: string;
  readonly region: string;
  readonly data: {
    readonly id: string;
    readonly table: string;
    readonly status: string;
    readonly versions: readonly { readonly values: object }[];
  };
}

/** Somebody who is told, as a program of another maker would be: it checks the signature with an implementation of its own. */
export class WebhookReceiver {
  readonly secret = `whsec_${Buffer.from(webcrypto.getRandomValues(new Uint8Array(32))).toString('base64')}`;
  /** Every message that was taken, repetitions too. */
  readonly taken: Received[] = [];
  /** Ids of all attempts. */
  readonly attempts: string[] = [];
  /** What is answered, by the message. */
  answer: (message: Received) => number = () => 200;

  private constructor(private readonly server: Server) {}

  static async open(): Promise<WebhookReceiver> {
    const server = createServer();
    const receiver = new WebhookReceiver(server);
    server.on('request', (req: IncomingMessage, res: ServerResponse) => void receiver.receive(req, res));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/conflicts`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async receive(req: IncomingMessage, res: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of req.setEncoding('utf8')) body += chunk as string;
    const [id, time, signature] = ['id', 'timestamp', 'signature'].map((n) => req.headers[`webhook-${n}`] as string);
    if (!(await this.signed(`${id}.${time}.${body}`, signature!)) || Math.abs(Number(time) - Date.now() / 1_000) > 300)
      return void res.writeHead(401).end();
    const message = { ...(JSON.parse(body) as Omit<Received, 'id'>), id: id! };
    this.attempts.push(id!);
    const status = this.answer(message);
    if (status === 200) this.taken.push(message);
    res.writeHead(status).end();
  }

  private async signed(text: string, header: string): Promise<boolean> {
    const algorithm = { name: 'HMAC', hash: 'SHA-256' };
    const raw = Buffer.from(this.secret.slice('whsec_'.length), 'base64');
    const key = await webcrypto.subtle.importKey('raw', raw, algorithm, false, ['verify']);
    for (const signature of header.split(' ').map((s) => Buffer.from(s.replace(/^v1,/, ''), 'base64')))
      if (await webcrypto.subtle.verify('HMAC', key, signature, Buffer.from(text))) return true;
    return false;
  }
}
