/** A start from a snapshot on perps, held against one from nothing. */
import { describe, expect, it } from 'vitest';
import { RpcPool } from '../../src/chain/rpc.ts';
import { SecretUrl } from '../../src/lib/secret.ts';
import type { Address } from '../../src/lib/types.ts';
import { Mirror } from '../../src/mirror/mirror.ts';
import type { Mirrored } from '../../src/mirror/types.ts';
import { Feeds } from '../../src/oracles/feeds.ts';
import { PerpV2 } from '../../src/protocols/perp-v2/perp-v2.ts';
import { SynthetixV3Perps } from '../../src/protocols/synthetix-v3-perps/synthetix-v3-perps.ts';
import { dollarFor, figures } from '../protocols/perp-v2/followed.ts';
import { PerpWorld, populate } from '../protocols/perp-v2/world.ts';
import { BTC, ETH, SNX_USD, SynthetixWorld } from '../protocols/synthetix-v3-perps/world.ts';
import { EarlierDouble } from '../support/earlier-double.ts';
import { fileOf, restoring } from '../support/kept.ts';

const WAD = 10n ** 18n;

/** What `make` mirrors, by way of a snapshot and without one; how much of the chain's history either asked for. */
async function both<T extends Mirrored>(url: string, multicall3: Address, make: () => T, act: () => Promise<unknown>) {
  const pool = await RpcPool.open([new SecretUrl(url)]);
  const newest = async () => Number(await pool.request('eth_blockNumber', []));
  const follow = async (file?: Uint8Array) => {
    const rpc = new EarlierDouble(pool, await newest());
    const mirrored = make();
    const kept = file === undefined ? {} : { restoring: restoring(file) };
    const mirror = await Mirror.sync(rpc, [mirrored], { multicall3, auditLimit: 0, ...kept });
    const asked = rpc.calls.flatMap(({ params: [filter] }) => Number(Object(filter).fromBlock ?? Number.POSITIVE_INFINITY));
    return { mirrored, mirror, from: Math.min(...asked) };
  };
  try {
    const before = await follow();
    const file = await fileOf(before.mirror);
    const taken = await newest();
    await act();
    const again = await follow(file);
    expect(again.from).toBe(taken + 1);
    return { again: again.mirrored, fresh: (await follow()).mirrored };
  } finally {
    pool.close();
  }
}

describe('a start from a snapshot', () => {
  it('ends where one from nothing does at Perp v2', async () => {
    const world = await PerpWorld.open({ traders: 12 });
    try {
      await populate(world, 5);
      const { clearingHouse, vault, accountBalance, clearingHouseConfig, marketRegistry, fromBlock, settlement } = world.perp;
      const book = { name: 'perp', clearingHouse, vault, accountBalance, clearingHouseConfig, marketRegistry, fromBlock };
      const make = () => new PerpV2(book, new Feeds(), dollarFor(settlement), undefined);
      const { again, fresh } = await both(world.anvil.rpcUrl, world.multicall3, make, async () => {
        await world.deposit('0x00000000000000000000000000000000000abcde', 5_000_000_000n);
        await world.close(world.traders[0]!, world.perp.markets[0]!.base);
        await world.mine();
      });
      expect(figures(again.state)).toEqual(figures(fresh.state));
      expect(again.state.slots.has('0x00000000000000000000000000000000000abcde')).toBe(true);
    } finally {
      await world.stop();
    }
  });

  it('ends where one from nothing does at Synthetix', async () => {
    const world = await SynthetixWorld.open();
    try {
      await world.create([1n, 2n, 3n]);
      await world.deposit([1n, 2n].map((account) => ({ account, collateral: SNX_USD, amount: 10_000n * WAD })));
      await world.trade([{ account: 1n, market: ETH, size: WAD }]);
      const { perpsMarket, fromBlock } = world.snx;
      const make = () => new SynthetixV3Perps({ name: 'snx', perpsMarket, fromBlock }, new Feeds(), { usd8: () => undefined }, undefined);
      const { again, fresh } = await both(world.anvil.rpcUrl, world.multicall3, make, async () => {
        await world.deposit([{ account: 3n, collateral: SNX_USD, amount: 9_000n * WAD }]);
        await world.trade([{ account: 2n, market: BTC, size: WAD / 10n }]);
      });
      const told = ({ state }: SynthetixV3Perps) => state.accounts.toSorted((a, b) => Number(a.id - b.id));
      expect(told(again)).toEqual(told(fresh));
      expect(told(again)).toHaveLength(3);
    } finally {
      await world.stop();
    }
  });
});
