import { Socket } from 'node:net';
import { base, OWN_ROWS } from '../schema.js';

/*
 * A child process of the harness: keep-alive connections that PATCH one random row after another, on bare sockets, for the
 * generator shares two cores with what it measures (node:http's client costs as much as a small server).
 *
 *   node http-load.js <port> <connections> <seconds>      prints {"acknowledged": …, "seconds": …, "refused": …}
 */
const [port = 0, connections = 8, seconds = 5] = process.argv.slice(2).map(Number);
const HEADER_END = '\r\n\r\n';
let acknowledged = 0;
let refused = 0;

function request(): string {
  const id = base(0) + 1 + Math.floor(Math.random() * OWN_ROWS);
  const payload = Math.random().toString(16).slice(2).padEnd(16, '0').repeat(16);
  const body = `{"payload":"${payload}"}`;
  const headers = `host: 127.0.0.1:${port}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}`;
  return `PATCH /v1/data/bench/${id} HTTP/1.1\r\n${headers}${HEADER_END}${body}`;
}

/** Where the first whole response in the text ends; -1 while it is not whole. */
function responseEnd(text: string): number {
  const head = text.indexOf(HEADER_END);
  if (head < 0) return -1;
  const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, head));
  if (length) {
    const end = head + HEADER_END.length + Number(length[1]);
    return text.length >= end ? end : -1;
  }
  if (!/\r\ntransfer-encoding: chunked/i.test(text.slice(0, head))) return head + HEADER_END.length;
  const last = text.indexOf('\r\n0\r\n\r\n', head);
  return last < 0 ? -1 : last + 7;
}

function run(until: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = new Socket();
    let received = '';
    socket.setNoDelay(true);
    socket.on('error', reject);
    socket.on('close', () => resolve());
    socket.on('data', (data) => {
      // latin1: one character a byte, so that lengths are right.
      received += data.toString('latin1');
      const end = responseEnd(received);
      if (end < 0) return;
      if (/^HTTP\/1\.1 2/.test(received)) acknowledged++;
      else if (refused++ === 0) process.stderr.write(`${received.slice(0, 600)}\n`);
      received = received.slice(end);
      if (performance.now() < until) socket.write(request());
      else socket.end();
    });
    socket.connect(port, '127.0.0.1', () => socket.write(request()));
  });
}

const start = performance.now();
void Promise.all(Array.from({ length: connections }, () => run(start + seconds * 1000))).then(() => {
  process.stdout.write(JSON.stringify({ acknowledged, refused, seconds: (performance.now() - start) / 1000 }));
});
