/** The Executor with margin in the vault, planned for and run as the keeper does it. */
import { type Address, encodeFunctionData, type Hex } from 'viem';
import { SLOT_SECONDS } from '../../../scripts/devnet/anvil.ts';
import { lower } from '../../../scripts/devnet/perp-v2/deploy.ts';
import { rpc } from '../../../scripts/devnet/rpc.ts';
import { NO_SURCHARGE } from '../../../src/chain/rollup.ts';
import { decodeExecutorError, decodeSettlement, type Settlement } from '../../../src/execution/decode-executor.ts';
import { sequenceOf } from '../../../src/execution/sequence.ts';
import { executorAbi, executorBytecode } from '../../../src/generated/executor.ts';
import { encodeExecute } from '../../../src/lib/encode-steps.ts';
import type { RawLog } from '../../../src/lib/types.ts';
import { Exchanges } from '../../../src/liquidity/exchanges.ts';
import type { Exchange } from '../../../src/liquidity/types.ts';
import { Watch } from '../../../src/risk/candidates.ts';
import type { Candidate } from '../../../src/risk/types.ts';
import { planBlock } from '../../../src/strategy/block.ts';
import type { Terms } from '../../../src/strategy/terms.ts';
import type { Decision, Plan } from '../../../src/strategy/types.ts';
import { dollarFor, type Followed, later } from './followed.ts';
import type { PerpWorld } from './world.ts';

export const TREASURY: Address = '0x7ea5000000000000000000000000000000000001';
const NOWHERE: Exchange = {
  name: 'nowhere',
  depth: () => ({
    after: () => {
      throw new Error('nothing is exchanged here');
    },
  }),
  spot: () => 0,
  quoteIn: () => ({ ok: false, reason: 'no-route' }),
  quoteOut: () => ({ ok: false, reason: 'no-route' }),
  steps: () => [],
};
const USD8 = 10n ** 8n;
/** As on a rollup: a takeover with its close costs some cents. */
const GAS_PRICE_WEI = 10_000_000n;

export const TERMS: Omit<Terms, 'executor' | 'numeraire'> = {
  ...{ numeraireUsd8: 2_000n * USD8, gasPriceWei: GAS_PRICE_WEI, surcharge: NO_SURCHARGE, minProfitUsd8: USD8 / 2n, bid: () => 0 },
  ...{ maxPositionUsd8: 10n ** 15n, tokenAllowed: () => true, maxTransactionGas: 16_777_216n, maxBlockGas: 60_000_000n },
};

/** An Executor that counts settlement tokens and what of its margin is free with every position counted as lost; with a deposit. */
export async function openDesk(world: PerpWorld, depositRaw: bigint): Promise<Address> {
  const { settlement, collateral, vault } = world.perp;
  const artifact = { abi: executorAbi, bytecode: executorBytecode, linkReferences: {} };
  await world.chain.fund([world.chain.deployer.address], 10n ** 26n);
  const executor = lower(world.chain.deploy('executor', artifact, [collateral, world.chain.deployer.address, TREASURY, []]));
  await world.chain.mine();
  if (depositRaw > 0n) await world.depositFor(executor, depositRaw);
  const view = world.contract('vault');
  const data = encodeFunctionData({ abi: view.abi, functionName: 'getFreeCollateralByRatio', args: [executor, 1_000_000] });
  world.chain.call(executor, executorAbi, 'register', [settlement, [{ target: vault, data, divisor: 1n }]]);
  await world.chain.mine();
  return executor;
}

/** What the planner decides for each that is liquidatable in the next block, as if it were alone; the plans that bring most first. */
export function decideEach(followed: Followed, executor: Address, terms: Partial<Terms> = {}): { plans: Plan[]; skips: Skip[] } {
  const decisions = candidatesOf(followed).flatMap((candidate) => planned(followed, executor, [candidate], terms));
  const plans = decisions.flatMap((decision) => (decision.kind === 'plan' ? [decision.plan] : []));
  const skips = decisions.flatMap((decision) => (decision.kind === 'skip' ? [decision] : []));
  return { plans: plans.sort((a, b) => (a.profitWei < b.profitWei ? 1 : -1)), skips };
}

function candidatesOf(followed: Followed): readonly Candidate[] {
  const { protocol } = followed;
  return new Watch().judge([protocol], later(followed, SLOT_SECONDS), protocol.state.head.number).candidates;
}

export type Skip = Extract<Decision, { kind: 'skip' }>;

function planned(followed: Followed, executor: Address, candidates: readonly Candidate[], terms: Partial<Terms>): readonly Decision[] {
  const { protocol } = followed;
  const { contracts } = protocol.state;
  const at = later(followed, SLOT_SECONDS);
  const market = { venue: new Exchanges([protocol.exchange], NOWHERE), flashes: [], usd: dollarFor(contracts.settlement) };
  const all = { ...TERMS, executor, numeraire: contracts.settlement, ...terms };
  return planBlock(candidates, ({ slot }) => protocol.options(slot, at), market, all, at).decisions;
}

export type Ran =
  | { readonly ok: true; readonly settlement: Settlement; readonly gasUsed: bigint }
  | { readonly ok: false; readonly reason: string };

/** Mines a plan in the next block, as one Executor transaction. */
export async function run(world: PerpWorld, plan: Plan, terms: Partial<Terms> = {}): Promise<Ran> {
  const { margin } = plan;
  if (margin === undefined) throw new Error('the plan runs on no margin');
  const all = { ...TERMS, executor: margin.executor, numeraire: margin.settlement, ...terms };
  const sequence = sequenceOf([plan], plan.gasUnits, NO_SURCHARGE, all, 1_000_000_000);
  const transaction = { from: world.chain.deployer.address, to: margin.executor, data: encodeExecute(sequence), gas: '0xf42400' };
  const { rpcUrl } = world.anvil;
  const hash = await rpc<Hex>(rpcUrl, 'eth_sendTransaction', [transaction]);
  await world.mine();
  const receipt = await rpc<{ status: Hex; logs: RawLog[]; gasUsed: Hex }>(rpcUrl, 'eth_getTransactionReceipt', [hash]);
  if (receipt.status === '0x1')
    return { ok: true, settlement: decodeSettlement(receipt.logs, margin.executor)!, gasUsed: BigInt(receipt.gasUsed) };
  const trace = await rpc<{ output?: Hex }>(rpcUrl, 'debug_traceTransaction', [hash, { tracer: 'callTracer' }]);
  return { ok: false, reason: decodeExecutorError(trace.output ?? '0x') };
}
