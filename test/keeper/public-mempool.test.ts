import {
  type Address,
  encodeDeployData,
  getAddress,
  getContractAddress,
  type Hex,
  keccak256,
  numberToHex,
  parseEventLogs,
  parseTransaction,
} from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { balancesAt } from '../../scripts/demo/observe.ts';
import { poolOf, Rival, type Sent } from '../../scripts/devnet/competitor/rival.ts';
import { devAccount } from '../../scripts/devnet/keys.ts';
import { lensLiquidator } from '../../scripts/devnet/lens/contract.ts';
import { transmit } from '../../scripts/devnet/oracle/transmit.ts';
import { rpc } from '../../scripts/devnet/rpc.ts';
import type { ExecutionChain } from '../../src/execution/types.ts';
import { executorAbi } from '../../src/generated/executor.ts';
import { readLedger, type TransactionRecord } from '../../src/ledger/reader.ts';
import type { Hex as Raw } from '../../src/lib/types.ts';
import { type Line, type Stage, setStage, startTestKeeper, type TestKeeper } from '../support/keeper.ts';

const FALLEN = 2_800_00000000n;
const RECOVERED = 3_100_00000000n;
const SETTLE_BLOCKS = 6;

type Transaction = { hash: Hex; from: Address; nonce: Hex; to: Address | null; gas: Hex; maxFeePerGas: Hex; maxPriorityFeePerGas: Hex };

/** A keeper that sends to the public mempool alone, and the chain under it. */
class Arena {
  readonly stage: Stage;
  readonly keeper: TestKeeper;
  readonly start: number;

  private constructor(stage: Stage, keeper: TestKeeper, start: number) {
    this.stage = stage;
    this.keeper = keeper;
    this.start = start;
  }

  static async open(
    stage: Stage,
    environment: Record<string, string> = {},
    chain?: (chain: ExecutionChain) => ExecutionChain,
  ): Promise<Arena> {
    const wraps = chain === undefined ? {} : { chain };
    const keeper = startTestKeeper({ ...stage.environment, PUBLIC_MEMPOOL: 'only', ...environment }, stage.folder, wraps);
    const first = await keeper.until(({ event }) => event === 'block.processed', 'the first block');
    return new Arena(stage, keeper, Number(first['block']));
  }

  /** Transmits a price, and seals the block with it and all else that waits; resolves once the keeper has decided what to do about it. */
  async priceIs(usd8: bigint): Promise<number> {
    await transmit(this.stage.devnet.rpcUrl, this.stage.devnet.market.feeds['ETH / USD']!, usd8, { tipWei: 20_000_000_000n });
    return this.seal();
  }

  async seal(): Promise<number> {
    const { number } = await this.stage.devnet.builder.seal();
    await this.keeper.until(({ event, block }) => event === 'block.processed' && block === number, `block ${number}`);
    return number;
  }

  /** Until every attempt has come to its end. */
  async settle(): Promise<void> {
    for (let block = 0; block < SETTLE_BLOCKS; block++) await this.seal();
  }

  lines(event: string): readonly Line[] {
    return this.keeper.lines.filter((line) => line.event === event);
  }

  async records(): Promise<readonly TransactionRecord[]> {
    const ledger = await readLedger(`${this.stage.folder}/data`);
    return ledger.transactions({}).finally(() => ledger.close());
  }

  /** The keeper's transactions since the start, as the chain has them. */
  async mined(): Promise<readonly (Transaction & { block: number })[]> {
    const { rpcUrl, accounts } = this.stage.devnet;
    const found: (Transaction & { block: number })[] = [];
    const last = Number(await rpc<Hex>(rpcUrl, 'eth_blockNumber'));
    for (let number = this.start + 1; number <= last; number++) {
      const block = await rpc<{ transactions: Transaction[] }>(rpcUrl, 'eth_getBlockByNumber', [numberToHex(number), true]);
      for (const transaction of block.transactions)
        if (getAddress(transaction.from) === accounts.keeper.address) found.push({ ...transaction, block: number });
    }
    return found;
  }

