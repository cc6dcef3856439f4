/** The sequencer's sentinel of L2 markets: while it forbids, only what is deep under water is liquidated. */
import { type Address, encodeDeployData, parseAbi } from 'viem';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compileUnit } from '../../../scripts/devnet/compile.ts';
import { rpc } from '../../../scripts/devnet/rpc.ts';
import { amountsOf, LiquidationWorld, saidOf } from './liquidator.ts';
import { SCENES } from './scene.ts';

const AAVE = '@aave-dao/aave-v3-origin/src/contracts';

const providerAbi = parseAbi(['function setPriceOracleSentinel(address newPriceOracleSentinel)']);

describe.each(SCENES)('a market of %s', (_, open) => {
  let world: LiquidationWorld;
  let sequencer: Address;
  let artifacts: Awaited<ReturnType<typeof compileUnit>>;

  beforeAll(async () => {
    artifacts = await compileUnit({
      name: 'aave sentinel',
      solc: 'solc-0.8.27',
      entries: [`${AAVE}/misc/PriceOracleSentinel.sol`, `${AAVE}/mocks/oracle/SequencerOracle.sol`],
      remappings: { 'openzeppelin-contracts/contracts/': '@openzeppelin/contracts/' },
      settings: { optimizer: { enabled: true, runs: 200 }, evmVersion: 'cancun' },
    });
    world = await LiquidationWorld.open({ positions: 80, seed: 13 }, open);
    const { aave } = world.fixture.market;
    const admin = world.fixture.chain.deployer.address;
    sequencer = await deploy('SequencerOracle', [admin]);
    const sentinel = await deploy('PriceOracleSentinel', [aave.poolAddressesProvider, sequencer, 3_600n]);
    await world.sender.call(admin, aave.poolAddressesProvider, providerAbi, 'setPriceOracleSentinel', [sentinel]);
    expect((await world.sender.mine()).done.get('setPriceOracleSentinel')).toBe(1);
    await world.fixture.setPrice('ETH / USD', 2_700_00000000n);
    await world.follower.anchor();
  });
  afterAll(async () => {
    await world?.fixture.stop();
  });

  async function deploy(name: string, args: readonly unknown[]): Promise<Address> {
    const { abi, bytecode } = artifacts[name]!;
    const data = encodeDeployData({ abi, bytecode, args: [...args] });
    await rpc(world.sender.url, 'eth_sendTransaction', [{ from: world.fixture.chain.deployer.address, data, gas: '0x4c4b40' }]);
    return (await world.sender.mine()).receipts.at(-1)!.contractAddress!;
  }

  /** Every liquidatable account's health, and whether it is offered. */
  function offered() {
    const { market } = world.follower;
    const at = world.next();
    return [...market.slots()].flatMap((slot) => {
      const verdict = market.judge(slot, at);
      if (verdict.kind !== 'liquidatable') return [];
      return [{ account: market.accountOf(slot), healthFactorWad: verdict.healthFactorWad, option: market.options(slot, at)[0] }];
    });
  }

  test('up for long enough it allows everything', () => {
    expect(offered().length).toBeGreaterThan(10);
    expect(offered().every(({ option }) => option !== undefined)).toBe(true);
  });

  test('down, it leaves what is below 0.95', () =>
    world.undone(async () => {
      const open = new Map(offered().map(({ account, option }) => [account, option!]));
      const admin = world.fixture.chain.deployer.address;
      await world.sender.call(admin, sequencer, artifacts['SequencerOracle']!.abi, 'setAnswer', [true, 0n]);
      await world.sender.mine();
      await world.follower.advance();
      const deep = offered().filter(({ healthFactorWad }) => healthFactorWad < (95n * 10n ** 18n) / 100n);
      const shallow = offered().filter(({ healthFactorWad }) => healthFactorWad >= (95n * 10n ** 18n) / 100n);
      expect([deep.length > 3, shallow.length > 3]).toEqual([true, true]);
      expect(shallow.filter(({ option }) => option !== undefined)).toEqual([]);
      for (const { account } of shallow.slice(0, 4))
        expect(await world.liquidate(open.get(account)!, account, open.get(account)!.regimes[0]!.minRaw)).toBe('reverts');
      for (const { account, option } of deep.slice(0, 4)) {
        const { maxRaw } = option!.regimes.at(-1)!;
        expect(amountsOf(await world.liquidate(option!, account, maxRaw))).toEqual(saidOf(option!, maxRaw));
      }
    }));
});
