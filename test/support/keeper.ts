/** A keeper in this process, on a devnet whose slots are sealed by the test: no clock decides anything. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Address, encodeDeployData, getContractAddress, type Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { type Devnet, startDevnet } from '../../scripts/devnet/devnet.ts';
import { rpc } from '../../scripts/devnet/rpc.ts';
import { loadConfig } from '../../src/config/load.ts';
import { executorAbi, executorBytecode } from '../../src/generated/executor.ts';
import { runKeeper, type Wraps } from '../../src/keeper.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { watch } from './outputs/setup.ts';

export type Line = { readonly event: string; readonly [field: string]: unknown };

const WAIT_MS = 60_000;

export type TestKeeper = {
  readonly lines: readonly Line[];
  /** Resolves with the first line, past or future, for which this holds. Rejects when the keeper ends, or after a minute. */
  until(wanted: (line: Line) => boolean, what: string): Promise<Line>;
  /** Rejects with what the keeper failed with. */
  readonly done: Promise<void>;
  stop(): Promise<void>;
};

export function startTestKeeper(environment: Readonly<Record<string, string>>, folder: string, wraps: Wraps = {}): TestKeeper {
  watch.uses(environment, folder);
  const lines: Line[] = [];
  const waiting = new Set<() => void>();
  const destination = {
    write(text: string) {
      watch.wrote(`the log of a keeper in ${folder}`, text);
      for (const line of text.split('\n')) if (line !== '') lines.push(JSON.parse(line) as Line);
      for (const look of waiting) look();
    },
  };
  const telemetry = { log: createLog({ level: 'debug', format: 'json', stream: 'stdout' }, destination), metrics: createMetrics() };
  const stop = new AbortController();
  const done = (async () => {
    const config = await loadConfig('run', { folder, env: { ...environment } });
    await runKeeper(config, telemetry, stop.signal, wraps);
  })();
  done.catch(() => {});
  return {
    lines,
    done,
    until(wanted, what) {
      return new Promise((resolve, reject) => {
        const finish = (work: () => void) => {
          waiting.delete(look);
          clearTimeout(timer);
          work();
        };
        const look = () => {
          const line = lines.find(wanted);
          if (line !== undefined) finish(() => resolve(line));
        };
        const lately = () =>
          lines
            .slice(-12)
            .map((line) => `${line.event} ${String(line['reason'] ?? line['block'] ?? '')}`)
            .join('; ');
        const timer = setTimeout(() => finish(() => reject(new Error(`never came: ${what}; last: ${lately()}`))), WAIT_MS);
        waiting.add(look);
        done.then(
          () => finish(() => reject(new Error(`the keeper ended before: ${what}; last: ${lately()}`))),
          (error: unknown) => finish(() => reject(error as Error)),
        );
        look();
      });
    },
    async stop() {
      stop.abort();
      await done;
      watch.left(environment['DATA_DIR']!);
    },
  };
}

export type Stage = {
  readonly devnet: Devnet;
  readonly folder: string;
  readonly executor: Address;
  /** For `startTestKeeper`, live, with the devnet's builder as relay. */
  readonly environment: Readonly<Record<string, string>>;
  close(): Promise<void>;
};

/** `lanes`: so many further senders, all operators of the Executor. */
export type StageOptions = {
  readonly positions?: number;
  readonly legacyPositions?: number;
  readonly morphoPositions?: number;
  readonly cometPositions?: number;
  readonly venusPositions?: number;
  readonly seed?: number;
  readonly lanes?: number;
  /** Without the mempool, prices move before anything can be put behind their updates: the default. */
  readonly sees?: 'blocks' | 'mempool';
};

/** A devnet with its clock held and an Executor of the keeper's account on it. */
export async function setStage(options: StageOptions = {}): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'bailiff-test-'));
  const deploymentsFile = join(folder, 'deployments.json');
  const { positions = 60, legacyPositions, morphoPositions, cometPositions, venusPositions, seed = 1, sees = 'blocks' } = options;
  const beside = { legacyPositions, morphoPositions, cometPositions, venusPositions };
  const devnet = await startDevnet({ positions, ...beside, seed, hold: true, deploymentsFile });
  const lanes = devnet.accounts.lanes.slice(0, options.lanes ?? 0);
  const executor = await deployExecutor(
    devnet,
    lanes.map(({ address }) => address),
  );
  const [socket, endpoint] = [`${devnet.wsUrl}/?apikey=fake-key-of-the-socket`, `${devnet.rpcUrl}/?apikey=fake-key-of-the-endpoint`];
  return {
    devnet,
    folder,
    executor,
    environment: {
      RPC_URLS: sees === 'mempool' ? `${socket},${endpoint}` : endpoint,
      MODE: 'live',
      KEEPER_PRIVATE_KEY: devnet.accounts.keeper.privateKey,
      ...(lanes.length > 0 && { LANE_PRIVATE_KEYS: lanes.map(({ privateKey }) => privateKey).join(',') }),
      EXECUTOR_ADDRESS: executor,
      DEPLOYMENTS_FILE: deploymentsFile,
      RELAY_URLS: `${devnet.builderUrl}/?apikey=fake-key-of-the-relay`,
      RELAY_AUTH_KEY: `0x${'a5c7'.repeat(16)}`,
      HTTP_TOKEN: 'fake-token-of-the-api',
      BID_SHARE: '0.9',
      DATA_DIR: join(folder, 'data'),
      HTTP_PORT: '0',
    },
    async close() {
      await devnet.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function deployExecutor(devnet: Devnet, operators: readonly Address[]): Promise<Address> {
  const account = privateKeyToAccount(devnet.accounts.keeper.privateKey);
  const nonce = Number(await rpc<Hex>(devnet.rpcUrl, 'eth_getTransactionCount', [account.address, 'latest']));
  const { baseFeePerGas } = await rpc<{ baseFeePerGas: Hex }>(devnet.rpcUrl, 'eth_getBlockByNumber', ['latest', false]);
  const raw = await account.signTransaction({
    type: 'eip1559',
    chainId: devnet.deployments.chainId,
    nonce,
    gas: 6_000_000n,
    maxFeePerGas: 4n * BigInt(baseFeePerGas),
    maxPriorityFeePerGas: 1n,
    data: encodeDeployData({
      abi: executorAbi,
      bytecode: executorBytecode,
      args: [devnet.deployments.wrappedNative, account.address, account.address, operators],
    }),
  });
  await rpc(devnet.rpcUrl, 'eth_sendRawTransaction', [raw]);
  await devnet.builder.seal();
  return getContractAddress({ from: account.address, nonce: BigInt(nonce) });
}
