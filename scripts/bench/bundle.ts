/** The keeper as operators run it, on a devnet whose slots are sealed here: how long after a head's arrival the signed bundle is with the relay. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bailiff, type Environment, type LogLine, startKeeper } from '../demo/keeper.ts';
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
    const environment = {
      ...{ DEPLOYMENTS_FILE: deploymentsFile, RELAY_URLS: devnet.builderUrl, MODE: 'live', HTTP_PORT: '0' },
      ...{ KEEPER_PRIVATE_KEY: devnet.accounts.keeper.privateKey, DATA_DIR: join(folder, 'data') },
    };
    const { executor } = (await bailiff(['deploy'], { ...environment, RPC_URLS: devnet.rpcUrl }, folder)) as { executor: string };
    await devnet.builder.hold();
    const common = { ...environment, EXECUTOR_ADDRESS: executor };
    const pending = await measure(devnet, folder, { ...common, RPC_URLS: `${devnet.wsUrl},${devnet.rpcUrl}` }, 'pending', 0);
    const mined = await measure(devnet, folder, { ...common, RPC_URLS: devnet.rpcUrl }, 'mined', UPDATES);
    return [pending, mined];
  } finally {
    await devnet.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param what is timed: from an update's arrival in the mempool, or from the head that holds it */
async function measure(devnet: Devnet, folder: string, environment: Environment, what: 'pending' | 'mined', from: number): Promise<Result> {
  const lines = new Lines();
  const keeper = startKeeper(environment, folder, (line) => lines.hear(line));
  try {
    await Promise.race([
      lines.until(({ event }) => event === 'block.processed'),
      keeper.ended.then(({ stderr }) => Promise.reject(new Error(stderr))),
    ]);
    if (what === 'pending') await lines.until(({ event, kind }) => event === 'endpoint.changed' && kind === 'pending-from');
    const sent: { ms: number; liquidations: number }[] = [];
    for (let update = from; update < from + UPDATES; update++) {
      const hash = await transmit(devnet.rpcUrl, devnet.market.feeds['ETH / USD']!, FIRST_PRICE_USD8 - BigInt(update) * STEP_USD8);
      if (what === 'pending') await lines.until(({ event, updateTxHash }) => event === 'bundle.sent' && updateTxHash === hash);
      const { number } = await devnet.builder.seal();
      await lines.until(({ event, block }) => event === 'block.processed' && block === number);
      const target = what === 'pending' ? number : number + 1;
      const bundle = lines.all.find(({ event, targetBlock }) => event === 'bundle.sent' && targetBlock === target);
      const accounts = lines.all.flatMap(({ event, targetBlock, account }) =>
        event === 'attempt.sent' && targetBlock === target ? [account] : [],
      );
      if (bundle !== undefined) sent.push({ ms: Number(bundle['sentAfterMs']), liquidations: new Set(accounts).size });
      const after = await devnet.builder.seal();
      await lines.until(({ event, block }) => event === 'block.processed' && block === after.number);
    }
    const counts = sent.map(({ liquidations }) => liquidations);
    return {
      name:
        what === 'pending'
          ? 'pending price update -> bundle behind it accepted by the relay'
          : 'price update in a head -> bundle accepted by the relay',
      ours: median(sent.map(({ ms }) => ms)),
      unit: 'ms',
      notes: `${sent.length} updates, ${Math.min(...counts)} to ${Math.max(...counts)} liquidations each, ${POSITIONS} positions; slowest ${Math.max(...sent.map(({ ms }) => ms))} ms; node and relay on this machine`,
    };
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
