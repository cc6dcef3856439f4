import { type Address, getAddress, type Hex, numberToHex, parseEther, parseTransaction, recoverTransactionAddress } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { balancesAt } from '../../scripts/demo/observe.ts';
import { transmit } from '../../scripts/devnet/oracle/transmit.ts';
import { rpc } from '../../scripts/devnet/rpc.ts';
import { NATIVE } from '../../src/execution/accounting.ts';
import type { Wraps } from '../../src/keeper.ts';
import { readLedger, type TransactionRecord } from '../../src/ledger/reader.ts';
import { type Line, type Stage, setStage, startTestKeeper, type TestKeeper } from '../support/keeper.ts';

const FALLEN = 2_800_00000000n;
const LANES = 2;

type Mined = { hash: Hex; from: Address; nonce: number; to: Address; value: bigint; block: number };

/** A keeper with further senders, and the chain under it. */
class Arena {
  readonly stage: Stage;
  readonly senders: readonly Address[];
  readonly start: number;
  keeper: TestKeeper;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #wraps: Wraps;

  private constructor(stage: Stage, environment: Readonly<Record<string, string>>, wraps: Wraps, keeper: TestKeeper, start: number) {
    const { accounts } = stage.devnet;
    this.stage = stage;
    this.senders = [accounts.keeper.address, ...accounts.lanes.slice(0, LANES).map(({ address }) => address)];
    this.#environment = environment;
    this.#wraps = wraps;
    this.keeper = keeper;
    this.start = start;
  }

  static async open(stage: Stage, over: Readonly<Record<string, string>> = {}, wraps: Wraps = {}): Promise<Arena> {
    const environment = { ...stage.environment, ...over };
    const keeper = startTestKeeper(environment, stage.folder, wraps);
    const first = await keeper.until(({ event }) => event === 'block.processed', 'the first block');
    return new Arena(stage, environment, wraps, keeper, Number(first['block']));
  }

  async restart(): Promise<void> {
    await this.keeper.stop();
    this.keeper = startTestKeeper(this.#environment, this.stage.folder, this.#wraps);
    await this.keeper.until(({ event }) => event === 'block.processed', 'the first block');
  }

  async priceIs(usd8: bigint): Promise<number> {
    await transmit(this.stage.devnet.rpcUrl, this.stage.devnet.market.feeds['ETH / USD']!, usd8, { tipWei: 20_000_000_000n });
    return this.seal();
  }

  async seal(blocks = 1): Promise<number> {
    let number = 0;
    for (let block = 0; block < blocks; block++) {
      ({ number } = await this.stage.devnet.builder.seal());
      await this.keeper.until((line) => line.event === 'block.processed' && line['block'] === number, `block ${number}`);
    }
    return number;
  }

  lines(event: string): readonly Line[] {
    return this.keeper.lines.filter((line) => line.event === event);
  }

  async records(): Promise<readonly TransactionRecord[]> {
    const ledger = await readLedger(`${this.stage.folder}/data`);
    return ledger.transactions({}).finally(() => ledger.close());
  }

  /** Our transactions since the start, as the chain has them. */
  async mined(): Promise<readonly Mined[]> {
    const { rpcUrl } = this.stage.devnet;
    type Found = { hash: Hex; from: Address; nonce: Hex; to: Address; value: Hex };
    const found: Mined[] = [];
    const last = Number(await rpc<Hex>(rpcUrl, 'eth_blockNumber'));
    for (let number = this.start + 1; number <= last; number++) {
      const block = await rpc<{ transactions: Found[] }>(rpcUrl, 'eth_getBlockByNumber', [numberToHex(number), true]);
      for (const { hash, from, nonce, to, value } of block.transactions)
        if (this.senders.includes(getAddress(from)))
          found.push({ hash, from: getAddress(from), nonce: Number(nonce), to: getAddress(to), value: BigInt(value), block: number });
    }
    return found;
  }

  async balance(address: Address): Promise<bigint> {
    return BigInt(await rpc<Hex>(this.stage.devnet.rpcUrl, 'eth_getBalance', [address, 'latest']));
  }

  async setBalance(address: Address, wei: bigint): Promise<void> {
    await rpc(this.stage.devnet.rpcUrl, 'anvil_setBalance', [address, numberToHex(wei)]);
  }

  /** What the books say that all of us gained and lost is what the chain says. */
  async expectBooksToAgree(): Promise<void> {
    const { devnet, executor } = this.stage;
    const tokens = Object.values(devnet.market.tokens);
    const holders = [getAddress(executor), ...this.senders];
    const last = Number(await rpc<Hex>(devnet.rpcUrl, 'eth_blockNumber'));
    const before = await balancesAt(devnet.rpcUrl, holders, tokens, this.start);
    const after = await balancesAt(devnet.rpcUrl, holders, tokens, last);
    const booked = new Map<string, bigint>();
    for (const { mined } of await this.records())
      for (const [token, delta] of Object.entries(mined?.balanceChanges ?? {})) booked.set(token, (booked.get(token) ?? 0n) + delta);
    for (const [token, held] of after) expect([token, booked.get(token) ?? 0n]).toEqual([token, held - before.get(token)!]);
  }

  async close(): Promise<void> {
    await this.keeper.stop();
    await this.stage.close();
  }
}

/** Each lane's nonces follow one another. */
function expectNoGap(mined: readonly Mined[]): void {
  for (const [, own] of Map.groupBy(mined, ({ from }) => from))
    expect(own.map(({ nonce }) => nonce)).toEqual(own.map((_, index) => own[0]!.nonce + index));
}

/** Keeps what one sender hands to the public mempool while `closed`. */
class StuckSenderDouble {
  closed = true;
  readonly held: Hex[] = [];
  readonly #sender: Address;