  async close(): Promise<void> {
    await this.keeper.stop();
    await this.stage.close();
  }
}

/** Takes transactions from the keeper and keeps them while `closed`, as a mempool would from which no block is filled. */
class HeldMempoolDouble {
  closed = true;
  readonly held: Raw[] = [];

  wrap(chain: ExecutionChain): ExecutionChain {
    return {
      ...chain,
      broadcast: async (raw) => {
        if (!this.closed) return chain.broadcast(raw);
        this.held.push(raw);
        return { kind: 'accepted', bundleHash: 'held' };
      },
    };
  }
}

async function rivalOn({ devnet }: Stage, seed: number): Promise<Rival> {
  const account = devAccount('competitor');
  const { chainId, wrappedNative, 'aave-v3': aave, 'uniswap-v3': uniswap } = devnet.deployments;
  const pool = await poolOf(devnet.rpcUrl, aave[0]!.poolAddressesProvider);
  const { abi, bytecode } = await lensLiquidator();
  const nonce = Number(await rpc<Hex>(devnet.rpcUrl, 'eth_getTransactionCount', [account.address, 'latest']));
  const fees = { maxPriorityFeePerGas: 2_000_000_000n, maxFeePerGas: 20_000_000_000n };
  const data = encodeDeployData({ abi, bytecode, args: [pool, uniswap[0]!.factory, wrappedNative] });
  await rpc(devnet.rpcUrl, 'eth_sendRawTransaction', [
    await account.signTransaction({ type: 'eip1559', chainId, nonce, gas: 5_000_000n, data, ...fees }),
  ]);
  await devnet.builder.seal();
  const liquidator = getContractAddress({ from: account.address, nonce: BigInt(nonce) });
  return new Rival({ rpcUrl: devnet.rpcUrl, chainId, account, liquidator, pool, fromBlock: aave[0]!.fromBlock, seed });
}

