/** What a liquidation seizes beyond what has to be sold at once, on the real Aave and Uniswap: kept, and sold over blocks while an arbitrageur restores the pools. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Address, encodeFunctionData, type Hex, parseAbi } from 'viem';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { borrow, supply } from '../../scripts/devnet/aave/positions.ts';
import { Arbitrageur, fundArbitrageur } from '../../scripts/devnet/arbitrageur.ts';
import { deploymentsOf } from '../../scripts/devnet/deployments.ts';
import { createFixture, type Fixture } from '../../scripts/devnet/fixture.ts';
import { devAccount, devKey } from '../../scripts/devnet/keys.ts';
import { rpc } from '../../scripts/devnet/rpc.ts';
import { provideTokens } from '../../scripts/devnet/tokens.ts';
import { executorAbi, executorBytecode } from '../../src/generated/executor.ts';
import { type Line, startTestKeeper, type TestKeeper } from '../support/keeper.ts';

const LINK = 10n ** 18n;
const LINK_USD8 = 15_20000000n;
/** A sync anchors at the finalised block, 64 deep on this chain. */
const FINALISED = 70;
/** The arbitrageur has brought the pools to a new price. */
const FOLLOWED = 12;
const MOST_BLOCKS = 40;
const MOST_USD = 10_000;
const TREASURY: Address = '0x000000000000000000000000000000007ea50000';
const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const balanceAbi = parseAbi(['function balanceOf(address) view returns (uint256)', 'function mint(address to, uint256 amount)']);

let fixture: Fixture;
let arbitrageur: Arbitrageur;
let executor: Address;
let inventory: Address;
let keeper: TestKeeper | undefined;
let folder: string;
let snapshot: string;

beforeAll(async () => {
  fixture = await createFixture();
  const { chain, market } = fixture;
  await fundArbitrageur(chain, market);
  arbitrageur = new Arbitrageur({ rpcUrl: chain.rpcUrl, market, seed: 1 });
  const artifact = { abi: executorAbi, bytecode: executorBytecode, linkReferences: {} };
  const args = [market.tokens['WETH'], devAccount('keeper').address, TREASURY, []];
  executor = chain.deploy('executor', artifact, args);
  inventory = chain.deploy('inventory executor', artifact, args);
  await chain.fund([devAccount('keeper').address], 10n ** 20n);
  await openBorrower();
  await chain.mine();
});
afterAll(async () => {
  await fixture?.stop();
});
beforeEach(async () => {
  snapshot = await rpc<string>(fixture.anvil.rpcUrl, 'evm_snapshot');
  folder = mkdtempSync(join(tmpdir(), 'bailiff-unwind-'));
  writeFileSync(join(folder, 'deployments.json'), JSON.stringify(deploymentsOf(fixture.market)));
});
afterEach(async () => {
  await keeper?.stop();
  keeper = undefined;
  rmSync(folder, { recursive: true, force: true });
  await rpc(fixture.anvil.rpcUrl, 'evm_revert', [snapshot]);
  // Takes note of its nonce as it is now.
  await fixture.chain.fund([fixture.chain.deployer.address], 10n ** 26n);
});

/** Owes about as many dollars against LINK as it may: more than the pools of LINK take at once. */
async function openBorrower(): Promise<void> {
  const { chain, market } = fixture;
  const borrower = devAccount('borrower', 0);
  await chain.fund([borrower.address], 10n ** 20n);
  const amount = 100_000n * LINK;
  provideTokens(chain, market.tokens, borrower, 'LINK', amount);
  await chain.mine();
  supply(chain, market.aave.pool, borrower, market.tokens['LINK']!, amount, 'borrower');
  await chain.mine();
  borrow(chain, market.aave.pool, borrower, market.tokens['USDC']!, 980_000n * 10n ** 6n, 'variable', 'borrower');
  await chain.mine();
}

function environment(more: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  return {
    ...{ RPC_URLS: `${fixture.anvil.rpcUrl}/?apikey=fake-key-of-the-endpoint`, MODE: 'live', KEEPER_PRIVATE_KEY: devKey('keeper') },
    ...{ EXECUTOR_ADDRESS: executor, INVENTORY_EXECUTOR_ADDRESS: inventory, DEPLOYMENTS_FILE: join(folder, 'deployments.json') },
    ...{ PROTOCOLS: 'aave-v3', PUBLIC_MEMPOOL: 'only', HTTP_TOKEN: 'fake-token-of-the-api', MAX_INVENTORY_USD: '2000000' },
    ...{ DATA_DIR: join(folder, 'data'), HTTP_PORT: '0', ...more },
  };
}

async function start(more: Readonly<Record<string, string>> = {}): Promise<TestKeeper> {
  keeper = startTestKeeper(environment(more), folder);
  await keeper.until(({ event }) => event === 'block.processed', 'the first block');
  return keeper;
}

/** A keeper in a process of its own, killed the moment it says so many lines of this. */
async function killedAt(event: string, times: number): Promise<void> {
  const child = spawn(process.execPath, [MAIN, 'run'], { cwd: folder, env: environment(), stdio: ['ignore', 'pipe', 'ignore'] });
  const gone = once(child, 'exit');
  let [seen, sealed] = [0, 0];
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      if (line.includes(`"event":"${event}"`) && ++seen === times) break;
      if (line.includes('"event":"block.processed"') && sealed++ < MOST_BLOCKS) await mine();
    }
  } finally {
    child.kill('SIGKILL');
  }
  await gone;
  expect(seen).toBe(times);
}

