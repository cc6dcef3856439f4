/**
 * A difference that the keeper's audit found, asked for once more.
 *
 * NOTE: while anvil reorganises, calls at a block that it has just announced are answered from a state in between: interest of another slot, reverts. Asked again
 * a moment later it says of the same block what the keeper said.
 */
import { type Address, encodeFunctionData, type Hex, numberToHex, parseAbi } from 'viem';
import { poolAbi } from '../devnet/aave/positions.ts';
import { rpc } from '../devnet/rpc.ts';
import type { Line } from './child.ts';

const uniswapAbi = parseAbi([
  'function slot0() view returns (uint160 sqrtPriceX96, int24 tick)',
  'function liquidity() view returns (uint128)',
]);
const indexAbi = parseAbi([
  'function getReserveNormalizedIncome(address asset) view returns (uint256)',
  'function getReserveNormalizedVariableDebt(address asset) view returns (uint256)',
]);
const WORD_DIGITS = 64;
const TICK_BITS = 24;

export type AskedMarket = { readonly aave: { readonly pool: Address }; readonly tokens: Readonly<Record<string, Address>> };
export type Doubt = { readonly subject: string; readonly ours: string };

/** What the node says of it now, in the words of the keeper's log; undefined for a subject of another kind, and where the call fails again. */
export function askAgain(rpcUrl: string, market: AskedMarket, doubt: Doubt, block: number): Promise<string | undefined> {
  return answerTo(rpcUrl, market, doubt, block).catch(() => undefined);
}

async function answerTo(
  rpcUrl: string,
  { aave: { pool }, tokens }: AskedMarket,
  { subject }: Doubt,
  block: number,
): Promise<string | undefined> {
  const [, side, symbol = ''] = /^(income|debt) index of (\S+)$/.exec(subject) ?? [];
  if (side !== undefined && tokens[symbol] !== undefined) {
    const functionName = side === 'income' ? 'getReserveNormalizedIncome' : 'getReserveNormalizedVariableDebt';
    const data = encodeFunctionData({ abi: indexAbi, functionName, args: [tokens[symbol]] });
    return String(wordsOf(await callAt(rpcUrl, pool, data, block))(0));
  }
  const [, account] = /^account (0x[0-9a-f]{40}) health$/.exec(subject) ?? [];
  const [, venue, what] = /^pool (0x[0-9a-f]{40}) (price and tick|liquidity)$/.exec(subject) ?? [];
  if (account !== undefined) {
    const data = encodeFunctionData({ abi: poolAbi, functionName: 'getUserAccountData', args: [account as Address] });
    const word = wordsOf(await callAt(rpcUrl, pool, data, block));
    return `${word(0)}/${word(1)}/${word(5)}`;
  }
  if (venue === undefined) return undefined;
  const functionName = what === 'liquidity' ? 'liquidity' : 'slot0';
  const word = wordsOf(await callAt(rpcUrl, venue as Address, encodeFunctionData({ abi: uniswapAbi, functionName }), block));
  return functionName === 'liquidity' ? String(word(0)) : `${word(0)} ${BigInt.asIntN(TICK_BITS, word(1))}`;
}

/** Was the block of that hash replaced? What was said of it cannot be asked for again then. */
export async function isReplaced(rpcUrl: string, block: number, hash: unknown): Promise<boolean> {
  const now = await rpc<{ hash: Hex } | null>(rpcUrl, 'eth_getBlockByNumber', [numberToHex(block), false]);
  return now?.hash !== hash;
}

/** Of a line that says that a market differs, or is suspended for it. */
export function doubtIn(line: Line): Doubt | undefined {
  if (line.event === 'audit.mismatch') return { subject: String(line['subject']), ours: String(line['ours']) };
  const [, subject, ours] = /^(.+): (.+) here, .+ on the chain$/.exec(String(line['reason'])) ?? [];
  return subject === undefined || ours === undefined ? undefined : { subject, ours };
}

function callAt(rpcUrl: string, to: Address, data: Hex, block: number): Promise<Hex> {
  return rpc<Hex>(rpcUrl, 'eth_call', [{ to, data }, numberToHex(block)]);
}

function wordsOf(data: Hex): (place: number) => bigint {
  return (place) => BigInt(`0x${data.slice(2 + place * WORD_DIGITS, 2 + (place + 1) * WORD_DIGITS) || '0'}`);
}
