import { getAbiItem } from 'viem/utils';
import { calldataOf } from '../../lib/calldata.ts';
import { encodeSteps } from '../../lib/encode-steps.ts';
import { mulDivUp } from '../../lib/math.ts';
import type { Step } from '../../lib/steps.ts';
import type { Address } from '../../lib/types.ts';
import type { FlashSource } from '../types.ts';
import { FLASH_CALLBACK, poolAbi, tokenAbi } from './abi.ts';
import { FLASH_GAS } from './gas.ts';
import type { UniswapV3Pools } from './pools.ts';

const transfer = calldataOf(getAbiItem({ abi: tokenAbi, name: 'transfer' }));
const flash = calldataOf(getAbiItem({ abi: poolAbi, name: 'flash' }));

const PIPS = 1_000_000n;
const CALLBACK_DATA_ARGUMENT = 2;

/**
 * Loans by `UniswapV3Pool.flash`. A pool lends what it holds (what is collected from it or added later follows from its logs; what is sent to
 * it unasked does not count) while it has liquidity in range, for its swap fee.
 *
 * NOTE: a pool is locked while it lends: no swap of the same transaction may touch it before the loan is repaid.
 */
export class UniswapV3Flash implements FlashSource {
  readonly name = 'uniswap-v3';
  readonly #pools: Pick<UniswapV3Pools, 'book'>;

  constructor(pools: Pick<UniswapV3Pools, 'book'>) {
    this.#pools = pools;
  }

  /** The cheapest pool; of equally cheap ones that which holds most. Its fee: `FullMath.mulDivRoundingUp(amount, fee, 1e6)`. */
  feeRaw(token: Address, amountRaw: bigint, avoid: readonly Address[]): { feeRaw: bigint; gasUnits: bigint; lender: Address } | undefined {
    let best: { feePips: number; heldRaw: bigint; lender: Address } | undefined;
    for (const { identity, curve, balances } of this.#pools.book()?.pools.values() ?? []) {
      const { address, token0, token1, feePips } = identity;
      if ((token !== token0 && token !== token1) || curve.liquidity === 0n || avoid.includes(address)) continue;
      const heldRaw = token === token0 ? balances.balance0Raw : balances.balance1Raw;
      if (heldRaw < amountRaw) continue;
      if (best === undefined || feePips < best.feePips || (feePips === best.feePips && heldRaw > best.heldRaw))
        best = { feePips, heldRaw, lender: address };
    }
    return best && { feeRaw: mulDivUp(amountRaw, BigInt(best.feePips), PIPS), gasUnits: FLASH_GAS, lender: best.lender };
  }

  /** Throws an Error for a lender that is not mirrored. */
  steps(
    loan: { readonly token: Address; readonly amountRaw: bigint; readonly feeRaw: bigint; readonly lender: Address },
    inner: readonly Step[],
    executor: Address,
  ): readonly Step[] {
    const { token, amountRaw, feeRaw, lender } = loan;
    const pool = this.#pools.book()?.pools.get(lender);
    if (pool === undefined) throw new Error(`${lender} is not a mirrored pool`);
    const repayment = transfer(lender, amountRaw + feeRaw);
    const payload = encodeSteps([...inner, { kind: 'call', target: token, valueWei: 0n, data: repayment }]);
    const [amount0, amount1] = token === pool.identity.token0 ? [amountRaw, 0n] : [0n, amountRaw];
    const data = flash(executor, amount0, amount1, payload);
    const callback = { caller: lender, selector: FLASH_CALLBACK, argument: CALLBACK_DATA_ARGUMENT, payload, answer: '0x' } as const;
    return [{ kind: 'enter', target: lender, valueWei: 0n, data, callback }];
  }
}
