import type { Cancellation, DeliveredTick, RegionId, Seq, Tick, Transport, Vector } from '@meridian/core';
import { VirtualTimers, settled } from '../virtual-timers.js';
import { Inbox } from './inbox.js';
import { Receiver } from './receiver.js';

const EU = 'eu' as RegionId;
const tickOf = (seq: number): Tick => ({ origin: EU, seq, changes: [{}] }) as unknown as Tick;

/** Brings what a test says, in streams that end one after another; fetches from what the peers have. */
class ScriptedTransport implements Transport {
  readonly subscribed: { readonly from: number; readonly position: string | null }[] = [];
  readonly fetched: (readonly [number, number])[] = [];
  peersHave: readonly number[] = [];
  /** Ticks per answer to a fetch. */
  answer = Infinity;

  constructor(private readonly streams: (readonly number[] | Error)[]) {}

  async *subscribe(_origin: RegionId, from: Seq, signal: Cancellation, position: string | null = null) {
    this.subscribed.push({ from, position });
    const stream = this.streams.shift();
    if (stream instanceof Error) throw stream;
    for (const seq of stream ?? []) yield { tick: tickOf(seq), position: `@${seq}` } as DeliveredTick;
    if (stream === undefined) await new Promise<void>((resolve) => signal.addEventListener('abort', resolve));
  }

  fetch = async (_origin: RegionId, from: Seq, to: Seq): Promise<readonly Tick[]> => {
    this.fetched.push([from, to]);
    return this.peersHave
      .filter((s) => s >= from && s <= to)
      .slice(0, this.answer)
      .map(tickOf);
  };
  publish = async () => undefined;
  close = async () => undefined;
}

function begin(transport: ScriptedTransport, room = 1_000) {
  const timers = new VirtualTimers();
  const inbox = new Inbox(room);
  const abort = new AbortController();
  const received: number[] = [];
  const interrupted: unknown[] = [];
  const head = { seq: 0 as Seq, position: null as string | null };
  const receiver = new Receiver(
    EU,
    transport,
    inbox,
    () => head,
    {
      received: ({ tick }) => void received.push(tick.seq),
      interrupted: (_origin, error) => void interrupted.push((error as Error).message),
    },
    timers,
  );
  const running = receiver.run(abort.signal);
  const apply = (seq: number) => {
    head.seq = seq as Seq;
    inbox.drop({ [EU]: seq } as Vector);
    return settled();
  };
  const stop = async () => {
    abort.abort();
    inbox.release();
    await running;
  };
  return { timers, inbox, received, interrupted, head, apply, stop };
}

describe('the receiver', () => {
  it('subscribes after what is applied, at the position kept with it', async () => {
    const transport = new ScriptedTransport([[1, 2]]);
    const { timers, head, received, stop } = begin(transport);
    await timers.advance(0);
    Object.assign(head, { seq: 2, position: '@2' });
    await timers.advance(100);
    expect(transport.subscribed).toEqual([
      { from: 1, position: null },
      { from: 3, position: '@2' },
    ]);
    expect(received).toEqual([1, 2]);
    await stop();
  });

  it('drops what comes twice or too late', async () => {
    const { timers, received, stop } = begin(new ScriptedTransport([[1, 1, 2, 1, 3]]));
    await timers.advance(0);
    expect(received).toEqual([1, 2, 3]);
    await stop();
  });

  it('fetches a gap, though the answer comes in pieces', async () => {
    const transport = new ScriptedTransport([[1, 6]]);
    transport.peersHave = [1, 2, 3, 4, 5, 6];
    transport.answer = 2;
    const { timers, received, interrupted, stop } = begin(transport);
    await timers.advance(0);
    expect(received).toEqual([1, 2, 3, 4, 5, 6]);
    expect(transport.fetched).toEqual([
      [2, 5],
      [4, 5],
    ]);
    expect(interrupted).toEqual([]);
    await stop();
  });

  it('says so when nobody has the missing ticks, delivers nothing behind the gap, and tries again', async () => {
    const transport = new ScriptedTransport([
      [1, 4],
      [2, 3, 4],
    ]);
    transport.peersHave = [3];
    const { timers, received, interrupted, apply, stop } = begin(transport);
    await timers.advance(0);
    expect(received).toEqual([1]);
    expect(interrupted).toEqual(['ticks eu/2 to 3 are missing, and no peer has them']);
    await apply(1);
    await timers.advance(1_000);
    expect(received).toEqual([1, 2, 3, 4]);
    await stop();
  });

  it('does not fetch more than the inbox holds: a gap of a month must not fill the memory (P13)', async () => {
    const transport = new ScriptedTransport([[1_000]]);
    transport.peersHave = Array.from({ length: 1_000 }, (_, i) => i + 1);
    transport.answer = 100;
    const { timers, inbox, received, apply, stop } = begin(transport, 10);
    await timers.advance(0);
    expect(inbox.size).toBeLessThanOrEqual(11);
    while (received.at(-1)! < 1_000) await apply(received.at(-1)!);
    expect(received).toEqual(transport.peersHave);
    await stop();
  });

  it('waits longer after each failure, two seconds at most, and from the beginning after a success', async () => {
    const failures = Array.from({ length: 12 }, () => new Error('connection refused'));
    const transport = new ScriptedTransport([...failures, [1], new Error('reset')]);
    const { timers, interrupted, stop } = begin(transport);
    await timers.advance(0);
    expect(interrupted).toHaveLength(1);
    await timers.advance(100);
    expect(interrupted).toHaveLength(2);
    await timers.advance(200);
    expect(interrupted).toHaveLength(3);
    await timers.advance(2_000 * 11);
    expect(interrupted).toHaveLength(13);
    expect(transport.subscribed.length).toBeGreaterThan(13);
    await stop();
  });
});
