/** Reads pools whole, at one block: which there are, their prices and liquidity, all their initialised ticks, what they hold. */
import type { Address, ViewAnswer } from '../../lib/types.ts';
import { addressOf, intOf, uintOf } from '../../lib/words.ts';
import { MirrorError, type Reading } from '../../mirror/types.ts';
import type { Curve } from '../concentrated/swap.ts';
import { readLadders, type TickSource } from '../concentrated/ticks.ts';
import type { PoolIdentity } from '../pool.ts';
import { signedWord, VIEW } from './abi.ts';
import { type Balances, UniswapV3Pool } from './pool.ts';

/** The widest spacing that a factory admits (`UniswapV3Factory.enableFeeAmount`). */
const MAX_SPACING = 16_383;

/** The pools of these pairs at these fees. Throws a MirrorError where the factory does not answer. */
export function* findPools(
  factory: Address,
  pairs: readonly (readonly [Address, Address])[],
  fees: Iterable<number>,
): Reading<readonly PoolIdentity[]> {
  const wanted = pairs.flatMap(([token0, token1]) => [...fees].map((feePips) => ({ token0, token1, feePips })));
  const answers = yield wanted.map(({ token0, token1, feePips }) => VIEW.getPool(factory, token0, token1, feePips));
  const found: PoolIdentity[] = [];
  for (const [index, pair] of wanted.entries()) {
    const address = addressOf(answers[index]);
    if (address === undefined) throw new MirrorError(`${factory} does not answer getPool: it is no Uniswap v3 factory`);
    if (BigInt(address) !== 0n) found.push({ address, ...pair });
  }
  return found;
}

type Head = { readonly identity: PoolIdentity; readonly spacing: number; readonly curve: Curve; readonly balances: Balances };

const READS_PER_POOL = 5;

/** The pools whole. A pool whose tokens do not tell its balances is left out: nothing can be exchanged there. */
export function* readPools(identities: readonly PoolIdentity[]): Reading<readonly UniswapV3Pool[]> {
  const answers = yield identities.flatMap(({ address, token0, token1 }) => [
    VIEW.slot0(address),
    VIEW.liquidity(address),
    VIEW.tickSpacing(address),
    VIEW.balanceOf(token0, address),
    VIEW.balanceOf(token1, address),
  ]);
  const heads = identities.flatMap(
    (identity, index) => headOf(identity, answers.slice(index * READS_PER_POOL, (index + 1) * READS_PER_POOL)) ?? [],
  );
  const ladders = yield* readLadders(heads.map(ticksOf));
  return heads.map(({ identity, curve, balances }, index) => new UniswapV3Pool(identity, curve, ladders[index]!, balances));
}

function headOf(identity: PoolIdentity, answers: readonly ViewAnswer[]): Head | undefined {
  const sqrtPriceX96 = uintOf(answers[0]);
  const tick = intOf(answers[0], 1);
  const liquidity = uintOf(answers[1]);
  const spacing = Number(intOf(answers[2]) ?? 0n);
  if (sqrtPriceX96 === undefined || tick === undefined || liquidity === undefined || spacing <= 0 || spacing > MAX_SPACING) {
    throw new MirrorError(`${identity.address} does not answer as a Uniswap v3 pool`);
  }
  const balance0Raw = uintOf(answers[3]);
  const balance1Raw = uintOf(answers[4]);
  if (balance0Raw === undefined || balance1Raw === undefined) return undefined;
  return { identity, spacing, curve: { sqrtPriceX96, tick: Number(tick), liquidity }, balances: { balance0Raw, balance1Raw } };
}

/** Liquidity is never minted for nothing, so a pool that holds nothing has no ticks, and that is all there is to know. */
function ticksOf({ identity: { address }, spacing, curve, balances }: Head): TickSource {
  return {
    ...{ name: address, spacing, tick: curve.tick ?? 0, bare: balances.balance0Raw === 0n && balances.balance1Raw === 0n },
    bitmap: (word) => VIEW.tickBitmap(address, signedWord(word)),
    ticks: (tick) => VIEW.ticks(address, signedWord(tick)),
    readTick: (answer) => {
      const [gross, net] = [uintOf(answer, 0), intOf(answer, 1)];
      return gross === undefined || net === undefined ? undefined : { gross, net };
    },
  };
}
