/** Tokens that are not what they seem, in pairs of the real Uniswap v2: known for what they are, and kept out of every way. */

import { type Hex, parseAbi } from 'viem';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Artifact, compileUnit } from '../../scripts/devnet/compile.ts';
import { ownContracts } from '../../scripts/devnet/tokens.ts';
import { RpcPool } from '../../src/chain/rpc.ts';
import type { CallOptions, Rpc, RpcCall } from '../../src/chain/types.ts';
import { Errands } from '../../src/lib/errands.ts';
import { SecretUrl } from '../../src/lib/secret.ts';
import type { Address, Head } from '../../src/lib/types.ts';
import { PoolRouter } from '../../src/liquidity/router.ts';
import { type Finding, TokenTrials } from '../../src/liquidity/token-trials.ts';
import type { Fill, NoFill } from '../../src/liquidity/types.ts';
import { UniswapV2Pairs } from '../../src/liquidity/uniswap-v2/pairs.ts';
import { ExecutorOn } from '../support/executor.ts';
import { MirrorDriver } from '../support/mirror-driver.ts';
import { lower, UniswapWorld } from '../support/uniswap.ts';
import { UniswapV2On } from '../support/uniswap-v2.ts';

const ETHER = 10n ** 18n;
const RESERVE = 10_000n * ETHER;
const NAMES = [
  ...['FeeToken', 'SaleTaxToken', 'SurchargeToken', 'SharesToken', 'PausedToken'],
  ...['BurningToken', 'DenyingToken', 'SilentToken', 'HidingToken'],
];
const tokenAbi = parseAbi(['function mint(address to, uint256 amount)']);

let world: UniswapWorld;
let odd: Record<string, Artifact>;
let executor: ExecutorOn;
let multicall3: Address;
let base: Address;
let plain: Address;
let token: Record<string, Address>;
let pairs: UniswapV2Pairs;
let router: PoolRouter;
let driver: MirrorDriver;
let rpc: RpcPool;

beforeAll(async () => {
  world = await UniswapWorld.start();
  odd = await compileUnit({
    name: 'odd tokens',
    solc: 'solc-0.8.27',
    entries: ['test/liquidity/contracts/OddTokens.sol'],
    settings: { optimizer: { enabled: true, runs: 200 }, evmVersion: 'cancun' },
  });
  const { chain } = world;
  [base, plain] = (await world.tokens(2)) as [Address, Address];
  multicall3 = lower(chain.deploy('Multicall3', (await ownContracts())['Multicall3']!));
  executor = new ExecutorOn(world, base);
  token = Object.fromEntries(NAMES.map((name) => [name, lower(chain.deploy(name, odd[name]!))]));
  const v2 = new UniswapV2On(world);
  await chain.mine();
  const listed = [...NAMES.map((name) => token[name]!), plain].map((other) => [base, other] as const);
  // A way over a token that takes fees, and none other between these two.
  const all = [...listed, [token['FeeToken']!, token['SilentToken']!] as const];
  const made = await v2.createPairs(all.map(([one, other]) => ({ one, other, oneRaw: RESERVE, otherRaw: RESERVE })));
  set('SaleTaxToken', 'setTaxed', made[NAMES.indexOf('SaleTaxToken')]);
  set('PausedToken', 'pause', true);
  set('BurningToken', 'burn', true);
  set('HidingToken', 'hide', true);
  await chain.mine();
  rpc = await RpcPool.open([new SecretUrl(world.rpcUrl)]);
  pairs = new UniswapV2Pairs(v2.factory);
}, 180_000);

afterAll(async () => {
  rpc?.close();
  await world?.stop();
});

beforeEach(async () => {
  router = new PoolRouter({ name: 'uniswap', families: [pairs], bridgeTokens: [base], numeraire: base, executor: executor.address });
  router.want([plain, ...Object.values(token)]);
  driver = new MirrorDriver(world.rpcUrl, router);
  await driver.anchor();
});

function set(name: string, functionName: string, value: unknown): void {
  world.chain.call(token[name]!, odd[name]!.abi, functionName, [value]);
}

type Block = { number: Hex; hash: Hex };
async function head(): Promise<Head> {
  const block = (await rpc.request('eth_getBlockByNumber', ['latest', false])) as Block;
  return { number: Number(block.number), hash: block.hash } as Head;
}

function trials(over: { rpc?: Rpc; multicall3?: Address | undefined } = {}) {
  const found: Finding[] = [];
  const parts = {
    rpc,
    multicall3,
    exchanging: router,
    recipient: executor.address,
    errands: new Errands(),
    found: (finding: Finding) => found.push(finding),
    ...over,
  };
  return { trials: new TokenTrials(parts), found };
}

const quote = (one: Address, other: Address): Fill | NoFill => router.quoteIn(one, other, ETHER, router.depth());
const nameOf = (address: Address) => NAMES.find((name) => token[name] === address);

describe('tried as its pool and the Executor would move it', () => {
  test('each odd token is known for what it is, and no ordinary one is', async () => {
    const { trials: tried, found } = trials();
    await tried.onBlock(await head());
    const amount = RESERVE / 997n;
    const causes = Object.fromEntries(found.map(({ token: each, cause }) => [nameOf(each), cause]));
    expect(causes).toEqual({
      FeeToken: `of ${amount} sent ${amount - amount / 100n} arrive`,
      SaleTaxToken: `of ${amount} sent ${amount - amount / 20n} arrive`,
      SurchargeToken: `${amount} sent cost the sender ${amount + amount / 1_000n}`,
      SharesToken: expect.stringMatching(/^(of \d+ sent \d+ arrive|\d+ sent cost the sender \d+)$/),
      PausedToken: 'its transfer fails',
      BurningToken: expect.stringMatching(/^its transfer (fails|takes all gas)$/),
      DenyingToken: 'its transfer answers false',
      HidingToken: 'it does not tell balances',
    });
  });

  test('nothing of it stays on the chain', async () => {
    const before = await head();
    await trials().trials.onBlock(before);
    expect(await head()).toEqual(before);
    expect(await world.balanceOf(token['SilentToken']!, executor.address)).toBe(0n);
  });
});

