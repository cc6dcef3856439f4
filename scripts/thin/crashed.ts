import { Arbitrageur, fundArbitrageur } from '../devnet/arbitrageur.ts';
import { START_PRICES_USD8 } from '../devnet/assets.ts';
import { createFixture } from '../devnet/fixture.ts';
import { Stage } from '../risk/stage.ts';

export const TERMS = { minProfitUsd: 5, bidShare: 0, baseFeeWei: 1_000_000_000n };
/** Pools follow the oracle to within a tenth of a percent and their fee. */
export const EAGER = { maxUsdPerBlock: 1e9, maxUsdPerPool: 50e6, threshold: 0.001, idle: 0 };
const ROUNDS = 3;

/** A market of thin pools after its prices have fallen, and the pools with them. `falls`: the share that each feed's price has lost. */
export async function crashedStage(
  seed: number,
  positions: number,
  poolDepth: number,
  falls: Readonly<Record<string, number>>,
): Promise<Stage> {
  const fixture = await createFixture({ positions, seed, poolDepth });
  const { chain, market } = fixture;
  return Stage.open(fixture, TERMS, async () => {
    for (const [feed, fall] of Object.entries(falls))
      await fixture.setPrice(feed, (START_PRICES_USD8[feed]! * BigInt(Math.round((1 - fall) * 1e6))) / 1_000_000n);
    await fundArbitrageur(chain, market);
    const arbitrageur = new Arbitrageur({ rpcUrl: chain.rpcUrl, market, seed, limits: EAGER });
    for (let round = 0; round < ROUNDS; round++) {
      await arbitrageur.onBlock(await chain.blockNumber());
      await chain.mine();
    }
  });
}
