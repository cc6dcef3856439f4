/** One market of a fixture, of whatever release: what the tests of a market need of it. */
import type { AaveMarket } from '../../../scripts/devnet/aave/deploy.ts';
import type { LegacyMarket } from '../../../scripts/devnet/aave/legacy/market.ts';
import { createFixture, type Fixture } from '../../../scripts/devnet/fixture.ts';

export type Scene = Omit<Fixture, 'market'> & { readonly market: Omit<Fixture['market'], 'aave'> & { readonly aave: AaveMarket } };
export type Population = { readonly positions: number; readonly seed: number };
export type LegacyScene = Scene & { readonly legacy: LegacyMarket };

/** The markets that every claim is tested on. */
export const SCENES: [release: string, open: (population: Population) => Promise<Scene>][] = [
  ['3.6', createFixture],
  ['3.0', legacyScene],
];

/** The v3.0 market in the first one's place. */
export async function legacyScene({ positions, seed }: Population): Promise<LegacyScene> {
  const fixture = await createFixture({ seed, legacyPositions: positions });
  const legacy = fixture.market.legacy!;
  return { ...fixture, market: { ...fixture.market, aave: legacy.aave, borrowers: legacy.borrowers }, legacy };
}
