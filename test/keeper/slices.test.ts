/**
 * What a keeper learns by itself of rivals and of pools that recover, and what that makes: a position that its pools take only at a loss of most of the bonus,
 * liquidated by a keeper that has seen nobody come and pools come back, and by one that has only just been started. Both find the same chain.
 */
import { type Address, encodeFunctionData, type Hex, parseAbi } from 'viem';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { borrow, supply } from '../../scripts/devnet/aave/positions.ts';
import { CHAIN_ID } from '../../scripts/devnet/anvil.ts';
import { Arbitrageur, fundArbitrageur } from '../../scripts/devnet/arbitrageur.ts';
import { SetupChain } from '../../scripts/devnet/chain.ts';
import { devAccount } from '../../scripts/devnet/keys.ts';
import { transmit } from '../../scripts/devnet/oracle/transmit.ts';
import { rpc } from '../../scripts/devnet/rpc.ts';
import { erc20Abi, provideTokens } from '../../scripts/devnet/tokens.ts';
import { EAGER } from '../../scripts/thin/crashed.ts';
import type { Wraps } from '../../src/keeper.ts';
import { type Line, type Stage, setStage, startTestKeeper } from '../support/keeper.ts';

const UNIT = 10n ** 18n;
const MAX_UINT256 = 2n ** 256n - 1n;
const LINK_USD8 = 15_20000000n;
/** What the price keeps. */
const FALLEN_PERCENT = 72n;
/** So much that the pools of LINK keep most of its bonus if they have to take it at once. */
const [HELD, OWED] = [9_300n * UNIT, 30n * UNIT];
/** Until the arbitrageur has brought the pools to the new price. */
const FOLLOWED = 3;
/** Every other one holds a sale that opens a gap. */
const LEARNING = 14;
const LIVING = 4;
const SALES = [
  { to: 'WETH', fee: 3_000, amount: 2_500n * UNIT },
  { to: 'USDC', fee: 10_000, amount: 250n * UNIT },
];
const routerAbi = parseAbi([
  'struct Swap { address tokenIn; address tokenOut; uint24 fee; address recipient; uint256 deadline; uint256 amountIn; uint256 amountOutMinimum; uint160 sqrtPriceLimitX96; }',
  'function exactInputSingle(Swap params) payable returns (uint256 amountOut)',
]);
const seller = devAccount('borrower', 1);

type Lived = { readonly lines: readonly Line[]; readonly madeWei: bigint };

let stage: Stage;
let learned: Lived;
let started: Lived;

beforeAll(async () => {
  stage = await setStage({ positions: 0 });
  const { rpcUrl, market, builder } = stage.devnet;
  const chain = new SetupChain(rpcUrl, devAccount('deployer'));
  await chain.prepare();
  await openBorrower(chain);
  await fundSeller(chain);
  await fundArbitrageur(chain, market);
  await transmit(rpcUrl, market.feeds['LINK / USD']!, (LINK_USD8 * FALLEN_PERCENT) / 100n);
  await builder.seal();
  const arbitrageur = arbitrageurOf();
  for (let block = 0; block < FOLLOWED; block++) {
    await arbitrageur.onBlock(await chain.blockNumber());
    await builder.seal();
  }
  const snapshot = await rpc<string>(rpcUrl, 'evm_snapshot');
  learned = await live('learned', true);
  await rpc(rpcUrl, 'evm_revert', [snapshot]);
  started = await live('started', false);
}, 240_000);
afterAll(() => stage?.close());

async function openBorrower(chain: SetupChain): Promise<void> {
  const { tokens, aave } = stage.devnet.market;
  const borrower = devAccount('borrower', 0);
  await chain.fund([borrower.address], 10n ** 20n);
  provideTokens(chain, tokens, borrower, 'LINK', HELD);
  await chain.mine();
  supply(chain, aave.pool, borrower, tokens['LINK']!, HELD, 'borrower');
  await chain.mine();
  borrow(chain, aave.pool, borrower, tokens['WETH']!, OWED, 'variable', 'borrower');
  await chain.mine();
}

async function fundSeller(chain: SetupChain): Promise<void> {
  const { tokens, uniswap } = stage.devnet.market;
  await chain.fund([seller.address], 10n ** 20n);
  provideTokens(chain, tokens, seller, 'LINK', 10n * HELD);
  const data = encodeFunctionData({ abi: erc20Abi, functionName: 'approve', args: [uniswap.swapRouter, MAX_UINT256] });
  chain.send(seller, { to: tokens['LINK']!, data, gas: 60_000n, label: 'seller: approve' });
  await chain.mine();
}

function arbitrageurOf(): Arbitrageur {
  const { rpcUrl, market } = stage.devnet;
  return new Arbitrageur({ rpcUrl, market, seed: 1, limits: EAGER });
}

