/** A collateral that takes a fee on its transfers: left alone, by name and with figures, while everything else is liquidated. */
import { type Address, getAddress, type Hex } from 'viem';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { liquidationsBetween } from '../../scripts/demo/observe.ts';
import { SetupChain } from '../../scripts/devnet/chain.ts';
import { compileUnit } from '../../scripts/devnet/compile.ts';
import { devAccount } from '../../scripts/devnet/keys.ts';
import { transmit } from '../../scripts/devnet/oracle/transmit.ts';
import { rpc } from '../../scripts/devnet/rpc.ts';
import { type Stage, setStage, startTestKeeper, type TestKeeper } from '../support/keeper.ts';

let stage: Stage;
let keeper: TestKeeper;
let link: Address;

beforeAll(async () => {
  stage = await setStage({ positions: 100 });
  const { rpcUrl, market } = stage.devnet;
  link = getAddress(market.tokens['LINK']!);
  const contracts = await compileUnit({
    name: 'a taxed token',
    solc: 'solc-0.8.27',
    entries: ['test/keeper/contracts/TaxedDevToken.sol'],
    settings: { optimizer: { enabled: true, runs: 200 }, evmVersion: 'cancun' },
  });
  const chain = new SetupChain(rpcUrl, devAccount('deployer'));
  await chain.prepare();
  const taxed = chain.deploy('taxed', contracts['TaxedDevToken']!, ['ChainLink Token', 'LINK', 18]);
  await chain.mine();
  await rpc(rpcUrl, 'anvil_setCode', [link, await rpc<Hex>(rpcUrl, 'eth_getCode', [taxed, 'latest'])]);
  keeper = startTestKeeper(stage.environment, stage.folder);
  await keeper.until((line) => line.event === 'block.processed', 'the first block');
}, 120_000);

afterAll(async () => {
  await keeper?.stop();
  await stage?.close();
});

async function seal(): Promise<number> {
  const { number } = await stage.devnet.builder.seal();
  await keeper.until((line) => line.event === 'block.processed' && line['block'] === number, `block ${number}`);
  return number;
}

it('is told once when it is found', () => {
  const told = keeper.lines.filter((line) => line.event === 'token.odd');
  expect(told).toEqual([expect.objectContaining({ token: link, cause: expect.stringMatching(/^of \d+ sent \d+ arrive$/) })]);
});

it('is a skip, and the others are liquidated', async () => {
  const { rpcUrl, market } = stage.devnet;
  await transmit(rpcUrl, market.feeds['LINK / USD']!, 13_30000000n);
  await transmit(rpcUrl, market.feeds['ETH / USD']!, 2_750_00000000n);
  const update = await seal();
  const block = await seal();
  const skipped = keeper.lines.filter((line) => line.event === 'plan.skipped' && line['reason'] === 'odd-token');
  expect(skipped.length).toBeGreaterThan(0);
  for (const line of skipped) expect(line).toMatchObject({ token: link, cause: expect.stringMatching(/^of \d+ sent \d+ arrive$/) });
  const taken = await liquidationsBetween(rpcUrl, market.aave.pool, update, block);
  const left = new Set(skipped.map((line) => String(line['account']).toLowerCase()));
  expect(taken.length).toBeGreaterThan(3);
  expect(taken.filter(({ account }) => left.has(account.toLowerCase()))).toEqual([]);
});