  constructor(sender: Address) {
    this.#sender = sender;
  }

  readonly wraps: Wraps = {
    chain: (chain) => ({
      ...chain,
      broadcast: async (raw) => {
        if (!this.closed || (await recoverTransactionAddress({ serializedTransaction: raw as `0x02${string}` })) !== this.#sender)
          return chain.broadcast(raw);
        this.held.push(raw);
        return { kind: 'accepted', bundleHash: 'held' };
      },
    }),
  };
}

describe('several senders in the public mempool', () => {
  let arena: Arena;
  const asked: string[] = [];

  beforeAll(async () => {
    const wraps: Wraps = {
      chain: (chain) => ({
        ...chain,
        accounts: (...given) => {
          asked.push('accounts');
          return chain.accounts(...given);
        },
        balanceOf: (lane) => {
          asked.push('balance');
          return chain.balanceOf(lane);
        },
      }),
    };
    arena = await Arena.open(await setStage({ lanes: LANES, sees: 'mempool' }), { PUBLIC_MEMPOOL: 'only' }, wraps);
  });
  afterAll(() => arena?.close());

  it('liquidate side by side in one block', async () => {
    await arena.priceIs(FALLEN);
    const block = await arena.seal();
    const mined = await arena.mined();
    expect(new Set(mined.map(({ from }) => from)).size).toBe(1 + LANES);
    expect(new Set(mined.map((one) => one.block))).toEqual(new Set([block]));
    expectNoGap(mined);
  });

  it('each liquidate accounts of their own, and none gets in another’s way', async () => {
    const attempts = (await arena.records()).flatMap((record) => record.attempts);
    expect(new Set(attempts.map(({ result }) => result?.outcome))).toEqual(new Set(['included']));
    const accounts = attempts.map(({ account }) => account);
    expect(accounts.length).toBeGreaterThan(3);
    expect(new Set(accounts).size).toBe(accounts.length);
  });

  it('go on with their nonces after a restart', async () => {
    await arena.restart();
    await arena.priceIs(2_600_00000000n);
    await arena.seal(4);
    const mined = await arena.mined();
    expectNoGap(mined);
    expect(new Set(mined.map(({ from }) => from)).size).toBe(1 + LANES);
    const known = new Set((await arena.records()).flatMap(({ txHash, mined: at }) => (at === undefined ? [] : [txHash])));
    expect(known).toEqual(new Set(mined.map(({ hash }) => hash)));
  });

  it('have their balances in the books, to the wei', () => arena.expectBooksToAgree());

  it('cost no calls while nothing happens: what they hold is read with everything else of a block', async () => {
    await arena.seal(4);
    const before = asked.length;
    await arena.seal(25);
    expect(asked.slice(before)).toEqual([]);
  });
});

describe('a sender whose transactions are not mined', () => {
  let arena: Arena;
  let stuck: Address;
  let pool: StuckSenderDouble;

  beforeAll(async () => {
    const stage = await setStage({ lanes: LANES, sees: 'mempool' });
    stuck = stage.devnet.accounts.lanes[0]!.address;
    pool = new StuckSenderDouble(stuck);
    arena = await Arena.open(stage, { PUBLIC_MEMPOOL: 'only' }, pool.wraps);
    await arena.priceIs(FALLEN);
    await arena.seal();
  });
  afterAll(() => arena?.close());

  it('does not hold up the others', async () => {
    const mined = await arena.mined();
    expect(mined.length).toBeGreaterThan(2);
    expect(mined.filter(({ from }) => from === stuck)).toEqual([]);
    expect(pool.held.length).toBeGreaterThan(0);
  });

  it('keeps its nonce, and what stands there is replaced by the same liquidation for more', async () => {
    const own = (await arena.records()).filter(({ lane }) => getAddress(lane) === stuck);
    const again = own.filter(({ nonce }) => nonce === own[0]!.nonce);
    expect(again.length).toBeGreaterThan(1);
    expect(new Set(again.map(({ attempts }) => attempts[0]!.account)).size).toBe(1);
    const fees = pool.held.map((raw) => parseTransaction(raw)).filter(({ nonce = 0 }) => nonce === own[0]!.nonce);
    expect(fees[1]!.maxFeePerGas! * 8n).toBeGreaterThanOrEqual(fees[0]!.maxFeePerGas! * 9n);
  });

  it('catches up once it can, and no liquidation is done twice', async () => {
    pool.closed = false;
    await arena.seal(5);
    const mined = await arena.mined();
    expect(mined.some(({ from }) => from === stuck)).toBe(true);
    expectNoGap(mined);
    const included = (await arena.records()).flatMap(({ attempts }) =>
      attempts.flatMap(({ account, result }) => (result?.outcome === 'included' ? [account] : [])),
    );
    expect(new Set(included).size).toBe(included.length);
    await arena.expectBooksToAgree();
  });
});

describe('a sender that is short of gas', () => {
  const TOP_UP = parseEther('0.5');
  let arena: Arena;
  let poor: Address;

  beforeAll(async () => {
    const stage = await setStage({ lanes: LANES, sees: 'mempool' });
    poor = stage.devnet.accounts.lanes[1]!.address;
    await rpc(stage.devnet.rpcUrl, 'anvil_setBalance', [poor, '0x1']);
    arena = await Arena.open(stage, { PUBLIC_MEMPOOL: 'only' });
  });
  afterAll(() => arena?.close());

  it('rests, which is told once, and the others do its work', async () => {
    await arena.priceIs(FALLEN);
    await arena.seal();
    expect(arena.lines('lane.resting').map((line) => getAddress(String(line['lane'])))).toEqual([poor]);
    const mined = await arena.mined();
    expect(new Set(mined.map(({ from }) => from))).toEqual(new Set(arena.senders.filter((sender) => sender !== poor)));
  });

  it('comes back once somebody has sent it gas', async () => {
    await arena.setBalance(poor, TOP_UP);
    await arena.seal(11);
    expect(arena.lines('lane.back').map((line) => getAddress(String(line['lane'])))).toEqual([poor]);
  });

  it('makes the keeper unready only when it is the last', async () => {
    const ready = async () => {
      const { dashboard } = arena.lines('keeper.started')[0]!;
      return (await fetch(`${String(dashboard).replace(/\/$/, '')}/readyz`)).json() as Promise<{ ready: boolean; because?: string[] }>;
    };
    expect(await ready()).toMatchObject({ ready: true });
    for (const sender of arena.senders) await arena.setBalance(sender, 1n);
    await arena.seal(11);
    const { because } = await ready();
    expect(because?.join()).toMatch(/every lane is short of gas/);
  });
});

describe.each(['only', 'never'])('top-ups with PUBLIC_MEMPOOL=%s', (PUBLIC_MEMPOOL) => {
  const TOP_UP = parseEther('0.5');
  let arena: Arena;
  let poor: Address;

  beforeAll(async () => {
    const stage = await setStage({ lanes: LANES });
    poor = stage.devnet.accounts.lanes[1]!.address;
    await rpc(stage.devnet.rpcUrl, 'anvil_setBalance', [poor, '0x1']);
    arena = await Arena.open(stage, { PUBLIC_MEMPOOL, LANE_TOPUP: '0.5' });
  });
  afterAll(() => arena?.close());

  it('a lane is given gas by the keeper’s account, in one transaction', async () => {
    await arena.seal(3);
    const mined = await arena.mined();
    expect(mined).toMatchObject([{ from: arena.senders[0], to: poor, value: TOP_UP }]);
    expect(await arena.balance(poor)).toBe(TOP_UP + 1n);
    expect(arena.lines('lane.topped-up')).toMatchObject([{ by: 'transfer', wei: String(TOP_UP), txHash: mined[0]!.hash }]);
    expect(arena.lines('lane.back').map((line) => getAddress(String(line['lane'])))).toEqual([poor]);
  });

  it('where nobody has enough, profit that the keeper’s account was paid is unwrapped and given', async () => {
    await arena.priceIs(FALLEN);
    await arena.seal(2);
    const { rpcUrl, deployments } = arena.stage.devnet;
    const [keeper, other] = arena.senders;
    const profit = async (block: number) => (await balancesAt(rpcUrl, [keeper!], [wrapped], block)).get(wrapped)!;
    const wrapped = deployments.wrappedNative.toLowerCase() as Address;
    const before = await profit(await arena.seal());
    const told = arena.lines('lane.topped-up').length;
    for (const sender of [keeper!, other!]) await arena.setBalance(sender, TOP_UP / 10n);
    await arena.setBalance(poor, 1n);
    const last = await arena.seal(20);
    expect(
      arena
        .lines('lane.topped-up')
        .slice(told)
        .map(({ by }) => by),
    ).toEqual(['unwrap', 'transfer']);
    expect(await profit(last)).toBe(before - TOP_UP);
    expect(await arena.balance(poor)).toBe(TOP_UP + 1n);
    const unwrapped = (await arena.records()).find(({ mined }) => mined?.balanceChanges[wrapped] === -TOP_UP);
    expect(unwrapped?.mined).toMatchObject({ balanceChanges: { [NATIVE]: TOP_UP - unwrapped!.mined!.gasWei } });
  });
});

describe('bundles of more gas than one transaction may use', () => {
  let arena: Arena;

  beforeAll(async () => {
    arena = await Arena.open(await setStage({ lanes: LANES, positions: 200, seed: 2 }));
  });
  afterAll(() => arena?.close());

  it('travel as several transactions of one sender, all in the next block', async () => {
    await arena.priceIs(1_500_00000000n);
    const block = await arena.seal();
    const records = (await arena.records()).filter(({ targetBlock }) => targetBlock === block);
    expect(records.length).toBeGreaterThan(1);
    expect(records.map(({ outcome, mined }) => [outcome, mined?.block])).toEqual(records.map(() => ['included', block]));
    expect(new Set(records.map(({ lane }) => lane)).size).toBe(1);
    expectNoGap((await arena.mined()).filter((one) => one.block === block));
    await arena.expectBooksToAgree();
  });
});

describe('the keeper’s own account without gas, where updates can be gone behind', () => {
  let arena: Arena;

  beforeAll(async () => {
    const stage = await setStage({ lanes: LANES, sees: 'mempool' });
    await rpc(stage.devnet.rpcUrl, 'anvil_setBalance', [stage.devnet.accounts.keeper.address, '0x1']);
    arena = await Arena.open(stage);
    await arena.keeper.until((line) => line.event === 'endpoint.changed' && line['kind'] === 'pending-from', 'the mempool');
    await arena.seal();
  });
  afterAll(() => arena?.close());

  it('leaves that to the next lane, in the update’s own block', async () => {
    const { rpcUrl, market } = arena.stage.devnet;
    const hash = await transmit(rpcUrl, market.feeds['ETH / USD']!, FALLEN);
    await arena.keeper.until((line) => line.event === 'bundle.sent' && String(line['updateTxHash']).includes(hash), 'a bundle behind it');
    const block = await arena.seal();
    const records = (await arena.records()).filter(({ mined }) => mined?.block === block);
    expect(records.length).toBeGreaterThan(0);
    expect(records.map(({ lane, outcome }) => [getAddress(lane), outcome])).toEqual(records.map(() => [arena.senders[1], 'included']));
  });
});