describe('against a competitor in the public mempool', () => {
  const MAX_LOSS_USD = 100;
  let arena: Arena;
  let records: readonly TransactionRecord[];
  const rivals: Sent[] = [];

  beforeAll(async () => {
    const stage = await setStage({ positions: 80, seed: 5, sees: 'mempool' });
    const rival = await rivalOn(stage, 3);
    arena = await Arena.open(stage, { MAX_LOSS_USD_PER_DAY: String(MAX_LOSS_USD), MAX_CONSECUTIVE_FAILURES: '1000' });
    for (const usd8 of [2_850_00000000n, FALLEN, 2_870_00000000n, 2_700_00000000n]) {
      rivals.push(...(await rival.onBlock(await arena.priceIs(usd8))));
      rivals.push(...(await rival.onBlock(await arena.seal())));
    }
    await arena.settle();
    records = await arena.records();
  });
  afterAll(() => arena?.close());

  const attempts = () => records.flatMap((record) => record.attempts.map((attempt) => ({ ...attempt, record })));

  it('wins some, loses some, and settles every attempt', () => {
    const outcomes = attempts().map(({ result }) => result?.outcome);
    expect(rivals.length).toBeGreaterThan(3);
    expect(outcomes).not.toContain(undefined);
    expect(outcomes.filter((outcome) => outcome === 'included').length).toBeGreaterThan(5);
    expect(outcomes.filter((outcome) => outcome === 'reverted').length).toBeGreaterThan(0);
  });

  it('names the reason of each revert', () => {
    const reasons = attempts().flatMap(({ result }) => (result?.outcome === 'reverted' ? [result.reason ?? ''] : []));
    const named = /^(StepFailed\(\d+\): )*(Error\(.+\)|(?!StepFailed|Error|Panic)[A-Z]\w+\(.*\))$/;
    expect(reasons.filter((reason) => !named.test(reason))).toEqual([]);
    expect(reasons.some((reason) => reason.includes('HealthFactorNotBelowThreshold()'))).toBe(true);
  });

  it('loses no more gas than the limit allows', async () => {
    let lostWei = 0n;
    for (const { hash } of await arena.mined()) {
      const receipt = await rpc<{ status: Hex; gasUsed: Hex; effectiveGasPrice: Hex }>(
        arena.stage.devnet.rpcUrl,
        'eth_getTransactionReceipt',
        [hash],
      );
      if (receipt.status === '0x0') lostWei += BigInt(receipt.gasUsed) * BigInt(receipt.effectiveGasPrice);
    }
    expect(lostWei).toBeGreaterThan(0n);
    expect(Number(lostWei) / 1e18).toBeLessThanOrEqual(MAX_LOSS_USD / 3_000);
  });

  it('pays no bid', async () => {
    const filter = { address: arena.stage.executor, fromBlock: numberToHex(arena.start), toBlock: 'latest' };
    const logs = await rpc<never[]>(arena.stage.devnet.rpcUrl, 'eth_getLogs', [filter]);
    const settled = parseEventLogs({ abi: executorAbi, eventName: 'Settled', logs });
    expect(settled.length).toBeGreaterThan(5);
    expect(settled.map(({ args }) => args.bid)).toEqual(settled.map(() => 0n));
  });

  it('uses each nonce once, and knows each of its transactions', async () => {
    const mined = await arena.mined();
    const nonces = mined.map(({ nonce }) => Number(nonce));
    expect(nonces).toEqual(nonces.map((_, index) => nonces[0]! + index));
    expect(new Set(records.flatMap(({ mined: at, txHash }) => (at === undefined ? [] : [txHash])))).toEqual(
      new Set(mined.map(({ hash }) => hash)),
    );
  });

  it('has its balances in the ledger, to the wei', async () => {
    const { devnet, executor } = arena.stage;
    const holders = [getAddress(executor), devnet.accounts.keeper.address];
    const last = Number(await rpc<Hex>(devnet.rpcUrl, 'eth_blockNumber'));
    const tokens = Object.values(devnet.market.tokens);
    const before = await balancesAt(devnet.rpcUrl, holders, tokens, arena.start);
    const after = await balancesAt(devnet.rpcUrl, holders, tokens, last);
    const recorded = new Map<string, bigint>();
    for (const { mined } of records)
      for (const [token, delta] of Object.entries(mined?.balanceChanges ?? {})) recorded.set(token, (recorded.get(token) ?? 0n) + delta);
    for (const [token, held] of after) expect([token, recorded.get(token) ?? 0n]).toEqual([token, held - before.get(token)!]);
  });
});

describe('a loss limit that a few transactions reach', () => {
  let arena: Arena;
  const LIMIT_USD = 15;
  const mempool = new HeldMempoolDouble();

  beforeAll(async () => {
    arena = await Arena.open(await setStage({ sees: 'mempool' }), { MAX_LOSS_USD_PER_DAY: String(LIMIT_USD) }, (chain) =>
      mempool.wrap(chain),
    );
    await arena.priceIs(FALLEN);
  });
  afterAll(() => arena?.close());

  it('is spent on what is worth most, stops sending before it could be passed, and says so', async () => {
    const worstWei = mempool.held.map(parseTransaction).reduce((sum, { gas, maxFeePerGas }) => sum + gas! * maxFeePerGas!, 0n);
    expect(mempool.held.length).toBeGreaterThan(1);
    expect((worstWei * FALLEN) / 10n ** 18n).toBeLessThanOrEqual(BigInt(LIMIT_USD) * 10n ** 8n);
    const profitOf = (line: Line) => Number(line['profitUsd']);
    const sent = new Set(arena.lines('attempt.sent').map(({ account }) => account));
    const stopped = arena.lines('plan.skipped').filter(({ reason }) => reason === 'limit-reached');
    // A plan is told with its risk, once there is time for that.
    for (const account of [...sent, ...stopped.map((line) => line['account'])])
      await arena.keeper.until((line) => line.event === 'plan.made' && line['account'] === account, 'each plan');
    const planned = arena.lines('plan.made').toSorted((a, b) => profitOf(b) - profitOf(a));
    expect(new Set(planned.slice(0, sent.size).map(({ account }) => account))).toEqual(sent);
    expect(stopped.length).toBeGreaterThan(0);
    expect(stopped.every((line) => line['limit'] === 'MAX_LOSS_USD_PER_DAY')).toBe(true);
  });
});

