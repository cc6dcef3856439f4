import type { AaveV3Market } from '../../src/protocols/aave-v3/market.ts';
import type { Account } from '../../src/protocols/aave-v3/state.ts';

/**
 * As many accounts as wanted, each like one of the real ones with somewhat other amounts.
 *
 * @param owedPercent what they owe, of what would be the same health as that of the real one
 */
export function grow({ state: { accounts } }: AaveV3Market, size: number, owedPercent = 100n): void {
  const real = accounts.filter(({ owed }) => owed.size > 0);
  for (let index = accounts.length; index < size; index++) {
    const model = real[index % real.length]!;
    const scale = BigInt(900 + (index % 200));
    const scaled = (amounts: Account['owed'], percent: bigint) =>
      new Map([...amounts].map(([reserve, raw]) => [reserve, (raw * scale * percent) / 100_000n]));
    accounts.push({
      ...model,
      address: `0x${index.toString(16).padStart(40, '0')}`,
      supplied: scaled(model.supplied, 100n),
      owed: scaled(model.owed, owedPercent),
    });
  }
}
