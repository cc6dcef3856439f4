import { getAccounts, getBalance, getTransactionCount } from '../chain/actions/account.ts';
import { getMaxPriorityFee } from '../chain/actions/fees.ts';
import { simulate } from '../chain/actions/simulate.ts';
import { getReceipt, sendRawTransaction } from '../chain/actions/transactions.ts';
import { parseAddress, parseBigQuantity, parseBytes, parseHash, record, ShapeError, toQuantity } from '../chain/parse.ts';
import type { Rollup } from '../chain/rollup.ts';
import type { Rpc } from '../chain/types.ts';
import { explainError } from '../lib/errors.ts';
import type { Hex } from '../lib/types.ts';
import type { ExecutionChain, NodeSimulatedCall, NodeSimulation, SimulatedCall } from './types.ts';

const OPTIONS = { timeoutMs: 3_000 };

/** The chain as execution sees it, over the keeper's own endpoints. */
export function executionChain(rpc: Rpc, rollup: Rollup): ExecutionChain {
  return {
    async receipt(txHash, head) {
      const receipt = await getReceipt(rpc, txHash, { ...OPTIONS, knows: head });
      if (receipt === null) return undefined;
      return {
        txHash,
        from: receipt.from,
        succeeded: receipt.status === 'success',
        block: receipt.blockNumber,
        blockHash: receipt.blockHash,
        gasUsed: receipt.gasUsed,
        gasWei: receipt.gasUsed * receipt.effectiveGasPriceWei + receipt.l1FeeWei + receipt.operatorFeeWei,
        logs: receipt.logs,
      };
    },
    nonceOf: (address, at) => getTransactionCount(rpc, address, at === undefined ? 'latest' : { hash: at }, OPTIONS),
    accounts: (addresses, at) => getAccounts(rpc, addresses, at === undefined ? 'latest' : { hash: at }, OPTIONS),
    balanceOf: (address) => getBalance(rpc, address, 'latest', OPTIONS),
    surcharges: (transactions) => rollup.surcharges(transactions),
    priorityFeeWei: () => getMaxPriorityFee(rpc, OPTIONS),
    simulate: (calls, at) => simulateBlock(rpc, calls, at),
    async explain({ txHash, blockHash, from, to, data, gasLimit }) {
      const traced = await traceRevert(rpc, txHash);
      if (traced !== undefined) return traced;
      // Not every endpoint traces. At the end of its block whoever came first has been there too.
      const again = await simulate(rpc, { from, to, data, gas: gasLimit }, { hash: blockHash }, OPTIONS);
      return again.ok ? undefined : again.data;
    },
    async broadcast(raw) {
      try {
        return { kind: 'accepted', bundleHash: await sendRawTransaction(rpc, raw, { ...OPTIONS, attempts: 1 }) };
      } catch (error) {
        const reason = explainError(error);
        // NOTE: a node that has it already has accepted it; a lost answer says nothing either way.
        if (/already known|already imported/i.test(reason)) return { kind: 'accepted', bundleHash: 'already known' };
        return { kind: (error as { kind?: unknown }).kind === 'rejected' ? 'refused' : 'unknown', reason };
      }
    },
  };
}

/** What the transaction itself gave back, by the endpoint's tracer. Undefined where there is none. */
async function traceRevert(rpc: Rpc, txHash: Hex): Promise<Hex | undefined> {
  const method = 'debug_traceTransaction';
  const params = [txHash, { tracer: 'callTracer', tracerConfig: { onlyTopCall: true } }];
  try {
    const parse = (result: unknown) => parseBytes(record(result, method)['output'] ?? '0x', `${method} output`);
    return await rpc.ask({ method, params }, parse, { ...OPTIONS, attempts: 2 });
  } catch {
    return undefined;
  }
}

/** `eth_simulateV1` on the head: the calls one after another in one block of the given time and base fee, nonce and balance unchecked. */
async function simulateBlock(
  rpc: Rpc,
  calls: readonly SimulatedCall[],
  at: Parameters<ExecutionChain['simulate']>[1],
): Promise<NodeSimulation> {
  const block = {
    blockOverrides: { time: toQuantity(at.timestamp), baseFeePerGas: toQuantity(at.baseFeeWei) },
    calls: calls.map(({ from, to, data, gasLimit }) => ({
      from,
      to,
      input: data,
      gas: toQuantity(gasLimit),
      maxFeePerGas: toQuantity(at.baseFeeWei),
    })),
  };
  const method = 'eth_simulateV1';
  try {
    const request = { method, params: [{ blockStateCalls: [block], validation: false, traceTransfers: false }, 'latest'] };
    return { kind: 'done', calls: await rpc.ask(request, (result) => parseBlock(result, calls.length), OPTIONS) };
  } catch (error) {
    return { kind: 'unavailable', reason: explainError(error) };
  }
}

function parseBlock(result: unknown, expected: number): readonly NodeSimulatedCall[] {
  const calls = record(Array.isArray(result) ? result[0] : undefined, 'eth_simulateV1 block')['calls'];
  if (!Array.isArray(calls) || calls.length !== expected) throw new ShapeError('eth_simulateV1', `not the results of ${expected} calls`);
  return calls.map((each: unknown) => {
    const call = record(each, 'eth_simulateV1 call');
    const error = call['error'] == null ? undefined : record(call['error'], 'eth_simulateV1 error');
    const returned = parseBytes(call['returnData'] ?? '0x', 'eth_simulateV1 returnData');
    const thrown = typeof error?.['data'] === 'string' ? parseBytes(error['data'], 'eth_simulateV1 error data') : '0x';
    return {
      ok: call['status'] === '0x1',
      gasUsed: parseBigQuantity(call['gasUsed'], 'eth_simulateV1 gasUsed'),
      returnData: returned === '0x' ? thrown : returned,
      logs: Array.isArray(call['logs']) ? call['logs'].map(parseSimulatedLog) : [],
    };
  });
}

function parseSimulatedLog(value: unknown): NodeSimulatedCall['logs'][number] {
  const log = record(value, 'simulated log');
  const topics: readonly unknown[] = Array.isArray(log['topics']) ? log['topics'].slice(0, 4) : [];
  return {
    address: parseAddress(log['address'], 'simulated log address'),
    topics: topics.map((topic): Hex => parseHash(topic, 'simulated log topic')),
    data: parseBytes(log['data'], 'simulated log data'),
  };
}
