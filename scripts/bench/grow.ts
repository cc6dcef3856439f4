import type { AaveV3Market } from '../../src/protocols/aave-v3/market.ts';
import { addressAt } from './market.ts';

/**
 * As many accounts as wanted, each like one of the real ones with somewhat other amounts.
 *
 * @param owedPercent what they owe, of what would be the same health as that of the real one
 */
export function grow({ state: { accounts } }: AaveV3Market, size: number, owedPercent = 100n): void {
  const real = accounts.all().filter(({ owed }) => owed.size > 0);
  for (let index = accounts.length; index < size; index++) {
    const { eMode, collateral, supplied, owed } = real[index % real.length]!;
    const scale = BigInt(900 + (index % 200));
    const slot = accounts.add(addressAt(index));
    accounts.setKnown(slot, true);
    accounts.setEMode(slot, eMode);
    for (const id of collateral) accounts.setFlag(slot, id, true);
    for (const [id, raw] of supplied) accounts.setSupplied(slot, id, (raw * scale) / 1_000n);
    for (const [id, raw] of owed) accounts.setOwed(slot, id, (raw * scale * owedPercent) / 100_000n);
  }
}
