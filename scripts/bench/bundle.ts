/** The keeper as operators run it, on a devnet whose slots are sealed here: how long after a head's arrival the signed bundle is with the relay. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bailiff, type LogLine, startKeeper } from '../demo/keeper.ts';
import { type Devnet, startDevnet } from '../devnet/devnet.ts';
import { transmit } from '../devnet/oracle/transmit.ts';
import { type Bench, median, type Result } from './result.ts';

const UPDATES = 14;
const POSITIONS = 400;
const FIRST_PRICE_USD8 = 2_900_00000000n;
const STEP_USD8 = 20_00000000n;
const WAIT_MS = 30_000;

async function run(): Promise<Result[]> {
  const folder = mkdtempSync(join(tmpdir(), 'bailiff-bench-'));
  const deploymentsFile = join(folder, 'deployments.json');
  const devnet = await startDevnet({ positions: POSITIONS, seed: 2, slotMs: 400, deploymentsFile });
  try {
    return await measure(devnet, folder, deploymentsFile);
  } finally {
    await devnet.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(devnet: Devnet, folder: string, deploymentsFile: string): Promise<Result[]> {
  const environment = {
    ...{ RPC_URLS: `${devnet.wsUrl},${devnet.rpcUrl}`, DEPLOYMENTS_FILE: deploymentsFile, RELAY_URLS: devnet.builderUrl, MODE: 'live' },
    ...{ KEEPER_PRIVATE_KEY: devnet.accounts.keeper.privateKey, DATA_DIR: join(folder, 'data'), HTTP_PORT: '0' },
  };
  const { executor } = (await bailiff(['deploy'], environment, folder)) as { executor: string };
  await devnet.builder.hold();
  const lines = new Lines();
  const keeper = startKeeper({ ...environment, EXECUTOR_ADDRESS: executor }, folder, (line) => lines.hear(line));
  try {
    await Promise.race([
      lines.until(({ event }) => event === 'block.processed'),
      keeper.ended.then(({ stderr }) => Promise.reject(new Error(stderr))),
    ]);
    const sent: { ms: number; liquidations: number }[] = [];
    for (let update = 0; update < UPDATES; update++) {
      await transmit(devnet.rpcUrl, devnet.market.feeds['ETH / USD']!, FIRST_PRICE_USD8 - BigInt(update) * STEP_USD8);
      const { number } = await devnet.builder.seal();
      await lines.until(({ event, block }) => event === 'block.processed' && block === number);
      const bundle = lines.all.find(({ event, targetBlock }) => event === 'bundle.sent' && targetBlock === number + 1);
      const liquidations = lines.all.filter(({ event, targetBlock }) => event === 'attempt.sent' && targetBlock === number + 1).length;
      if (bundle !== undefined) sent.push({ ms: Number(bundle['sentAfterMs']), liquidations });
      const after = await devnet.builder.seal();
      await lines.until(({ event, block }) => event === 'block.processed' && block === after.number);
    }
    const counts = sent.map(({ liquidations }) => liquidations);
    return [
      {
        name: 'price update in a head -> bundle accepted by the relay',
        ours: median(sent.map(({ ms }) => ms)),
        unit: 'ms',
        notes: `${sent.length} updates, ${Math.min(...counts)} to ${Math.max(...counts)} liquidations each, ${POSITIONS} positions; slowest ${Math.max(...sent.map(({ ms }) => ms))} ms; node and relay on this machine`,
      },
    ];
  } finally {
    await keeper.stop();
  }
}

/** The keeper's log, and who waits for a line of it. */
class Lines {
  readonly all: LogLine[] = [];
  #waiting: (() => void)[] = [];

  hear(line: LogLine): void {
    this.all.push(line);
    for (const look of this.#waiting) look();
  }

  until(wanted: (line: LogLine) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('the keeper did not come to it within 30 s')), WAIT_MS);
      const look = () => {
        if (!this.all.some(wanted)) return;
        clearTimeout(timer);
        this.#waiting = this.#waiting.filter((one) => one !== look);
        resolve();
      };
      this.#waiting.push(look);
      look();
    });
  }
}

export const bundle: Bench = { name: 'bundle', about: 'from a price update to the bundle at the relay', run };
