/** The calls of options, one by one, in somebody's name; and what the contracts' own views say of an account after them. */
import { type Abi, type Address, decodeFunctionData, decodeFunctionResult, encodeFunctionData, type Hex, parseAbi } from 'viem';
import { rpc } from '../../../scripts/devnet/rpc.ts';
import type { Option } from '../../../src/protocols/types.ts';
import { type CompoundWorld, type Outcome, type Place, RUNNER } from './world.ts';

const WAD = 10n ** 18n;
export const PERSON: Address = '0x0000000000000000000000000000000000000b0b';
const callAbi = parseAbi([
  'function accrueInterest() returns (uint256)',
  'function liquidateBorrow(address borrower, uint256 repayAmount, address cTokenCollateral) returns (uint256)',
]);
const nativeAbi = parseAbi(['function liquidateBorrow(address borrower, address cTokenCollateral) payable']);
const viewAbi = parseAbi([
  'function getAccountLiquidity(address) view returns (uint256 code, uint256 liquidity, uint256 shortfall)',
  'function getAccountSnapshot(address) view returns (uint256 code, uint256 tokens, uint256 owed, uint256 rate)',
  'function getUnderlyingPrice(address) view returns (uint256)',
  'function borrowBalanceCurrent(address) returns (uint256)',
]);

export const isTwice = ({ label }: Option) => label.endsWith(' twice');

type Step = Extract<ReturnType<Option['steps']>[number], { kind: 'call' }>;

/** What an option does to the borrower: accruals, and one liquidation or two. */
export function callsOf(option: Option, amountRaw: bigint): { readonly accruals: readonly Step[]; readonly liquidations: readonly Step[] } {
  const steps = option.steps(amountRaw, [], RUNNER).flatMap((step) => (step.kind === 'call' ? [step] : []));
  const named = (name: string) => steps.filter(({ data }) => nameOf(data) === name);
  return { accruals: named('accrueInterest'), liquidations: named('liquidateBorrow') };
}

function nameOf(data: Hex): string | undefined {
  for (const abi of [callAbi, nativeAbi] as const) {
    try {
      return decodeFunctionData({ abi: abi as Abi, data }).functionName;
    } catch {}
  }
  return undefined;
}

export function repaidBy({ data, valueWei }: Step): bigint {
  return valueWei > 0n ? valueWei : (decodeFunctionData({ abi: callAbi, data }).args![1] as bigint);
}

/** The same call for another amount, and the whole option for two other amounts. */
function withAmount(step: Step, amountRaw: bigint): Step {
  if (step.valueWei > 0n) return { ...step, valueWei: amountRaw };
  const { args } = decodeFunctionData({ abi: callAbi, data: step.data }) as { args: readonly [Address, bigint, Address] };
  const data = encodeFunctionData({ abi: callAbi, functionName: 'liquidateBorrow', args: [args[0], amountRaw, args[2]] });
  return { ...step, data };
}

/** What the contracts give for two calls of these amounts: what changes of the debt asset and of the collateral. Without effect. */
export function given(world: CompoundWorld, twice: Option, [firstRaw, thenRaw]: readonly [bigint, bigint], at: Place): Promise<Outcome> {
  const asked = [firstRaw, thenRaw];
  const steps = twice.steps(twice.regimes[0]!.maxRaw, [], RUNNER).map((step) => {
    if (step.kind === 'approve') return { ...step, amountRaw: firstRaw + thenRaw };
    return step.kind === 'call' && nameOf(step.data) === 'liquidateBorrow' ? withAmount(step, asked.shift()!) : step;
  });
  return world.run(steps, [twice.debtAsset, twice.collateralAsset], at);
}

/** What the borrower owes in the market of an option at a block to come, by the market's own word. */
export async function owedAt(world: CompoundWorld, option: Option, borrower: Address, { number, timestamp }: Place): Promise<bigint> {
  const { target } = callsOf(option, option.regimes[0]!.maxRaw).liquidations[0]!;
  const data = encodeFunctionData({ abi: viewAbi, functionName: 'borrowBalanceCurrent', args: [borrower] });
  const block = { number: `0x${number.toString(16)}`, time: `0x${timestamp.toString(16)}` };
  return BigInt(await rpc<Hex>(world.sender.url, 'eth_call', [{ to: target, data }, 'latest', {}, block]));
}

/** Mines these in one block, and follows nothing. */
export async function mined(world: CompoundWorld, calls: readonly Step[]): Promise<void> {
  for (const { target, data, valueWei } of calls) await world.sender.send(PERSON, target, data, 'call', valueWei);
  const { done } = await world.sender.mine();
  if ((done.get('call') ?? 0) !== calls.length) throw new Error('a call reverted');
}

export type AccountViews = { readonly shortfall: bigint; readonly healthWad: bigint; readonly isBare: boolean };

/** By the latest block: the comptroller's shortfall, and what is held over what is owed, of which that is the difference to the unit. */
export async function viewsOf(world: CompoundWorld, account: Address): Promise<AccountViews> {
  const ask = async (to: Address, functionName: string, args: readonly unknown[]): Promise<unknown> => {
    const data = encodeFunctionData({ abi: viewAbi as Abi, functionName, args: [...args] });
    const answer = await rpc<Hex>(world.sender.url, 'eth_call', [{ to, data }, 'latest']);
    return decodeFunctionResult({ abi: viewAbi as Abi, functionName, data: answer });
  };
  const { comptroller, oracle, markets } = world.venus;
  const [, , shortfall] = (await ask(comptroller, 'getAccountLiquidity', [account])) as readonly [bigint, bigint, bigint];
  let [held, owed, isBare] = [0n, 0n, true];
  for (const { address, thresholdBps } of markets) {
    const [, tokens, borrowed, rate] = (await ask(address, 'getAccountSnapshot', [account])) as readonly [bigint, bigint, bigint, bigint];
    const price = (await ask(oracle, 'getUnderlyingPrice', [address])) as bigint;
    const worth = (((thresholdBps * rate) / 10_000n) * price) / WAD;
    held += (worth * tokens) / WAD;
    owed += (price * borrowed) / WAD;
    if (tokens > 0n) isBare = false;
  }
  if (shortfall > 0n && owed - held !== shortfall) throw new Error(`${account}: ${owed} - ${held} is not ${shortfall}`);
  return { shortfall, healthWad: owed === 0n ? 0n : (held * WAD) / owed, isBare };
}
