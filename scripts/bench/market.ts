/** An Aave market that no chain stands behind: plain state, for as many accounts as wanted. Judged by the keeper's own arithmetic. */
import { RAY } from '../../src/lib/math.ts';
import type { Address, Head } from '../../src/lib/types.ts';
import type { LiveSource } from '../../src/oracles/sources.ts';
import type { Moment } from '../../src/oracles/types.ts';
import { Accounts } from '../../src/protocols/aave-v3/accounts.ts';
import type { ReserveConfig } from '../../src/protocols/aave-v3/config.ts';
import { standingOf } from '../../src/protocols/aave-v3/health.ts';
import { Lens } from '../../src/protocols/aave-v3/lens.ts';
import type { Rules } from '../../src/protocols/aave-v3/rules.ts';
import type { EModeCategory, MarketState, Reserve } from '../../src/protocols/aave-v3/state.ts';
import { Changes } from '../../src/protocols/bounds.ts';
import type { Slot } from '../../src/protocols/types.ts';

const WAD = 10n ** 18n;

export type ReserveSpec = {
  readonly source: LiveSource;
  readonly decimals: number;
  readonly thresholdBps: bigint;
  /** A year's interest on debts; suppliers get half of it. */
  readonly rateRay: bigint;
};

export function addressAt(number: number): Address {
  return `0x${number.toString(16).padStart(40, '0')}`;
}

export function marketOf(
  rules: Rules,
  specs: readonly ReserveSpec[],
  categories: readonly EModeCategory[],
  timestamp: number,
): MarketState {
  const reserves = specs.map((spec, id) => reserveOf(id, spec, timestamp));
  const nobody = addressAt(0);
  const head: Head = {
    ...{ number: 0, hash: '0x', parentHash: '0x', timestamp },
    ...{ baseFeeWei: 0n, gasLimit: 0n, gasUsed: 0n },
  };
  return {
    rules,
    addresses: { provider: nobody, pool: nobody, configurator: nobody, oracle: nobody, sentinel: undefined },
    prices: { address: nobody, base: undefined, unit: 100_000_000n, fallback: undefined },
    reserves: new Map(reserves.map((reserve) => [reserve.id, reserve])),
    byAsset: new Map(reserves.map((reserve) => [reserve.asset, reserve])),
    byAToken: new Map(),
    byDebtToken: new Map(),
    byFixedDebtToken: new Map(),
    categories: new Map(categories.map((category) => [category.id, category])),
    accounts: new Accounts(),
    changes: new Changes(),
    flashPremiumBps: 5n,
    liquidationAllowed: true,
    head,
  };
}

function reserveOf(id: number, { source, decimals, thresholdBps, rateRay }: ReserveSpec, timestamp: number): Reserve {
  const asset = addressAt(1_000 + id);
  const config: ReserveConfig = {
    ...{ liquidationThresholdBps: thresholdBps, liquidationBonusBps: 10_500n, decimals, active: true, paused: false },
    ...{ flashLoanEnabled: true, liquidationProtocolFeeBps: 1_000n, eMode: 0 },
  };
  return {
    ...{ id, asset, source, config, symbol: `T${id}`, aToken: addressAt(2_000 + id), debtToken: addressAt(3_000 + id) },
    ...{ fixedDebtToken: undefined, unit: 10n ** BigInt(decimals), availableRaw: 0n, graceUntil: 0 },
    indexes: {
      ...{ liquidityIndexRay: RAY + RAY / 50n, borrowIndexRay: RAY + RAY / 20n, updatedAt: timestamp },
      ...{ liquidityRateRay: rateRay / 2n, borrowRateRay: rateRay },
    },
  };
}

/** The slots that cannot be told healthy, each judged in bigint but for those marked as lost for certain, by their places. */
export function unhealthyAmong(state: MarketState, slots: Iterable<Slot>, at: Moment, lost?: Uint8Array): Slot[] {
  const lens = new Lens(state, at);
  const found: Slot[] = [];
  let place = 0;
  for (const slot of slots) {
    if (lost?.[place++] === 1) {
      found.push(slot);
      continue;
    }
    const standing = standingOf(state.accounts, slot, lens);
    if (!standing.ok || standing.healthFactorWad < WAD) found.push(slot);
  }
  return found;
}
