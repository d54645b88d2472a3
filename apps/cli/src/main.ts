import { Command } from 'commander';
import type { DemoOptions } from './demo/demo.js';
import type { DevOptions } from './dev/dev.js';
import { operatorCommands } from './operator/commands.js';

/** `meridian <command>`. Each command loads what it needs when it is called: `status` starts no NestJS. */
async function main(): Promise<void> {
  const program = new Command('meridian')
    .description('multi-leader replication for PostgreSQL')
    .showHelpAfterError('(meridian --help lists the commands)');
  program
    .command('dev')
    .description('a local cluster as a developer uses it; Ctrl-C stops it')
    .option('--regions <names>', 'comma-separated', 'us,eu,ap')
    .option('--port <port>', 'HTTP of the first region; the next ones follow', '7001')
    .option('--pg-port <port>', 'PostgreSQL of the first region', '7101')
    .option('--data <dir>', 'where the data are kept over restarts')
    .option('--transport <name>', 'direct or kafka', 'direct')
    .option('--brokers <list>', 'Kafka brokers, comma-separated')
    .option('--no-traffic', 'no sample traffic')
    .option('--empty', 'no sample schema')
    .action(async (options: DevOptions) => (await import('./dev/dev.js')).dev(options));
  program
    .command('demo')
    .description('three regions, conflicts, and how they ended')
    .option('--once', 'end by itself; status 0 only when all regions are equal and all counters add up')
    .option('--port <port>', 'HTTP of the first region', '7001')
    .option('--pg-port <port>', 'PostgreSQL of the first region', '7101')
    .action(async (options: DemoOptions) => {
      process.exitCode = await (await import('./demo/demo.js')).demo(options);
    });
  program
    .command('serve')
    .description("one region's service")
    .option('--config <file>', 'meridian.yaml; without it, all is in the environment')
    .action(async (options: { config?: string }) =>
      (await import('../../region/src/serve.js')).serve(options.config ?? null),
    );
  operatorCommands(program);
  await program.parseAsync();
}

main().catch((error: unknown) => {
  process.stderr.write(`meridian: ${error instanceof Error ? error.message : String(error)}\n`);
  if (process.env.MERIDIAN_DEBUG !== undefined && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  process.exitCode = 1;
});
