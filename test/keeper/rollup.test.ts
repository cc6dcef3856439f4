import { decodeFunctionData, encodeFunctionData, type Hex, parseTransaction, serializeTransaction } from 'viem';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { transmit } from '../../scripts/devnet/oracle/transmit.ts';
import { rpc } from '../../scripts/devnet/rpc.ts';
import { GAS_PRICE_ORACLE } from '../../src/chain/rollup.ts';
import { executorAbi } from '../../src/generated/executor.ts';
import type { Wraps } from '../../src/keeper.ts';
import { type Line, type Stage, setStage, startTestKeeper, type TestKeeper } from '../support/keeper.ts';
import { putDouble, rollupAbi, setNode, setOracle } from '../support/rollup.ts';

const FALLEN = 2_800_00000000n;
/** A fee of about three dollars for two kilobytes. */
const WEI_PER_BYTE = 500_000_000_000n;
const GAS_PER_BYTE = 100n;
const PATIENT = { timeout: 60_000, interval: 50 };

/** A keeper without bundles on a devnet that charges like a rollup, and what it sent. */
class Arena {
  readonly raws: Hex[] = [];
  readonly stage: Stage;
  readonly keeper: TestKeeper;

  constructor(stage: Stage) {
    const wraps: Wraps = {
      chain: (chain) => ({
        ...chain,
        broadcast: (raw) => {
          this.raws.push(raw);
          return chain.broadcast(raw);
        },
      }),
    };
    this.stage = stage;
    this.keeper = startTestKeeper({ ...stage.environment, PUBLIC_MEMPOOL: 'only' }, stage.folder, wraps);
  }

  async seal(): Promise<void> {
    const { number } = await this.stage.devnet.builder.seal();
    await this.keeper.until((line) => line.event === 'block.processed' && line['block'] === number, `block ${number}`);
  }

  async fall(): Promise<void> {
    await this.keeper.until(({ event }) => event === 'block.processed', 'the first block');
    const { rpcUrl, market } = this.stage.devnet;
    await transmit(rpcUrl, market.feeds['ETH / USD']!, FALLEN, { tipWei: 20_000_000_000n });
    await this.seal();
  }

  lines(event: string): readonly Line[] {
    return this.keeper.lines.filter((line) => line.event === event);
  }

  async close(): Promise<void> {
    await this.keeper.stop();
    await this.stage.close();
  }
}

const gasCostOf = (raw: Hex) =>
  decodeFunctionData({ abi: executorAbi, data: parseTransaction(raw).data! }).args as readonly [{ gasCost: bigint }];

