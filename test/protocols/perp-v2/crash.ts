/** Prices that fall or rise in earnest: the index first, then whoever brings the pool to it. */
import type { Address } from 'viem';
import { sqrtPriceX96Of } from '../../../scripts/devnet/perp-v2/deploy.ts';
import { rpc } from '../../../scripts/devnet/rpc.ts';
import type { PerpWorld } from './world.ts';

const ARBITRAGEUR: Address = '0x00000000000000000000000000000000a4b17300';
const DEPOSIT_RAW = 100_000_000n * 10n ** 6n;
/** No swap may go further from the last price than 10%. */
const STEP = 0.08;

/** Moves a market by a factor, and lets the averages follow. */
export async function move(world: PerpWorld, symbol: string, from: number, factor: number): Promise<void> {
  await world.deposit(ARBITRAGEUR, DEPOSIT_RAW);
  await world.mine();
  const to = from * factor;
  const steps = Math.ceil(Math.abs(Math.log(factor)) / STEP);
  for (let step = 1; step <= steps; step++) {
    const usd = from * factor ** (step / steps);
    await world.price(symbol, usd);
    await world.mine();
    await world.pass(20);
    await swapTo(world, symbol, usd, to < from ? 'short' : 'long');
    await world.mine();
    await world.pass(20);
  }
  await world.pass(60);
}

async function swapTo(world: PerpWorld, symbol: string, usd: number, side: 'long' | 'short'): Promise<void> {
  const order = {
    ...{ baseToken: world.market(symbol).base, isBaseToQuote: side === 'short', isExactInput: true, amount: 10n ** 24n },
    ...{ oppositeAmountBound: 0n, deadline: 2n ** 256n - 1n, sqrtPriceLimitX96: sqrtPriceX96Of(usd), referralCode: `0x${'0'.repeat(64)}` },
  };
  await world.send(ARBITRAGEUR, world.contract('clearingHouse'), 'openPosition', [order], 'arbitrage');
}

/** Runs `act` and takes back whatever it did to the chain. */
export async function undone<T>(world: PerpWorld, act: () => Promise<T>): Promise<T> {
  const snapshot = await rpc<string>(world.anvil.rpcUrl, 'evm_snapshot');
  try {
    return await act();
  } finally {
    await rpc(world.anvil.rpcUrl, 'evm_revert', [snapshot]);
  }
}
