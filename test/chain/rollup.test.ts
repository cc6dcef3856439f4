import { decodeFunctionResult, encodeFunctionData, type Hex, serializeTransaction } from 'viem';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Anvil, spawnAnvil } from '../../scripts/devnet/anvil.ts';
import { rpc } from '../../scripts/devnet/rpc.ts';
import { getReceipt } from '../../src/chain/actions/transactions.ts';
import { GAS_PRICE_ORACLE, NO_SURCHARGE, Rollup, UsualSurcharge } from '../../src/chain/rollup.ts';
import { RpcPool } from '../../src/chain/rpc.ts';
import type { Rpc } from '../../src/chain/types.ts';
import { Errands } from '../../src/lib/errands.ts';
import { SecretUrl } from '../../src/lib/secret.ts';
import type { Address } from '../../src/lib/types.ts';
import { putDouble, rollupAbi, setNode, setOracle } from '../support/rollup.ts';

const CHAIN_ID = 8453;
const PATIENT = { timeout: 60_000, interval: 50 };
const to: Address = '0x00000000000000000000000000000000000000e1';
const data: Hex = `0x${'12'.repeat(700)}`;

let anvil: Anvil;
let pool: RpcPool;
let calls: number;

beforeEach(async () => {
  anvil = await spawnAnvil(['--port', '0', '--chain-id', String(CHAIN_ID)]);
  calls = 0;
  pool = await RpcPool.open([new SecretUrl(anvil.rpcUrl)], { notify: ({ kind }) => void (kind === 'call' && calls++) });
});

afterEach(async () => {
  pool.close();
  await anvil.stop();
});

async function view(functionName: 'getL1Fee' | 'getOperatorFee', argument: Hex | bigint): Promise<bigint> {
  const call = encodeFunctionData({ abi: rollupAbi, functionName, args: [argument] as never });
  const answer = await rpc<Hex>(anvil.rpcUrl, 'eth_call', [{ to: GAS_PRICE_ORACLE, data: call }, 'latest']);
  return decodeFunctionResult({ abi: rollupAbi, functionName, data: answer }) as bigint;
}

describe('a chain that is no rollup', () => {
  it('charges nothing, and is not asked', async () => {
    const rollup = await Rollup.detect(pool, CHAIN_ID);
    expect(rollup.kind).toBe('none');
    calls = 0;
    expect(await rollup.surcharges([{ to, data, gasUnits: 1n }])).toEqual([NO_SURCHARGE]);
    await new UsualSurcharge(rollup).onBlock(1, new Errands());
    expect(calls).toBe(0);
  });
});

