/** The ways to liquidate a position that is not yet beyond its limit, by the contracts that its owner authorised to. */
import { encodeFunctionData, parseAbi, toFunctionSelector } from 'viem';
import { encodeSteps } from '../../lib/encode-steps.ts';
import type { Step } from '../../lib/steps.ts';
import type { Address } from '../../lib/types.ts';
import type { Option } from '../types.ts';
import type { Lens } from './lens.ts';
import { type Call, takingOf } from './liquidation.ts';
import { type PreNow, preLiquidable, preWaysOf } from './pre-liquidation.ts';
import { contractsFor } from './pre-state.ts';
import type { BlueState, Position, PreLiquidation } from './state.ts';

const abi = parseAbi(['function preLiquidate(address borrower, uint256 seizedAssets, uint256 repaidShares, bytes data)']);
const ON_PRE_LIQUIDATE = toFunctionSelector('function onPreLiquidate(uint256 repaidAssets, bytes data)');
/** `data` among the callback's arguments. */
const DATA_ARGUMENT = 1;
/** preLiquidate with its callback, accrual and a decoded oracle of two feeds, measured on the devnet with the double. */
const CALL_GAS = 350_000n;

/** A position and a contract that its owner authorised, at the moment and some time on; `later` undefined where nobody knows how things stand by then. */
export type Early = {
  readonly position: Position;
  readonly contract: PreLiquidation;
  readonly now: PreNow;
  readonly later: PreNow | undefined;
};

export function earlyFor(position: Position, state: BlueState, now: Lens, later: Lens): readonly Early[] {
  return contractsFor(state, position.market.id, position.account).flatMap((contract) => {
    const [first, last] = [preNow(now, position, contract), preNow(later, position, contract)];
    return first === undefined ? [] : [{ position, contract, now: first, later: last }];
  });
}

function preNow(lens: Lens, { market }: Position, { params }: PreLiquidation): PreNow | undefined {
  const [seen, price] = [lens.market(market), lens.price(params.oracle)];
  return seen.ok && price !== undefined ? { market: seen, price } : undefined;
}

export function isPreLiquidatable({ position, contract, now }: Early): boolean {
  return preWaysOf(position, now, contract.params) !== undefined;
}

export function preOptionOf({ position, contract, now, later }: Early, label: string): Option[] {
  const ways = preWaysOf(position, now, contract.params);
  if (ways === undefined) return [];
  const { liquidable: atOnce, callFor, regimes } = ways;
  const late = { ...atOnce, ...(later && { borrowed: later.market.borrowed, ...preLiquidable(position, later, contract.params) }) };
  const atLeast = { ...atOnce, incentiveWad: atOnce.least.incentiveWad };
  const owedRaw = (seizedRaw: bigint) => {
    const call = callFor(seizedRaw);
    const [first, last] = [takingOf(atLeast, call).repaidRaw, takingOf(late, call).repaidRaw];
    // The incentive grows with time, so what is asked for by its seizure costs less and less; the rounding up to shares may add a unit on the way.
    return (first > last ? first : last) + 1n;
  };
  const { loanToken, collateralToken } = position.market.params;
  return [
    {
      label: `${label} pre-liquidation`,
      ...{ debtAsset: loanToken, collateralAsset: collateralToken, regimes, gasUnits: CALL_GAS },
      financing: { kind: 'callback', owedRaw },
      flow: (amountRaw) => {
        const { repaidRaw, seizedRaw } = takingOf(atOnce, callFor(amountRaw));
        return [
          { asset: loanToken, deltaRaw: -repaidRaw },
          { asset: collateralToken, deltaRaw: seizedRaw },
        ];
      },
      steps: (amountRaw, exchange) => [
        preLiquidation(contract.address, loanToken, position.account, callFor(amountRaw), owedRaw(amountRaw), exchange),
      ],
    },
  ];
}

/** The contract, which Morpho calls back, calls back in its turn, and takes what is owed by allowance when its callback returns. */
function preLiquidation(
  contract: Address,
  loanToken: Address,
  borrower: Address,
  { seizedAssets, repaidShares }: Call,
  owedRaw: bigint,
  exchange: readonly Step[],
): Step {
  const payload = encodeSteps([...exchange, { kind: 'approve', token: loanToken, spender: contract, amountRaw: owedRaw }]);
  return {
    kind: 'enter',
    target: contract,
    valueWei: 0n,
    data: encodeFunctionData({ abi, functionName: 'preLiquidate', args: [borrower, seizedAssets, repaidShares, payload] }),
    callback: { caller: contract, selector: ON_PRE_LIQUIDATE, argument: DATA_ARGUMENT, payload, answer: '0x' },
  };
}