describe('on a chain of the OP Stack', () => {
  let arena: Arena;

  beforeAll(async () => {
    const stage = await setStage({ sees: 'mempool' });
    await putDouble(stage.devnet.rpcUrl, 'GasPriceOracleDouble');
    await setOracle(stage.devnet.rpcUrl, [WEI_PER_BYTE, 10n ** 9n, 10n ** 12n]);
    await stage.devnet.builder.seal();
    arena = new Arena(stage);
    await arena.fall();
  });
  afterAll(() => arena?.close());

  const feeOf = async (raw: Hex) => {
    const { r: _, s: __, v: ___, yParity: ____, ...unsigned } = parseTransaction(raw);
    const ask = async (functionName: 'getL1Fee' | 'getOperatorFee', argument: Hex | bigint) =>
      BigInt(
        await rpc<Hex>(arena.stage.devnet.rpcUrl, 'eth_call', [
          { to: GAS_PRICE_ORACLE, data: encodeFunctionData({ abi: rollupAbi, functionName, args: [argument] as never }) },
          'latest',
        ]),
      );
    return { l1: await ask('getL1Fee', serializeTransaction(unsigned)), operator: await ask('getOperatorFee', unsigned.gas!) };
  };

  it('the Executor is told of data and operator fee with the gas: less profit than they leave is refused on the chain', async () => {
    await vi.waitFor(() => expect(arena.raws.length).toBeGreaterThan(3), PATIENT);
    for (const raw of arena.raws) {
      const { l1, operator } = await feeOf(raw);
      const [{ gasCost }] = gasCostOf(raw);
      const { baseFeePerGas } = await rpc<{ baseFeePerGas: Hex }>(arena.stage.devnet.rpcUrl, 'eth_getBlockByNumber', ['latest', false]);
      expect(gasCost).toBeGreaterThan(l1);
      // The gas limit has a third more than is expected to be used.
      expect(gasCost).toBeLessThan(l1 + operator + parseTransaction(raw).gas! * 3n * BigInt(baseFeePerGas));
    }
  });

  it('plans count them', async () => {
    // Plans are told after they are sent.
    await vi.waitFor(() => expect(arena.lines('plan.made').length).toBeGreaterThan(3), PATIENT);
    const gasWei = arena.lines('plan.made').map((line) => BigInt(String(line['gasWei'])));
    const { l1 } = await feeOf(arena.raws[0]!);
    for (const wei of gasWei) expect(wei).toBeGreaterThan(l1 / 2n);
  });

  it('and nothing is sent once they are more than a liquidation brings', async () => {
    await setOracle(arena.stage.devnet.rpcUrl, [WEI_PER_BYTE * 1_000_000n, 0n, 0n]);
    // Whatever was under way is mined, and the price of data is looked at again.
    for (let block = 0; block < 26; block++) await arena.seal();
    const sent = arena.raws.length;
    const { rpcUrl, market } = arena.stage.devnet;
    await transmit(rpcUrl, market.feeds['ETH / USD']!, 2_600_00000000n, { tipWei: 20_000_000_000n });
    await arena.seal();
    await vi.waitFor(() => expect(arena.lines('plan.skipped').length).toBeGreaterThanOrEqual(5), PATIENT);
    expect(arena.raws.length).toBe(sent);
    const reasons = new Set(
      arena
        .lines('plan.skipped')
        .slice(-5)
        .map(({ reason }) => reason),
    );
    expect(reasons).toEqual(new Set(['gas-too-high']));
  });
});

describe('on an Arbitrum chain', () => {
  let arena: Arena;

  beforeAll(async () => {
    const stage = await setStage({ sees: 'mempool' });
    await putDouble(stage.devnet.rpcUrl, 'NodeInterfaceDouble');
    await setNode(stage.devnet.rpcUrl, GAS_PER_BYTE);
    await stage.devnet.builder.seal();
    arena = new Arena(stage);
    await arena.fall();
  });
  afterAll(() => arena?.close());

  it('the gas limit has room for the data that is posted, and the Executor is told of its price', async () => {
    await vi.waitFor(() => expect(arena.raws.length).toBeGreaterThan(3), PATIENT);
    await arena.seal();
    await vi.waitFor(() => expect(arena.lines('attempt.included').length).toBeGreaterThan(3), PATIENT);
    for (const line of arena.lines('attempt.included')) {
      const hash = line['txHash'] as Hex;
      const transaction = await rpc<{ gas: Hex; input: Hex }>(arena.stage.devnet.rpcUrl, 'eth_getTransactionByHash', [hash]);
      const { gasUsed, effectiveGasPrice } = await rpc<{ gasUsed: Hex; effectiveGasPrice: Hex }>(
        arena.stage.devnet.rpcUrl,
        'eth_getTransactionReceipt',
        [hash],
      );
      const posted = GAS_PER_BYTE * BigInt((transaction.input.length - 2) / 2);
      expect(BigInt(transaction.gas)).toBeGreaterThan(BigInt(gasUsed) + posted);
      const { args } = decodeFunctionData({ abi: executorAbi, data: transaction.input });
      expect((args as readonly [{ gasCost: bigint }])[0].gasCost).toBeGreaterThan(
        ((BigInt(gasUsed) * 9n) / 10n + posted) * ((BigInt(effectiveGasPrice) * 9n) / 10n),
      );
    }
  });
});