describe('a chain of the OP Stack', () => {
  it('charges what its own contract says of the transaction as it will be signed, and its operator’s fee', async () => {
    await putDouble(anvil.rpcUrl, 'GasPriceOracleDouble');
    await setOracle(anvil.rpcUrl, [1_000_000_007n, 3n, 11n]);
    const rollup = await Rollup.detect(pool, CHAIN_ID);
    expect(rollup.kind).toBe('op-stack');
    const [short, long] = await rollup.surcharges([
      { to, data: '0x', gasUnits: 21_000n },
      { to, data, gasUnits: 500_000n },
    ]);
    const fees = { maxFeePerGas: 40n * 10n ** 9n, maxPriorityFeePerGas: 2n * 10n ** 9n };
    const signed = { type: 'eip1559', chainId: CHAIN_ID, nonce: 5_000, to, data, gas: 500_000n, ...fees } as const;
    const genuine = (await view('getL1Fee', serializeTransaction(signed))) + (await view('getOperatorFee', 500_000n));
    // Nonce and fees are not known yet; they are taken to be long.
    expect(long!.feeWei).toBeGreaterThanOrEqual(genuine);
    expect(long!.feeWei - genuine).toBeLessThan(genuine / 50n);
    expect(long!.feeWei - short!.feeWei).toBeGreaterThanOrEqual(700n * 1_000_000_007n + 479_000n * 3n);
    expect([short!.gasUnits, long!.gasUnits]).toEqual([0n, 0n]);
  });

  it('had no operator’s fee before Isthmus', async () => {
    await putDouble(anvil.rpcUrl, 'FjordGasPriceOracleDouble');
    const rollup = await Rollup.detect(pool, CHAIN_ID);
    const [surcharge] = await rollup.surcharges([{ to, data, gasUnits: 500_000n }]);
    expect(surcharge!.feeWei % 7n).toBe(0n);
    expect(surcharge!.feeWei).toBeGreaterThan(700n * 7n);
  });

  it('is asked what a usual liquidation costs by one call in 25 blocks, when no other errand is due', async () => {
    await putDouble(anvil.rpcUrl, 'GasPriceOracleDouble');
    await setOracle(anvil.rpcUrl, [1_000n, 2n, 0n]);
    const usual = new UsualSurcharge(await Rollup.detect(pool, CHAIN_ID));
    const errands = new Errands();
    await usual.onBlock(100, errands);
    calls = 0;
    for (let block = 101; block <= 125; block++) await usual.onBlock(block, errands);
    expect(calls).toBe(1);
    expect(usual.value.feeWei).toBeGreaterThan(1_700n * 1_000n);
    const before = usual.value.feeWei;
    await setOracle(anvil.rpcUrl, [2_000n, 2n, 0n]);
    errands.take(150);
    await usual.onBlock(150, errands);
    expect(usual.value.feeWei).toBe(before);
    let block = 150;
    // The operator’s part is what was last said of it.
    const doubled = 2n * (before - 1_200_000n) + 1_200_000n;
    // An endpoint that was slow is left alone for a while, and asked in a later block.
    await vi.waitFor(async () => {
      await usual.onBlock(++block, errands);
      expect(usual.value.feeWei).toBe(doubled);
    }, PATIENT);
  });

  const receiptOf = async (fields: object) => {
    const hash = `0x${'11'.repeat(32)}` as Hex;
    const receipt = {
      transactionHash: hash,
      blockHash: hash,
      blockNumber: '0x1',
      transactionIndex: '0x0',
      status: '0x1',
      from: to,
      to,
      logs: [],
    };
    const answering = {
      ask: async (_, parse) => parse({ ...receipt, gasUsed: '0xf4240', effectiveGasPrice: '0x1', ...fields }, { host: '' }),
    } as Rpc;
    return getReceipt(answering, hash);
  };

  it('says in receipts what was paid: by Isthmus’s rule a millionth of the scalar per gas, by Jovian’s a hundred times the scalar', async () => {
    const operator = { l1Fee: '0x64', operatorFeeScalar: '0x5', operatorFeeConstant: '0x7' };
    expect(await receiptOf({})).toMatchObject({ l1FeeWei: 0n, operatorFeeWei: 0n });
    expect(await receiptOf(operator)).toMatchObject({ l1FeeWei: 100n, operatorFeeWei: 5n + 7n });
    expect(await receiptOf({ ...operator, daFootprintGasScalar: '0x190' })).toMatchObject({ operatorFeeWei: 1_000_000n * 5n * 100n + 7n });
  });
});

describe('an Arbitrum chain', () => {
  it('takes gas for the calldata that it posts, which its node tells', async () => {
    await putDouble(anvil.rpcUrl, 'NodeInterfaceDouble');
    await setNode(anvil.rpcUrl, 30n);
    const rollup = await Rollup.detect(pool, CHAIN_ID);
    expect(rollup.kind).toBe('arbitrum');
    expect(await rollup.surcharges([{ to, data, gasUnits: 500_000n }])).toEqual([{ feeWei: 0n, gasUnits: 21_000n }]);
  });
});

it('an endpoint that cannot answer is no chain without fees', async () => {
  await putDouble(anvil.rpcUrl, 'GasPriceOracleDouble');
  const rollup = await Rollup.detect(pool, CHAIN_ID);
  await anvil.stop();
  await expect(rollup.surcharges([{ to, data, gasUnits: 1n }])).rejects.toThrow();
  const usual = new UsualSurcharge(rollup);
  await usual.onBlock(1, new Errands());
  expect(usual.value).toEqual(NO_SURCHARGE);
  await expect(Rollup.detect(pool, CHAIN_ID)).rejects.toThrow();
});
