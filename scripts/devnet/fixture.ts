/** A small market for tests: the devnet's real contracts, no slots; blocks are mined when asked for. */
import { type Anvil, startAnvil } from './anvil.ts';
import { SetupChain } from './chain.ts';
import { devAccount } from './keys.ts';
import { deployMarket, type Market, type MarketOptions } from './market.ts';
import { transmit } from './oracle/transmit.ts';

/**
 *   const fixture = await createFixture({ positions: 40, seed: 7 });   // about 2 s once compiled
 *   fixture.market.aave.pool, .market.tokens['WETH'], .market.borrowers, .market.uniswap.pools
 *   await fixture.setPrice('ETH / USD', 2_700_00000000n);              // a genuine transmission, mined
 *   fixture.chain.send(account, { to, data, label }); await fixture.chain.mine();
 *   await fixture.stop();
 */
export type Fixture = {
  anvil: Anvil;
  chain: SetupChain;
  market: Market;
  /** Transmits a feed's answer (USD, 8 decimals) and mines it, with whatever else is pending. */
  setPrice(feedName: string, answerUsd8: bigint): Promise<void>;
  stop(): Promise<void>;
};

export async function createFixture({
  positions = 0,
  seed = 1,
  legacyPositions,
  morphoPositions,
  cometPositions,
  venusPositions,
  poolDepth,
}: Partial<MarketOptions> = {}): Promise<Fixture> {
  const anvil = await startAnvil();
  try {
    const chain = new SetupChain(anvil.rpcUrl, devAccount('deployer'));
    await chain.prepare();
    const market = await deployMarket(chain, {
      positions,
      seed,
      legacyPositions,
      morphoPositions,
      cometPositions,
      venusPositions,
      poolDepth,
    });
    const setPrice = async (feedName: string, answerUsd8: bigint) => {
      const feed = market.feeds[feedName];
      if (!feed) throw new Error(`no feed ${feedName}; there are ${Object.keys(market.feeds).join(', ')}`);
      await transmit(anvil.rpcUrl, feed, answerUsd8);
      await chain.mine();
    };
    return { anvil, chain, market, setPrice, stop: anvil.stop };
  } catch (error) {
    await anvil.stop();
    throw error;
  }
}