describe('an odd token', () => {
  beforeEach(async () => {
    await trials().trials.onBlock(await head());
  });

  test('has no fill at either end of a way, with its name and why; others have', async () => {
    const fee = token['FeeToken']!;
    for (const none of [quote(fee, base), quote(base, fee), router.quoteOut(base, fee, ETHER, router.depth())])
      expect(none).toEqual({ ok: false, reason: 'odd-token', token: fee, cause: expect.stringContaining('arrive') });
    expect([quote(base, plain).ok, quote(token['SilentToken']!, plain).ok]).toEqual([true, true]);
  });

  test('is no bridge', () => {
    const over = new PoolRouter({
      ...{ name: 'uniswap', families: [pairs], numeraire: plain, executor: executor.address },
      bridgeTokens: [token['FeeToken']!],
    });
    const way = () => over.quoteIn(base, token['SilentToken']!, ETHER, over.depth());
    const avoiding = () => over.quoteIn(base, token['SilentToken']!, ETHER, over.depth(), (way() as Fill).pools.slice(0, 1));
    expect(avoiding()).toMatchObject({ ok: true });
    over.shun(new Map([[token['FeeToken']!, 'it takes a fee']]));
    expect(avoiding()).toMatchObject({ ok: false });
  });
});

test('what is promised of a token that answers nothing holds; of one that takes fees it would not', async () => {
  const sold = async (name: string) => {
    const fill = quote(token[name]!, base) as Fill;
    expect(fill.ok).toBe(true);
    world.chain.call(token[name]!, tokenAbi, 'mint', [executor.address, ETHER]);
    await world.chain.mine();
    const before = await executor.holding(base);
    await executor.execute([router.steps(fill, 'planned')]);
    await driver.follow();
    return (await executor.holding(base)) - before - fill.amountOutRaw;
  };
  expect(await sold('SilentToken')).toBe(0n);
  // Not tried yet, so it is quoted: the pair takes the exchange for too good and refuses it.
  await expect(sold('FeeToken')).rejects.toThrow('execute reverted');
});

test('what changes is found out in turn: a fee that ends, one that begins', async () => {
  const { trials: tried, found } = trials();
  const restore = await world.snapshot();
  await tried.onBlock(await head());
  found.length = 0;
  set('FeeToken', 'setFee', 0n);
  await world.chain.mine();
  const { hash } = await head();
  const turns = async () => {
    // Once round: every token, and the odd ones twice. Only the number decides whose turn it is.
    for (let turn = 0; turn < 2 * NAMES.length + 4; turn++) await tried.onBlock({ number: 64 * turn, hash: (await head()).hash } as Head);
  };
  await tried.onBlock({ number: 65, hash } as Head);
  expect(found).toEqual([]);
  await turns();
  expect(found).toEqual([{ token: token['FeeToken'], cause: undefined }]);
  expect(quote(token['FeeToken']!, base).ok).toBe(true);
  set('FeeToken', 'setFee', 30n);
  await world.chain.mine();
  await turns();
  expect(found.at(-1)).toMatchObject({ token: token['FeeToken'], cause: expect.stringContaining('arrive') });
  expect(quote(token['FeeToken']!, base)).toMatchObject({ reason: 'odd-token' });
  await restore();
});

describe('where nothing can be tried every token is an ordinary one', () => {
  test.each<[string, () => { rpc?: Rpc; multicall3?: Address | undefined }]>([
    ['without Multicall3', () => ({ multicall3: undefined })],
    ['with an address that has no code for it', () => ({ multicall3: executor.address.replace(/.$/, '0') as Address })],
    ['at a node that knows no overrides', () => ({ rpc: new PlainNodeDouble(rpc) })],
    ['when no endpoint answers', () => ({ rpc: new SilentNodeDouble() })],
  ])('%s', async (_, over) => {
    const { trials: tried, found } = trials(over());
    await tried.onBlock(await head());
    expect(found).toEqual([]);
    expect(quote(token['FeeToken']!, base).ok).toBe(true);
  });
});

/** Leaves overrides out of what it is asked, as some gateways do. */
class PlainNodeDouble implements Rpc {
  readonly #rpc: Rpc;

  constructor(node: Rpc) {
    this.#rpc = node;
  }

  request(method: string, params: readonly unknown[], options?: CallOptions) {
    return this.#rpc.request(method, params, options);
  }

  ask: Rpc['ask'] = (...asked) => this.#rpc.ask(...asked);

  batch(calls: readonly RpcCall[], options?: CallOptions) {
    return this.#rpc.batch(
      calls.map(({ method, params }) => ({ method, params: params.slice(0, 2) })),
      options,
    );
  }
}

class SilentNodeDouble implements Rpc {
  request(): Promise<never> {
    return Promise.reject(new Error('no endpoint'));
  }

  ask(): Promise<never> {
    return Promise.reject(new Error('no endpoint'));
  }

  batch(): Promise<never> {
    return Promise.reject(new Error('no endpoint'));
  }
}