/** Blocks of gaps that the next one closes, then some in which liquidations go through. @param watches whether the keeper is there from the first of them on */
async function live(name: string, watches: boolean): Promise<Lived> {
  const { rpcUrl, builder, deployments } = stage.devnet;
  let forgetting = true;
  // To the keeper nobody took what it wanted, and it did not either.
  const wraps: Wraps = {
    relay: (relay) => ({
      ...relay,
      send: async (...args) => (forgetting ? { kind: 'accepted', bundleHash: `0x${'00'.repeat(32)}` } : relay.send(...args)),
    }),
  };
  const environment = { ...stage.environment, DATA_DIR: `${stage.folder}/${name}`, BID_SHARE: '0.1' };
  const start = () => startTestKeeper(environment, stage.folder, wraps);
  let keeper = watches ? start() : undefined;
  const arbitrageur = arbitrageurOf();
  const seal = async (sells: boolean) => {
    await arbitrageur.onBlock(Number(await rpc<Hex>(rpcUrl, 'eth_blockNumber')));
    if (sells) await sell();
    const { number } = await builder.seal();
    await keeper?.until(({ event, block }) => event === 'block.processed' && block === number, `block ${number}`);
  };
  try {
    await keeper?.until(({ event }) => event === 'block.processed', 'the first block');
    for (let block = 0; block < LEARNING; block++) await seal(block % 2 === 0);
    const before = (await wethOf(stage.executor)) + (await wethOf(devAccount('keeper').address));
    forgetting = false;
    keeper ??= start();
    await keeper.until(({ event }) => event === 'block.processed', 'the first block');
    for (let block = 0; block < LIVING; block++) await seal(false);
    return { lines: keeper.lines, madeWei: (await wethOf(stage.executor)) + (await wethOf(devAccount('keeper').address)) - before };
  } finally {
    await keeper?.stop();
  }

  async function wethOf(owner: Address): Promise<bigint> {
    const data = encodeFunctionData({ abi: erc20Abi, functionName: 'balanceOf', args: [owner] });
    return BigInt(await rpc<Hex>(rpcUrl, 'eth_call', [{ to: deployments.wrappedNative, data }, 'latest']));
  }
}

/** Somebody sells LINK to its pools, whatever the price. */
async function sell(): Promise<void> {
  const { rpcUrl, market } = stage.devnet;
  const nonce = Number(await rpc<Hex>(rpcUrl, 'eth_getTransactionCount', [seller.address, 'latest']));
  const { baseFeePerGas } = await rpc<{ baseFeePerGas: Hex }>(rpcUrl, 'eth_getBlockByNumber', ['latest', false]);
  for (const [place, { to, fee, amount }] of SALES.entries()) {
    const swap = {
      ...{ tokenIn: market.tokens['LINK']!, tokenOut: market.tokens[to]!, fee, amountIn: amount, amountOutMinimum: 0n },
      ...{ recipient: seller.address, deadline: MAX_UINT256, sqrtPriceLimitX96: 0n },
    };
    const raw = await seller.signTransaction({
      ...{ type: 'eip1559', chainId: CHAIN_ID, nonce: nonce + place, to: market.uniswap.swapRouter, gas: 1_500_000n },
      ...{ maxPriorityFeePerGas: 10n ** 9n, maxFeePerGas: 3n * BigInt(baseFeePerGas) + 10n ** 9n },
      data: encodeFunctionData({ abi: routerAbi, functionName: 'exactInputSingle', args: [swap] }),
    });
    await rpc(rpcUrl, 'eth_sendRawTransaction', [raw]);
  }
}

const of = ({ lines }: Lived, event: string) => lines.filter((line) => line.event === event);

/** The plans that were carried out, in order. */
function taken(lived: Lived): readonly Line[] {
  const planned = of(lived, 'plan.made');
  return of(lived, 'attempt.included').map(({ targetBlock }) => planned.find(({ block }) => block === Number(targetBlock) - 1)!);
}

it('who has seen pools come back and nobody else come takes a part, lets a block pass, and takes the rest', () => {
  const [first, rest, ...others] = taken(learned);
  expect(others).toEqual([]);
  for (const learnt of ['staysBps', 'recoversBps']) expect(Number(first![learnt])).toBeGreaterThan(5_000);
  const [firstRaw, restRaw] = [BigInt(String(first!['repayRaw'])), BigInt(String(rest!['repayRaw']))];
  expect(firstRaw).toBeLessThan((OWED * 4n) / 5n);
  expect(Number(first!['laterRepayRaw']) / Number(restRaw)).toBeCloseTo(1, 6);
  expect((firstRaw + restRaw) / 10n ** 15n).toBe(OWED / 10n ** 15n);
  const waited = of(learned, 'plan.skipped').filter(
    ({ reason, block }) => reason === 'better-later' && Number(block) > Number(first!['block']),
  );
  expect(waited.map(({ block }) => block)).toEqual([Number(rest!['block']) - 1]);
});

it('who has seen nothing takes all at once', () => {
  const [all, ...others] = taken(started);
  expect(others).toEqual([]);
  expect(all!['staysBps']).toBeUndefined();
  expect(BigInt(String(all!['repayRaw'])) / 10n ** 15n).toBe(OWED / 10n ** 15n);
});

it('what was learnt makes clearly more, by the balances on the chain, and nothing reverts', () => {
  expect(learned.madeWei * 100n).toBeGreaterThan(started.madeWei * 120n);
  expect([...of(learned, 'attempt.reverted'), ...of(started, 'attempt.reverted')]).toEqual([]);
});
