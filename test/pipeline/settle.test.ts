import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeAbiParameters, encodeEventTopics, parseAbi, serializeTransaction } from 'viem';
import { describe, expect, onTestFinished, test } from 'vitest';
import { executorAbi } from '../../src/generated/executor.ts';
import { openLedger } from '../../src/ledger/ledger.ts';
import { readLedger } from '../../src/ledger/reader.ts';
import { attemptLines } from '../../src/ledger/report.ts';
import type { OpenTransaction } from '../../src/ledger/types.ts';
import type { Address, Hex, RawLog } from '../../src/lib/types.ts';
import type { Settings } from '../../src/pipeline/settings.ts';
import { settleReceipt } from '../../src/pipeline/settle.ts';
import { hashOf, transaction } from '../ledger/fixtures-plain.ts';

const at = (digit: string): Address => `0x${digit.repeat(40)}`;
const [EXECUTOR, INVENTORY, KEEPER, POOL] = [at('1'), at('2'), at('3'), at('4')];
const [WETH, USDC, LINK] = [at('a'), at('b'), at('c')];
const GAS_WEI = 10n ** 15n;
const ETH = 10n ** 18n;
const PRICES = { [WETH]: { priceUsd8: 2_000_00000000n, decimals: 18 }, [LINK]: { priceUsd8: 10_00000000n, decimals: 18 } };
const transferAbi = parseAbi(['event Transfer(address indexed from, address indexed to, uint256 value)']);

const place = { blockNumber: 7, blockHash: hashOf(7), logIndex: 0, transactionHash: hashOf(1) };

function settled(executor: Address, numeraire: Address, gross: bigint): readonly RawLog[] {
  const done = encodeEventTopics({ abi: executorAbi, eventName: 'GroupDone', args: { index: 0n } });
  const all = encodeEventTopics({ abi: executorAbi, eventName: 'Settled', args: { numeraire } });
  const ints = (...values: readonly bigint[]) =>
    encodeAbiParameters(
      values.map(() => ({ type: 'int256' })),
      values,
    );
  return [
    { ...place, address: executor, topics: done as Hex[], data: ints(gross) },
    { ...place, address: executor, topics: all as Hex[], data: ints(gross, 0n, gross) },
  ];
}

function moved(token: Address, from: Address, to: Address, amount: bigint): RawLog {
  const topics = encodeEventTopics({ abi: transferAbi, eventName: 'Transfer', args: { from, to } }) as Hex[];
  return { ...place, address: token, topics, data: encodeAbiParameters([{ type: 'uint256' }], [amount]) };
}

/** What becomes of a transaction to this Executor that left these logs. */
async function settle(to: Address, logs: readonly RawLog[]) {
  const raw = serializeTransaction({ type: 'eip1559', chainId: 1, to, nonce: 0, gas: 1n, maxFeePerGas: 1n }) as Hex;
  const intended = transaction(1, { raw });
  const open: OpenTransaction = { ...intended, status: 'sent' };
  const receipt = {
    ...{ txHash: intended.txHash, from: KEEPER, succeeded: true, block: 7 },
    blockHash: hashOf(7),
    gasUsed: 1n,
    gasWei: GAS_WEI,
    logs,
  };
  const settings = { own: new Set([EXECUTOR, INVENTORY, KEEPER]), inventory: INVENTORY, wrappedNative: WETH } as unknown as Settings;
  const prices = async (_: unknown, tokens: readonly Address[]) =>
    new Map(tokens.flatMap((token) => (PRICES[token] === undefined ? [] : [[token, PRICES[token]] as const])));
  return { intended, result: await settleReceipt(open, receipt, settings, {} as never, prices) };
}

describe('what a mined transaction made', () => {
  test('is not known where it came in a token without a price: the books say so, and add nothing up', async () => {
    const { intended, result } = await settle(EXECUTOR, settled(EXECUTOR, USDC, 50_000_000n));
    expect(result.attempts).toMatchObject([{ outcome: 'included', unpriced: true, profitWei: -GAS_WEI }]);
    const folder = mkdtempSync(join(tmpdir(), 'bailiff-settle-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const ledger = await openLedger(folder);
    await ledger.intend(intended);
    await ledger.settle(result);
    await ledger.close();
    const reader = await readLedger(folder);
    const [line] = attemptLines(await reader.transactions({}));
    await reader.close();
    expect([line!.outcome, line!.grossWei, line!.profitWei, line!.profitUsd8, line!.gasWei]).toEqual([
      ...['included', undefined, undefined, undefined],
      GAS_WEI,
    ]);
  });

  test('holds what was kept at the price of its block, and what is sold of it is taken off', async () => {
    const kept = await settle(EXECUTOR, [
      moved(LINK, POOL, EXECUTOR, 300n * ETH),
      moved(LINK, EXECUTOR, INVENTORY, 300n * ETH),
      ...settled(EXECUTOR, WETH, ETH / 100n),
    ]);
    // 300 LINK of 10 dollars are 1.5 ether of 2,000.
    expect(kept.result.attempts).toMatchObject([{ grossWei: (3n * ETH) / 2n + ETH / 100n }]);
    const sold = await settle(INVENTORY, [moved(LINK, INVENTORY, POOL, 300n * ETH), ...settled(INVENTORY, WETH, (149n * ETH) / 100n)]);
    expect(sold.result.attempts).toMatchObject([{ grossWei: -ETH / 100n }]);
  });
});
