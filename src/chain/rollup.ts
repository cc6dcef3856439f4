/** What rollups charge for a transaction beyond its own gas: the data that they post for it on their parent chain, and their operator's fee. */
import { decodeFunctionResult, encodeFunctionData, keccak256, parseAbi, serializeTransaction, toHex } from 'viem';
import type { Errands } from '../lib/errands.ts';
import type { Address, Hex } from '../lib/types.ts';
import { simulate } from './actions/simulate.ts';
import { RpcError } from './errors.ts';
import { parseBytes, ShapeError } from './parse.ts';
import type { CallOptions, Rpc } from './types.ts';

/** `feeWei` is paid beside the gas, `gasUnits` are used up beside those of the execution and must be in the gas limit. */
export type Surcharge = { readonly feeWei: bigint; readonly gasUnits: bigint };
export type Payload = { readonly to: Address; readonly data: Hex; readonly gasUnits: bigint };
export type RollupKind = 'none' | 'op-stack' | 'arbitrum';

export const NO_SURCHARGE: Surcharge = { feeWei: 0n, gasUnits: 0n };

/** OP Stack: predeploy GasPriceOracle. */
export const GAS_PRICE_ORACLE: Address = '0x420000000000000000000000000000000000000f';
/** Arbitrum: answered by the node itself. */
export const NODE_INTERFACE: Address = '0x00000000000000000000000000000000000000c8';

const oracleAbi = parseAbi([
  'function getL1Fee(bytes data) view returns (uint256)',
  'function getOperatorFee(uint256 gasUsed) view returns (uint256)',
]);
const nodeAbi = parseAbi([
  'function gasEstimateL1Component(address to, bool contractCreation, bytes data) payable returns (uint64 gasEstimateForL1, uint256 baseFee, uint256 l1BaseFeeEstimate)',
]);

const OPTIONS: CallOptions = { timeoutMs: 3_000 };
const NOBODY: Address = '0x000000000000000000000000000000000000dead';
/** Stands for what is not known before a transaction is signed: about as many bytes, none of them zero. */
const FULL_FEE = 0xffff_ffff_ffffn;

export class Rollup {
  readonly kind: RollupKind;
  readonly #rpc: Rpc;
  readonly #chainId: number;
  /** What the operator last took for so much gas. */
  #operator: Surcharge | undefined;

  private constructor(kind: RollupKind, rpc: Rpc, chainId: number) {
    this.kind = kind;
    this.#rpc = rpc;
    this.#chainId = chainId;
  }

  /** By what answers at the addresses that only such a chain has. Rejects when no endpoint can tell. */
  static async detect(rpc: Rpc, chainId: number): Promise<Rollup> {
    const answers = async (to: Address, data: Hex, bytes: number) => {
      const answer = await simulate(rpc, { from: NOBODY, to, data });
      return answer.ok && answer.data.length === 2 + 2 * bytes;
    };
    const payload = { to: NOBODY, data: '0x', gasUnits: 0n } as const;
    if (await answers(GAS_PRICE_ORACLE, l1FeeCall('0x'), 32)) return new Rollup('op-stack', rpc, chainId);
    if (await answers(NODE_INTERFACE, l1GasCall(payload), 96)) return new Rollup('arbitrum', rpc, chainId);
    return new Rollup('none', rpc, chainId);
  }

  /** In the order of the payloads, in one batch for all of them; without a call where nothing is charged. */
  async surcharges(payloads: readonly Payload[]): Promise<readonly Surcharge[]> {
    if (this.kind === 'none' || payloads.length === 0) return payloads.map(() => NO_SURCHARGE);
    return this.kind === 'op-stack' ? this.#opStack(payloads) : this.#arbitrum(payloads);
  }

