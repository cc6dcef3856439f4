/** A market whose feed is Pyth's: nobody writes the fallen price, and the keeper carries it in the liquidation's own transaction. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { liquidationsBetween } from '../../scripts/demo/observe.ts';
import { readLedger } from '../../src/ledger/reader.ts';
import { type Stage, setStage, startTestKeeper, type TestKeeper } from '../support/keeper.ts';
import { FEE_WEI, HermesDouble, PythOn } from '../support/pyth.ts';

let stage: Stage;
let pyth: PythOn;
let hermes: HermesDouble;
let keeper: TestKeeper;

beforeAll(async () => {
  stage = await setStage({ positions: 60 });
  pyth = await PythOn.on(stage, FEE_WEI - 1n);
  hermes = await HermesDouble.start();
  await hermes.say(pyth, { price: pyth.first.priceRaw, publishTime: pyth.first.publishTime });
  keeper = startTestKeeper(
    { ...stage.environment, PYTH_URL: `${hermes.url}/?key=fake-key-of-the-prices`, MAX_POOL_DEVIATION: '0.2' },
    stage.folder,
  );
  await keeper.until(({ event }) => event === 'block.processed', 'the first block');
}, 180_000);

afterAll(async () => {
  await keeper?.stop();
  hermes?.stop();
  await stage?.close();
});

/** A block, the keeper's answer to it, and Hermes' answer behind it. */
async function seal(): Promise<number> {
  const asked = hermes.answered();
  const { number } = await stage.devnet.builder.seal();
  await keeper.until((line) => line.event === 'block.processed' && line['block'] === number, `block ${number}`);
  await asked;
  return number;
}

const taken = (from: number, to: number) => liquidationsBetween(stage.devnet.rpcUrl, stage.devnet.market.aave.pool, from, to);

describe('a price that fell and that nobody has written', () => {
  it('is not carried while the Executor holds too little for its fee, and that is why nothing is sent', async () => {
    const paid = await pyth.collected();
    await hermes.say(pyth, { price: (pyth.first.priceRaw * 94n) / 100n, publishTime: (await pyth.now()) + 1 });
    const unpaid = (line: { readonly [field: string]: unknown }) => line['reason'] === 'no-update-fee';
    for (let blocks = 0; !keeper.lines.some(unpaid) && blocks < 4; blocks++) await seal();
    const line = await keeper.until(unpaid, 'a skip for want of the fee');
    expect(line).toMatchObject({ event: 'plan.skipped', executor: stage.executor, heldWei: String(FEE_WEI - 1n), feeWei: String(FEE_WEI) });
    await seal();
    expect(keeper.lines.filter(({ event }) => event === 'bundle.sent')).toEqual([]);
    expect(await pyth.collected()).toBe(paid);
    await pyth.fund(10n ** 18n);
  });

  it('is carried by the liquidations that it makes possible', async () => {
    const before = await pyth.answered();
    const [paidBefore, floatBefore] = [await pyth.collected(), await pyth.float()];
    const publishTime = (await pyth.now()) + 1;
    const price = (before.answer * 94n) / 100n;
    await hermes.say(pyth, { price, publishTime });
    const from = (await seal()) + 1;
    for (let blocks = 0; !keeper.lines.some(({ event }) => event === 'bundle.sent') && blocks < 4; blocks++) await seal();
    const liquidated = await taken(from, await seal());
    expect(liquidated.length).toBeGreaterThan(3);
    expect(await pyth.answered()).toEqual({ answer: price, updatedAt: publishTime, roundId: BigInt(publishTime) });
    // Each stands or falls alone, and carries the update for itself.
    const fees = (await pyth.collected()) - paidBefore;
    expect(fees).toBe(BigInt(liquidated.length) * FEE_WEI);
    expect(await pyth.float()).toBe(floatBefore);
    const ledger = await readLedger(stage.environment['DATA_DIR']!);
    const transactions = await ledger.transactions({}).finally(() => ledger.close());
    const landed = transactions.flatMap(({ attempts }) => attempts.filter(({ result }) => result?.outcome === 'included'));
    expect(landed.map(({ account }) => account).sort()).toEqual(liquidated.map(({ account }) => account.toLowerCase()).sort());
  });

  it('is not carried again once it is there', async () => {
    const paid = await pyth.collected();
    await seal();
    await seal();
    expect(await pyth.collected()).toBe(paid);
  });
});

it('a service that fails is told once, and once that it is back', async () => {
  const told = () => keeper.lines.flatMap((line) => (String(line['kind']).startsWith('prices-') ? [line['kind']] : []));
  const price = (await pyth.answered()).answer;
  // The contract does not take it.
  await hermes.say(pyth, { price: price / 2n, publishTime: (await pyth.now()) + 1, exponent: -8 });
  hermes.spoil();
  await seal();
  await keeper.until(({ kind }) => kind === 'prices-lost', 'the service is lost');
  await seal();
  await hermes.say(pyth, { price, publishTime: (await pyth.now()) + 1 });
  await seal();
  await keeper.until(({ kind }) => kind === 'prices-from', 'the service is back');
  expect(told()).toEqual(['prices-lost', 'prices-from']);
});