describe('a transaction that is not mined in its time', () => {
  let arena: Arena;
  const mempool = new HeldMempoolDouble();
  let first: readonly TransactionRecord[];

  beforeAll(async () => {
    arena = await Arena.open(await setStage({ sees: 'mempool' }), {}, (chain) => mempool.wrap(chain));
    await arena.priceIs(FALLEN);
    first = await arena.records();
    // All of it is in the pool now, and has missed its block.
    await arena.seal();
  });
  afterAll(() => arena?.close());

  const feesOf = (raw: Hex) => {
    const { nonce, maxFeePerGas, maxPriorityFeePerGas } = parseTransaction(raw);
    return { nonce: nonce ?? 0, maxFee: maxFeePerGas!, tip: maxPriorityFeePerGas! };
  };

  it('is replaced at its nonce, by one for the same account, for an eighth more', async () => {
    const again = (await arena.records()).slice(first.length);
    expect(first.length).toBeGreaterThan(3);
    expect(again.map(({ nonce }) => nonce)).toEqual(first.map(({ nonce }) => nonce));
    expect(again.map(({ attempts }) => attempts[0]!.account)).toEqual(first.map(({ attempts }) => attempts[0]!.account));
    const [old, renewed] = [mempool.held.slice(0, first.length), mempool.held.slice(first.length)].map((raws) => raws.map(feesOf));
    for (const [index, { nonce, maxFee, tip }] of renewed!.entries()) {
      const before = old![index]!;
      expect(nonce).toBe(before.nonce);
      expect(maxFee * 8n).toBeGreaterThanOrEqual(before.maxFee * 9n);
      expect(tip * 8n).toBeGreaterThanOrEqual(before.tip * 9n);
    }
  });

  it('is replaced by a transfer of nothing once there is nothing left to do at its nonce', async () => {
    await arena.priceIs(RECOVERED);
    const freed = arena.lines('nonce.freed').map((line) => line['nonce']);
    expect(freed).toEqual(first.map(({ nonce }) => nonce));
    mempool.closed = false;
    await arena.seal();
    // The first transfers never reached the pool: those that replace them do.
    await arena.settle();
    const mined = await arena.mined();
    expect(mined.map(({ nonce, to, gas }) => [Number(nonce), getAddress(to!), Number(gas)])).toEqual(
      first.map(({ nonce }) => [nonce, arena.stage.devnet.accounts.keeper.address, 21_000]),
    );
    const records = await arena.records();
    expect(new Set(records.flatMap(({ attempts }) => attempts.map(({ result }) => result?.outcome)))).toEqual(new Set(['expired']));
    expect(records.filter(({ attempts, outcome }) => attempts.length === 0 && outcome === 'included')).toHaveLength(first.length);
  });

  it('cannot be mined any more', async () => {
    for (const raw of mempool.held) {
      await expect(rpc(arena.stage.devnet.rpcUrl, 'eth_sendRawTransaction', [raw])).rejects.toThrow(/nonce too low/);
    }
  });

  it('is not counted as a failure, nor is what replaced it', () => {
    expect(arena.lines('breaker.opened')).toEqual([]);
  });
});

