/** What governance decides, read as a whole: whatever a fork does not know of fails to answer, and is left out. */
import type { Address, ViewAnswer, ViewCall } from '../../lib/types.ts';
import { uintOf } from '../../lib/words.ts';
import { ACTIONS, calls, readTerms } from './reads.ts';
import { type Gate, type Market, NO_ADDRESS, type Pool, type Rules, type Switches, type Terms } from './state.ts';

/** What is asked about; it changes with a new anchor only. */
export type Governed = {
  readonly comptroller: Address;
  readonly markets: readonly Pick<Market, 'address'>[];
  /** How many pools there are beside everybody's. */
  readonly pools: number;
  readonly gate: Gate['address'] | undefined;
  readonly vaiController: Address | undefined;
};

const WAYS = [ACTIONS.liquidate, ACTIONS.repay, ACTIONS.seize, ACTIONS.redeem, ACTIONS.transfer];

/** In one batch; `rulesOf` takes the answers. */
export function ruleCalls({ comptroller, markets, pools, gate, vaiController }: Governed): ViewCall[] {
  return [
    ...[calls.paused(comptroller), calls.closeFactor(comptroller), calls.redeemFee(comptroller)],
    ...[calls.incentive(comptroller), calls.seizePaused(comptroller)],
    ...gateCalls(comptroller, gate ?? NO_ADDRESS, vaiController ?? NO_ADDRESS),
    ...markets.flatMap(({ address }) => [
      ...WAYS.map((action) => calls.actionPaused(comptroller, address, action)),
      ...[calls.forced(comptroller, address), calls.deprecated(comptroller, address), calls.terms(comptroller, address)],
    ]),
    ...poolIds(pools).flatMap((id) => [
      calls.pool(comptroller, id),
      ...markets.map(({ address }) => calls.poolTerms(comptroller, id, address)),
    ]),
  ];
}

/** Undefined where the comptroller does not say how much may be repaid. */
export function rulesOf(governed: Governed, answers: readonly ViewAnswer[]): Rules | undefined {
  const left = [...answers];
  const take = (count: number) => left.splice(0, count);
  const isSet = (answer: ViewAnswer | undefined) => (uintOf(answer) ?? 0n) !== 0n;
  const [paused, closeFactor, redeemFee, incentive, seizePaused] = take(5);
  const gate = gateOf(governed.gate, take(4));
  const closeFactorWad = uintOf(closeFactor);
  if (closeFactorWad === undefined) return undefined;
  const switches = new Map<Address, Switches>();
  const core = new Map<Address, Terms>();
  for (const { address } of governed.markets) {
    const [liquidation, repayment, seizure, redemption, transfer] = take(WAYS.length).map(isSet);
    const [forced, deprecated, terms] = take(3);
    switches.set(address, {
      ...{ noLiquidation: liquidation!, noRepayment: repayment!, noRedemption: redemption!, noTransfer: transfer! },
      ...{ noSeizure: seizure! || isSet(seizePaused), forced: isSet(forced) || isSet(deprecated) },
    });
    const read = readTerms(terms, uintOf(incentive));
    if (read !== undefined) core.set(address, read);
  }
  const others = poolIds(governed.pools).map((): Pool => {
    const [pool] = take(1);
    const terms = new Map<Address, Terms>();
    for (const { address } of governed.markets) {
      const read = readTerms(take(1)[0], undefined);
      if (read !== undefined) terms.set(address, read);
    }
    // The getter answers a label, whether the pool is active, and whether everybody's terms stand in for its own.
    return { active: uintOf(pool, 1) === 1n, fallsBack: uintOf(pool, 2) === 1n, terms };
  });
  return {
    ...{ paused: isSet(paused), closeFactorWad, redeemFeeWad: uintOf(redeemFee) ?? 0n, gate, switches },
    pools: [{ active: true, fallsBack: false, terms: core }, ...others],
  };
}

/** Venus' Liquidator: what it keeps, and whether debts in VAI come first there. */
function gateCalls(comptroller: Address, gate: Address, vaiController: Address): ViewCall[] {
  return [
    calls.treasuryShare(gate),
    calls.vaiFirst(gate),
    calls.leastVai(gate),
    calls.actionPaused(comptroller, vaiController, ACTIONS.liquidate),
  ];
}

function gateOf(address: Address | undefined, [share, vaiFirst, leastVai, vaiPaused]: readonly ViewAnswer[]): Gate | undefined {
  if (address === undefined) return undefined;
  const treasuryWad = uintOf(share);
  if (treasuryWad === undefined) return { kind: 'unknown', address };
  const first = uintOf(vaiFirst) === 1n && uintOf(vaiPaused) !== 1n;
  return { kind: 'venus', address, treasuryWad, mostVaiRaw: first ? uintOf(leastVai) : undefined };
}

function poolIds(pools: number): number[] {
  return Array.from({ length: pools }, (_, place) => place + 1);
}
