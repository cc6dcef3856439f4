/** State that changes without a log: what no mirror can fold is found by the audit, and the market is read anew before anything is done in it. */
import { concat, type Hex, keccak256, pad, parseAbi, toHex } from 'viem';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SetupChain } from '../../scripts/devnet/chain.ts';
import { devAccount } from '../../scripts/devnet/keys.ts';
import { rpc } from '../../scripts/devnet/rpc.ts';
import type { Address } from '../../src/lib/types.ts';
import { type FaultStage, Play, setFaultStage } from './scene.ts';

const poolAbi = parseAbi([
  'function getReserveVariableDebtToken(address asset) view returns (address)',
  'function getReservesList() view returns (address[])',
]);
const debtAbi = parseAbi(['function scaledBalanceOf(address) view returns (uint256)']);
/** Aave's tokens keep a balance in the lower part of a word, of a mapping among their first few hundred slots. */
const BALANCE_BITS = 120n;
const MOST_SLOTS = 120;

let stage: FaultStage;
let play: Play;

beforeAll(async () => {
  stage = await setFaultStage(17);
  play = await Play.start(stage, { HTTP_PORT: '0', MIN_PROFIT_USD: '1' });
}, 240_000);

afterAll(async () => {
  await play?.stop();
  await stage?.close();
});

test('a balance that changed behind the logs is found, its market suspended, read anew and resumed; nothing is planned meanwhile', {
  timeout: 240_000,
}, async () => {
  const { borrowers } = stage.devnet.market;
  const from = play.lines.length;
  const start = await play.seal();
  // Any one of them: the audit looks at all in turn, not only at those close to liquidation.
  await addDebt(borrowers[borrowers.length >> 1]!.address);
  const perBlock = 3;
  const suspended = await sealUntil('market.suspended', Math.ceil(borrowers.length / perBlock) + 2);
  expect(suspended).toMatchObject({
    market: 'aave-v3/core',
    reason: expect.stringMatching(/^account 0x.* health: .* here, .* on the chain$/),
  });
  expect(play.lines.slice(from).filter(({ event }) => event === 'audit.mismatch').length).toBeGreaterThan(0);

  const { status, body } = await readiness();
  expect(status).toBe(503);
  expect(String(body['because'])).toContain('aave-v3/core is suspended: account');
  expect(await shown()).toContain('account');
  expect(await metric('bailiff_market_suspended{market="aave-v3/core"}')).toBe(1);
  expect(await metric('bailiff_audit_mismatches_total{market="aave-v3/core"}')).toBeGreaterThan(0);

  // A fall of prices that would bring liquidations at once.
  const meanwhile = play.lines.length;
  await stage.market.fall(0.08);
  await play.seal();
  const said = play.lines.slice(meanwhile);
  expect(said.filter(({ event }) => event === 'plan.made')).toEqual([]);
  expect(said.filter(({ event }) => event === 'plan.skipped').map(({ reason }) => reason)).toContain('suspended');

  await sealUntil('market.resumed', 3);
  expect((await readiness()).status).toBe(200);
  expect(await shown()).toBeUndefined();
  expect(await metric('bailiff_market_suspended{market="aave-v3/core"}')).toBe(0);
  await sealUntil('attempt.included', 6);
  expect(start).toBeGreaterThan(0);
  const lines = play.lines.slice(from).filter(({ event }) => event === 'market.suspended' || event === 'market.resumed');
  expect(lines.map(({ event }) => event)).toEqual(['market.suspended', 'market.resumed']);
});

async function sealUntil(event: string, mostBlocks: number) {
  const from = play.lines.length;
  for (let blocks = 0; blocks < mostBlocks; blocks++) {
    const found = play.lines.slice(from).find((line) => line.event === event);
    if (found !== undefined) return found;
    await play.seal();
  }
  const found = play.lines.slice(from).find((line) => line.event === event);
  if (found === undefined) throw new Error(`no ${event} within ${mostBlocks} blocks`);
  return found;
}

/** Writes a larger debt into the debt token's storage. */
async function addDebt(account: Address): Promise<void> {
  const { rpcUrl, market } = stage.devnet;
  const chain = new SetupChain(rpcUrl, devAccount('deployer'));
  for (const asset of await chain.read<Address[]>(market.aave.pool, poolAbi, 'getReservesList')) {
    const token = await chain.read<Address>(market.aave.pool, poolAbi, 'getReserveVariableDebtToken', [asset]);
    const balance = await chain.read<bigint>(token, debtAbi, 'scaledBalanceOf', [account]);
    if (balance === 0n) continue;
    for (let slot = 0; slot < MOST_SLOTS; slot++) {
      const place = keccak256(concat([pad(account), toHex(slot, { size: 32 })]));
      const word = BigInt(await rpc<Hex>(rpcUrl, 'eth_getStorageAt', [token, place, 'latest']));
      if (BigInt.asUintN(Number(BALANCE_BITS), word) !== balance) continue;
      await rpc(rpcUrl, 'anvil_setStorageAt', [token, place, toHex(word + balance / 1_000n, { size: 32 })]);
      expect(await chain.read<bigint>(token, debtAbi, 'scaledBalanceOf', [account])).toBe(balance + balance / 1_000n);
      return;
    }
  }
  throw new Error(`found no debt of ${account} to change`);
}

function address(path: string): string {
  const started = play.lines.find(({ event }) => event === 'keeper.started');
  return new URL(path, String(started!['dashboard'])).href;
}

async function readiness(): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(address('/readyz'));
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

/** What the dashboard is told of the market. */
async function shown(): Promise<string | undefined> {
  const status = (await (await fetch(address('/api/status'))).json()) as { markets: { market: string; suspended?: string }[] };
  return status.markets.find(({ market }) => market === 'core')!.suspended;
}

async function metric(series: string): Promise<number> {
  const text = await (await fetch(address('/metrics'))).text();
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${series} `))
      ?.slice(series.length + 1),
  );
}