describe('a transaction that is outbid again and again', () => {
  const MOST_BLOCKS = 60;
  let arena: Arena;
  const mempool = new HeldMempoolDouble();

  beforeAll(async () => {
    arena = await Arena.open(
      await setStage({ sees: 'mempool' }),
      { MAX_LOSS_USD_PER_DAY: '1000000', MAX_GAS_USD_PER_DAY: '1000000' },
      (chain) => mempool.wrap(chain),
    );
    await arena.priceIs(FALLEN);
    const tooDear = () => arena.lines('plan.skipped').some((line) => line['reason'] === 'gas-too-high' && line['outbidWei'] !== undefined);
    for (let block = 0; block < MOST_BLOCKS && !tooDear(); block++) await arena.seal();
  });
  afterAll(() => arena?.close());

  it('offers more each time, and never more than it brings', async () => {
    const grossOf = new Map(
      arena.lines('plan.made').map((line) => [String(line['account']).toLowerCase(), BigInt(String(line['grossWei']))]),
    );
    const sent = (await arena.records()).flatMap(({ txHash, attempts }) => attempts.map(({ account }) => ({ txHash, account })));
    const offers = new Map(mempool.held.map((raw) => [keccak256(raw), parseTransaction(raw)]));
    expect(Math.max(...[...Map.groupBy(sent, ({ account }) => account).values()].map((own) => own.length))).toBeGreaterThan(5);
    for (const { txHash, account } of sent) {
      const { gas, maxFeePerGas } = offers.get(txHash)!;
      // The limit has three tenths of room over the gas that it is expected to use.
      expect((((gas! * 10n) / 13n) * maxFeePerGas!) / 10n ** 12n).toBeLessThanOrEqual(grossOf.get(account)! / 10n ** 12n);
    }
  });

  it('is given up with a reason once that is not enough', () => {
    const given = arena.lines('plan.skipped').filter(({ reason }) => reason === 'gas-too-high');
    expect(given.length).toBeGreaterThan(0);
    expect(given[0]).toMatchObject({ nonce: expect.any(String), outbidWei: expect.any(String) });
  });
});

describe('what the mempool refuses', () => {
  let arena: Arena;
  let refusing = true;

  beforeAll(async () => {
    arena = await Arena.open(await setStage({ sees: 'mempool' }), {}, (chain) => ({
      ...chain,
      broadcast: async (raw) => (refusing ? { kind: 'refused', reason: 'the pool is full' } : chain.broadcast(raw)),
    }));
    await arena.priceIs(FALLEN);
  });
  afterAll(() => arena?.close());

  it('is settled at once, and nothing behind it is sent', async () => {
    const [only, ...others] = await arena.records();
    expect(others).toEqual([]);
    expect(only!.attempts.map(({ result }) => [result!.outcome, result!.reason])).toEqual([['missed', 'refused: the pool is full']]);
    expect(arena.lines('attempt.missed')).toHaveLength(1);
  });

  it('leaves its nonce to the next', async () => {
    refusing = false;
    await arena.seal();
    const [only] = await arena.records();
    await arena.seal();
    const mined = await arena.mined();
    expect(mined.length).toBeGreaterThan(3);
    expect(Number(mined[0]!.nonce)).toBe(only!.nonce);
    expect(arena.lines('nonce.freed')).toEqual([]);
  });
});

describe('a bundle that no relay takes, where the public mempool is the fallback', () => {
  let arena: Arena;

  beforeAll(async () => {
    arena = await Arena.open(await setStage(), { PUBLIC_MEMPOOL: 'fallback' });
    await arena.stage.devnet.builder.fault({ kind: 'http500', method: 'eth_sendBundle' });
    await arena.priceIs(FALLEN);
    await arena.seal();
  });
  afterAll(() => arena?.close());

  it('goes there as it is, and is known to have', async () => {
    const [first] = await arena.records();
    expect(first).toMatchObject({ channel: 'public', outcome: 'included' });
    expect(first!.attempts.filter(({ result }) => result?.outcome === 'included').length).toBeGreaterThan(3);
    const sent = arena.lines('bundle.sent').map(({ relay, answer }) => [relay === 'public mempool', answer]);
    expect(sent.slice(0, 2)).toEqual([
      [false, 'unknown'],
      [true, 'accepted'],
    ]);
  });
});
