import { regionId } from '@meridian/core';
import { MemoryLog } from '../contract/memory-log.js';
import { transportContract } from '../contract/transport-contract.js';
import { MemoryNetwork } from './memory-transport.js';

transportContract('memory', async (names) => {
  const network = new MemoryNetwork();
  const regions = new Map(
    names.map((name) => {
      const log = new MemoryLog();
      return [name, { log, transport: network.join(name, log) }];
    }),
  );
  return {
    region: (name) => regions.get(name)!,
    silence: async (name) => names.filter((n) => n !== name).forEach((n) => network.partition(name, n)),
    stop: async () => void (await Promise.all([...regions.values()].map((r) => r.transport.close()))),
  };
});

describe('the memory network', () => {
  it('goes on where it stopped when a partition heals', async () => {
    const [us, eu] = [regionId('us'), regionId('eu')];
    const network = new MemoryNetwork();
    network.join(us, new MemoryLog());
    const transport = network.join(eu, new MemoryLog());
    network.partition(us, eu);
    expect(network.reachable(eu, us)).toEqual([]);
    network.heal(us, eu);
    expect(network.reachable(eu, us)).toHaveLength(1);
    await transport.close();
  });
});