/** With the arbitrageur's trades of this block, unless it sleeps. */
async function mine(arbitrage = true): Promise<number> {
  const { rpcUrl } = fixture.anvil;
  if (arbitrage) await arbitrageur.onBlock(Number(await rpc<Hex>(rpcUrl, 'eth_blockNumber')));
  await rpc(rpcUrl, 'evm_mine');
  return Number(await rpc<Hex>(rpcUrl, 'eth_blockNumber'));
}

async function seal(arbitrage = true): Promise<void> {
  const number = await mine(arbitrage);
  await keeper!.until(({ event, block }) => event === 'block.processed' && block === number, `block ${number}`);
}

async function sealUntil(done: () => boolean, arbitrage = true): Promise<void> {
  for (let block = 0; block < MOST_BLOCKS && !done(); block++) await seal(arbitrage);
  expect(done()).toBe(true);
}

const held = () => fixture.chain.read<bigint>(fixture.market.tokens['LINK']!, balanceAbi, 'balanceOf', [inventory]);
const treasury = (symbol: string) => fixture.chain.read<bigint>(fixture.market.tokens[symbol]!, balanceAbi, 'balanceOf', [TREASURY]);
const lines = (event: string): readonly Line[] => keeper!.lines.filter((line) => line.event === event);
const sold = () => lines('attempt.included').filter(({ protocol }) => protocol === 'inventory');
const alerts = () => lines('alert.raised').map(({ about }) => about);

/** Nobody knows how it came there. */
async function leave(usd: bigint): Promise<void> {
  const { chain, market } = fixture;
  const amount = (usd * 10n ** 8n * LINK) / LINK_USD8;
  chain.send(chain.deployer, {
    ...{ to: market.tokens['LINK']!, gas: 90_000n, label: 'leave' },
    data: encodeFunctionData({ abi: balanceAbi, functionName: 'mint', args: [inventory, amount] }),
  });
  await chain.mine();
  await rpc(fixture.anvil.rpcUrl, 'anvil_mine', [`0x${FINALISED.toString(16)}`]);
}

/** Down to this part of the price, and the pools with it. */
async function fall(part: bigint): Promise<void> {
  await fixture.setPrice('LINK / USD', (LINK_USD8 * part) / 100n);
  for (let i = 0; i < FOLLOWED; i++) await mine();
}

describe('a liquidation of more than pools take at once', () => {
  test('keeps what it need not sell, within the limit, and sells it once the pools have recovered; the books say what was made', async () => {
    await fall(88n);
    const running = await start({ MAX_INVENTORY_USD: String(MOST_USD) });
    await sealUntil(() => lines('unwind.closed').length > 0);
    expect(lines('unwind.opened').length).toBeGreaterThan(0);
    const plan = running.lines.find(({ event, keptUsd }) => event === 'plan.made' && keptUsd !== undefined)!;
    expect(Number(plan['keptUsd'])).toBeGreaterThan(1_000);
    expect(sold().length).toBeGreaterThan(0);
    expect([alerts(), lines('attempt.reverted').length]).toEqual([[], 0]);
    for (const line of lines('unwind.inventory')) expect(Number(line['valueUsd'])).toBeLessThanOrEqual(MOST_USD);
    // What was kept stood in the books at a price that has not moved since: together with its sale that is what the treasury has.
    const made = lines('attempt.included').reduce((sum, { profitWei, gasWei }) => sum + Number(profitWei) + Number(gasWei), 0) / 1e18;
    expect(Math.abs(made - Number(await treasury('WETH')) / 1e18)).toBeLessThan(0.01);
  });
});

describe('what is found in the inventory Executor', () => {
  test('is sold in child orders over blocks, each once the pools have recovered, and ends in the treasury', async () => {
    await leave(1_200_000n);
    await start();
    await sealUntil(() => lines('unwind.closed').length > 0);
    expect(alerts()).toEqual(['inventory-found']);
    expect(sold().length).toBeGreaterThan(2);
    expect(lines('unwind.waiting').map(({ reason }) => reason)).toContain('not-recovered');
    expect(lines('attempt.reverted')).toEqual([]);
    const [weth, rest] = [Number(await treasury('WETH')) / 1e18, Number(await held()) / 1e18];
    expect(rest * 15.2).toBeLessThan(5);
    // 3,000 USD each: at less than one percent below the oracle.
    expect(weth * 3_000).toBeGreaterThan(1_200_000 * 0.98);
  });

  test('waits for pools that nobody restores, goes on at what they pay, and is sold at once when its price has fallen too far', async () => {
    await leave(1_200_000n);
    await start();
    await sealUntil(() => sold().length === 2, false);
    const [first, second] = sold().map(({ block }) => Number(block));
    expect(second! - first!).toBeGreaterThanOrEqual(10);
    await fixture.setPrice('LINK / USD', (LINK_USD8 * 92n) / 100n);
    await sealUntil(() => lines('unwind.closed').length > 0);
    expect(alerts()).toEqual(['inventory-found', 'inventory-stopped']);
    expect(lines('unwind.closed')[0]).toMatchObject({ phase: 'stopping' });
  });

  test('is known to the next keeper after a kill in the middle, which sells the rest', async () => {
    await leave(1_200_000n);
    await killedAt('attempt.sent', 2);
    await mine();
    expect(await held()).toBeGreaterThan(0n);
    await start();
    await sealUntil(() => lines('unwind.closed').length > 0);
    expect(alerts()).toEqual([]);
  });
});
