/** Executors on a Synthetix world, planned for and run as the keeper does it. */
import { type Address, encodeFunctionData, type Hex, parseAbi } from 'viem';
import { SLOT_SECONDS } from '../../../scripts/devnet/anvil.ts';
import { lower } from '../../../scripts/devnet/perp-v2/deploy.ts';
import { rpc } from '../../../scripts/devnet/rpc.ts';
import { NO_SURCHARGE } from '../../../src/chain/rollup.ts';
import { decodeExecutorError, decodeSettlement, type Settlement } from '../../../src/execution/decode-executor.ts';
import { sequenceOf } from '../../../src/execution/sequence.ts';
import { executorAbi, executorBytecode } from '../../../src/generated/executor.ts';
import { encodeExecute } from '../../../src/lib/encode-steps.ts';
import type { RawLog } from '../../../src/lib/types.ts';
import type { Exchange } from '../../../src/liquidity/types.ts';
import type { Moment } from '../../../src/oracles/types.ts';
import type { Option } from '../../../src/protocols/types.ts';
import { Watch } from '../../../src/risk/candidates.ts';
import { planBlock } from '../../../src/strategy/block.ts';
import type { Terms } from '../../../src/strategy/terms.ts';
import type { Decision, Plan } from '../../../src/strategy/types.ts';
import { type Followed, later } from './followed.ts';
import type { SynthetixWorld } from './world.ts';

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
/** Nothing here is exchanged for it: rewards are kept. */
const NUMERAIRE: Address = `0x${'ee'.repeat(20)}`;
/** As on a rollup. */
const GAS_PRICE_WEI = 10_000_000n;
const FEES_WEI = 10n ** 15n;
const wethAbi = parseAbi(['function deposit() payable', 'function transfer(address to, uint256 amount) returns (bool)']);

const TERMS: Omit<Terms, 'executor' | 'numeraire'> = {
  ...{ numeraireUsd8: 2_000n * USD8, gasPriceWei: GAS_PRICE_WEI, surcharge: NO_SURCHARGE, minProfitUsd8: USD8 / 2n, bid: () => 0 },
  ...{ maxPositionUsd8: 10n ** 15n, tokenAllowed: () => true, maxTransactionGas: 16_777_216n, maxBlockGas: 60_000_000n },
};

/**
 * An Executor with some wrapped native for the fees of updates.
 *
 * @param kind where rewards stay, snxUSD counts and wrapped native does not, so that it can be spent
 */
export async function openDesk(world: SynthetixWorld, kind: 'keeps' | 'sells'): Promise<Address> {
  const artifact = { abi: executorAbi, bytecode: executorBytecode, linkReferences: {} };
  const { chain } = world;
  const executor = lower(chain.deploy('executor', artifact, [world.weth, chain.deployer.address, TREASURY, []]));
  await chain.mine();
  if (kind === 'keeps') {
    chain.call(executor, executorAbi, 'register', [world.snx.usd, []]);
    chain.call(executor, executorAbi, 'unregister', [world.weth]);
  }
  const deposit = encodeFunctionData({ abi: wethAbi, functionName: 'deposit' });
  chain.send(chain.deployer, { to: world.weth, value: FEES_WEI, data: deposit, label: 'deposit' });
  chain.call(world.weth, wethAbi, 'transfer', [executor, FEES_WEI]);
  await chain.mine();
  return executor;
}

/** What the planner decides for what is liquidatable at a moment. @param dress what options are given beside, such as the update of a price */
export function decide(
  { protocol, usd }: Followed,
  executor: Address,
  at: Moment,
  dress: (option: Option) => Option = (option) => option,
): readonly Decision[] {
  const { candidates } = new Watch().judge([protocol], at, protocol.state.head.number);
  const terms = { ...TERMS, executor, numeraire: NUMERAIRE };
  const market = { venue: NOWHERE, flashes: [], usd };
  return planBlock(candidates, ({ slot }) => protocol.options(slot, at).map(dress), market, terms, at).decisions;
}

export function plansOf(decisions: readonly Decision[]): readonly Plan[] {
  return decisions.flatMap((decision) => (decision.kind === 'plan' ? [decision.plan] : []));
}

export function nextBlock(followed: Followed): Moment {
  return later(followed, SLOT_SECONDS);
}

export type Ran =
  | { readonly ok: true; readonly settlement: Settlement; readonly gasUsed: bigint }
  | { readonly ok: false; readonly reason: string };

/** Mines plans in the next block, one Executor transaction each. */
export async function run(world: SynthetixWorld, plans: readonly Plan[]): Promise<Ran[]> {
  const { rpcUrl } = world.anvil;
  const hashes: Hex[] = [];
  for (const plan of plans) {
    const { margin } = plan;
    if (margin === undefined) throw new Error('the plan keeps nothing');
    const terms = { ...TERMS, executor: margin.executor, numeraire: margin.settlement };
    const data = encodeExecute(sequenceOf([plan], plan.gasUnits, NO_SURCHARGE, terms, 1_000_000_000));
    const transaction = { from: world.chain.deployer.address, to: margin.executor, data, gas: '0x3d0900' };
    hashes.push(await rpc<Hex>(rpcUrl, 'eth_sendTransaction', [transaction]));
  }
  await rpc(rpcUrl, 'evm_mine');
  await world.chain.fund([world.chain.deployer.address], 10n ** 26n);
  return Promise.all(hashes.map((hash, place) => ranAs(rpcUrl, hash, plans[place]!.margin!.executor)));
}

async function ranAs(rpcUrl: string, hash: Hex, executor: Address): Promise<Ran> {
  const receipt = await rpc<{ status: Hex; logs: RawLog[]; gasUsed: Hex }>(rpcUrl, 'eth_getTransactionReceipt', [hash]);
  if (receipt.status === '0x1')
    return { ok: true, settlement: decodeSettlement(receipt.logs, executor)!, gasUsed: BigInt(receipt.gasUsed) };
  const trace = await rpc<{ output?: Hex }>(rpcUrl, 'debug_traceTransaction', [hash, { tracer: 'callTracer' }]);
  return { ok: false, reason: decodeExecutorError(trace.output ?? '0x') };
}