  /** One call for one payload: the operator's fee is taken from what was last said of it. */
  async surcharge(payload: Payload): Promise<Surcharge> {
    if (this.kind !== 'op-stack' || this.#operator === undefined) return (await this.surcharges([payload]))[0] ?? NO_SURCHARGE;
    const [l1] = await this.#ask(GAS_PRICE_ORACLE, [l1FeeCall(unsigned(payload, this.#chainId))]);
    const { feeWei, gasUnits } = this.#operator;
    return { feeWei: wordOf(l1) + (gasUnits === 0n ? feeWei : (feeWei * payload.gasUnits) / gasUnits), gasUnits: 0n };
  }

  /** GasPriceOracle: `getL1Fee` of the unsigned transaction, `getOperatorFee` (since Isthmus) of its gas. */
  async #opStack(payloads: readonly Payload[]): Promise<readonly Surcharge[]> {
    const calls = payloads.flatMap((payload) => [
      l1FeeCall(unsigned(payload, this.#chainId)),
      encodeFunctionData({ abi: oracleAbi, functionName: 'getOperatorFee', args: [payload.gasUnits] }),
    ]);
    const answers = await this.#ask(GAS_PRICE_ORACLE, calls);
    return payloads.map(({ gasUnits }, index) => {
      const [l1, operator] = [answers[2 * index], answers[2 * index + 1]];
      const operatorWei = operator === undefined ? 0n : wordOf(operator);
      this.#operator = { feeWei: operatorWei, gasUnits };
      return { feeWei: wordOf(l1) + operatorWei, gasUnits: 0n };
    });
  }

  /** NodeInterface: the gas that posting the calldata takes, at the chain's own price of gas. */
  async #arbitrum(payloads: readonly Payload[]): Promise<readonly Surcharge[]> {
    const answers = await this.#ask(NODE_INTERFACE, payloads.map(l1GasCall));
    return answers.map((data) => {
      if (data?.length !== 2 + 2 * 96) throw new ShapeError('gasEstimateL1Component', 'not three words');
      const [gasUnits] = decodeFunctionResult({ abi: nodeAbi, functionName: 'gasEstimateL1Component', data });
      return { feeWei: 0n, gasUnits };
    });
  }

  /** Undefined for a call that reverts. */
  async #ask(to: Address, calls: readonly Hex[]): Promise<readonly (Hex | undefined)[]> {
    const requests = calls.map((data) => ({ method: 'eth_call', params: [{ to, data }, 'latest'] }));
    return (await this.#rpc.batch(requests, OPTIONS)).map((answer) => {
      if (answer.ok) return parseBytes(answer.result, 'eth_call');
      if (answer.error instanceof RpcError && (answer.error.kind === 'reverted' || answer.error.kind === 'rejected')) return undefined;
      throw answer.error;
    });
  }
}

/** Blocks after which the surcharge of a usual transaction is asked for again. */
const RENEW_EVERY = 25;
const USUAL_GAS = 600_000n;
/** What a liquidation's calldata is like: as many bytes that are zero as bytes that are not. */
const USUAL_WORDS = 28;

/** What a transaction of one liquidation is charged, about: for plans, whose calldata is not made yet. */
export class UsualSurcharge {
  readonly #rollup: Rollup;
  #renewedAt = Number.NEGATIVE_INFINITY;
  #value = NO_SURCHARGE;

  constructor(rollup: Rollup) {
    this.#rollup = rollup;
  }

  get value(): Surcharge {
    return this.#value;
  }

  /** Costs a call in 25 blocks, and none where nothing is charged. Keeps what it knows when nobody answers. */
  async onBlock(number: number, errands: Errands): Promise<void> {
    if (this.#rollup.kind === 'none' || Math.abs(number - this.#renewedAt) < RENEW_EVERY || !errands.take(number)) return;
    this.#renewedAt = number;
    try {
      this.#value = await this.#rollup.surcharge({ to: NOBODY, data: usualData(), gasUnits: USUAL_GAS });
    } catch {
      this.#renewedAt = Number.NEGATIVE_INFINITY;
    }
  }
}

function usualData(): Hex {
  const words = Array.from({ length: USUAL_WORDS }, (_, index) => `${keccak256(toHex(index)).slice(2)}${'0'.repeat(64)}`);
  return `0x${words.join('')}`;
}

function l1FeeCall(data: Hex): Hex {
  return encodeFunctionData({ abi: oracleAbi, functionName: 'getL1Fee', args: [data] });
}

function l1GasCall({ to, data }: Payload): Hex {
  return encodeFunctionData({ abi: nodeAbi, functionName: 'gasEstimateL1Component', args: [to, false, data] });
}

function unsigned({ to, data, gasUnits }: Payload, chainId: number): Hex {
  const fees = { maxFeePerGas: FULL_FEE, maxPriorityFeePerGas: FULL_FEE };
  return serializeTransaction({ type: 'eip1559', chainId, nonce: 0xffff, to, data, gas: gasUnits, ...fees });
}

function wordOf(data: Hex | undefined): bigint {
  if (data?.length !== 66) throw new ShapeError('GasPriceOracle', 'not one word');
  return BigInt(data);
}
