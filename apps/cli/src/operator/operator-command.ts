import { type Command, Option } from 'commander';

export interface Output {
  readonly url: string;
  readonly output: string;
}

/** A command that asks a region's service. */
export const operator = (parent: Command, name: string, description: string): Command =>
  parent
    .command(name)
    .description(description)
    .option('--url <url>', "a region's service", process.env.MERIDIAN_URL ?? 'http://127.0.0.1:7001')
    .addOption(new Option('-o, --output <format>').choices(['text', 'json']).default('text'));
