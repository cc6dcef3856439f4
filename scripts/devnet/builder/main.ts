/**
 * The devnet's block builder, a process of its own:
 *
 *   node scripts/devnet/builder/main.ts --rpc http://127.0.0.1:8545 [--port 0] [--slot-ms 1000] [--coinbase 0x…] [--hold] [--with-parent]
 *
 * It takes over the sealing of an anvil that was started with `--no-mining --order fifo`. `--hold`: no slot passes until the control API
 * says so. `--with-parent`: it ends when its standard input closes, which is when the process that started it has gone.
 *
 * Standard output has one JSON object a line: {"event":"builder.listening","url":"http://127.0.0.1:…"} first, then a
 * {"event":"block.sealed",…} (`SealedBlock` in protocol.ts) for each block, and whatever went wrong. Relay at `POST /`, control API at
 * `POST /control` (protocol.ts). SIGTERM and SIGINT end it with 0; it exits 1 when it cannot start, 2 on bad usage.
 */
import { parseArgs } from 'node:util';
import type { Address } from 'viem';
import { Builder } from './builder.ts';
import { logToStdout } from './log.ts';
import { serve } from './server.ts';

const DEFAULT_COINBASE: Address = '0xb0bde700000000000000000000000000000c0ffe';

type Settings = { rpcUrl: string; port: number; slotMs: number; coinbase: Address; hold: boolean; withParent: boolean };

function readSettings(args: string[]): Settings {
  const { values } = parseArgs({
    args,
    options: {
      rpc: { type: 'string' },
      port: { type: 'string', default: '0' },
      'slot-ms': { type: 'string', default: '1000' },
      coinbase: { type: 'string', default: DEFAULT_COINBASE },
      hold: { type: 'boolean', default: false },
      'with-parent': { type: 'boolean', default: false },
    },
  });
  const { rpc, port, coinbase, hold } = values;
  if (!rpc) throw new Error('--rpc is required: the http:// URL of the anvil to drive');
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw new Error(`--port: not a port: ${port}`);
  if (!/^\d{2,7}$/.test(values['slot-ms']))
    throw new Error(`--slot-ms: not a number of milliseconds from 10 to 9999999: ${values['slot-ms']}`);
  if (!/^0x[0-9a-f]{40}$/i.test(coinbase)) throw new Error(`--coinbase: not an address: ${coinbase}`);
  return {
    rpcUrl: rpc,
    port: Number(port),
    slotMs: Number(values['slot-ms']),
    coinbase: coinbase.toLowerCase() as Address,
    hold,
    withParent: values['with-parent'],
  };
}

async function main(): Promise<void> {
  let settings: Settings;
  try {
    settings = readSettings(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`error: ${(error as Error).message}\n`);
    process.exit(2);
  }
  const builder = await Builder.open({ ...settings, log: logToStdout });
  const server = await serve(builder, settings.port, logToStdout);
  const end = async () => {
    await Promise.all([server.close(), builder.close()]);
    process.exit(0);
  };
  process.once('SIGTERM', end);
  process.once('SIGINT', end);
  if (settings.withParent) process.stdin.on('end', end).on('close', end).resume();
  // NOTE: with nobody left to read it, standard output fails; that is a reason to end, not to crash.
  process.stdout.on('error', end);
  logToStdout('builder.listening', { url: server.url });
  if (!settings.hold) builder.resume();
}

main().catch((error: Error) => {
  process.stderr.write(`error: ${error.message}\n`);
  process.exit(1);
});
