/** What is found out about a market once it has debt: its tokens' names, and how its oracle comes to its answer; of a pre-liquidation contract, the latter. */
import type { Address, Head, ViewAnswer, ViewCall } from '../../lib/types.ts';
import { textOf, uintOf } from '../../lib/words.ts';
import type { Journal } from '../../mirror/journal.ts';
import type { Reading } from '../../mirror/types.ts';
import { type DecodedOracle, decodeOracle } from './oracle.ts';
import { calls } from './reads.ts';
import type { BlueMarket, BlueState, PreLiquidation, Token } from './state.ts';

const MAX_DECIMALS = 36n;

export type Settled = {
  readonly tokens: readonly (readonly [Address, Token])[];
  readonly decoded: DecodedOracle | undefined;
};

function* settle({ params }: BlueMarket, block: Head): Reading<Settled> {
  const addresses = [params.loanToken, params.collateralToken];
  const answers = yield addresses.flatMap((token) => [calls.symbol(token), calls.decimals(token)]);
  const tokens = addresses.map((address, place): readonly [Address, Token] => {
    const decimals = uintOf(answers[2 * place + 1]);
    const known = decimals !== undefined && decimals <= MAX_DECIMALS;
    return [address, { symbol: textOf(answers[2 * place]) || address.slice(0, 10), decimals: known ? Number(decimals) : 0 }];
  });
  return { tokens, decoded: yield* decodeOracle(params.oracle, block) };
}

function* settleOracle({ params }: PreLiquidation, block: Head): Reading<Settled> {
  return { tokens: [], decoded: yield* decodeOracle(params.oracle, block) };
}

/** What is settled once: a market, or a contract that has an oracle of its own. */
export type Subject = BlueMarket | PreLiquidation;

export function settling(subject: Subject, block: Head): Reading<Settled> {
  return 'label' in subject ? settle(subject, block) : settleOracle(subject, block);
}

export function takeSettled(subject: Subject, { tokens, decoded }: Settled, state: BlueState, journal: Journal): void {
  for (const [address, token] of tokens) if (!state.tokens.has(address)) journal.setKey(state.tokens, address, token);
  const oracle = state.oracles.get(subject.params.oracle);
  if (oracle !== undefined && oracle.decoded === undefined) journal.set(oracle, 'decoded', decoded);
  journal.set<{ settled: boolean }, 'settled'>(subject, 'settled', true);
}

/**
 * Settles markets that get their first debt after the anchor, and contracts that get their first user: a block's batch asks for one step of each, so it takes some blocks, during which the
 * oracle is only read. What is found out depends on no block; after a change was taken back it begins anew.
 */
export class Settling {
  readonly #open = new Map<Subject, { readonly reading: Reading<Settled>; readonly calls: readonly ViewCall[] }>();

  /** What the next step of this one asks for. */
  callsFor(subject: Subject, block: Head): readonly ViewCall[] {
    const open = this.#open.get(subject);
    if (open !== undefined) return open.calls;
    const reading = settling(subject, block);
    const step = reading.next([]);
    const calls = step.done === true ? [] : step.value;
    this.#open.set(subject, { reading, calls });
    return calls;
  }

  /** Takes the answers to them; the result once there is nothing more to ask. */
  take(subject: Subject, answers: readonly ViewAnswer[]): Settled | undefined {
    const open = this.#open.get(subject);
    if (open === undefined) return undefined;
    const step = open.reading.next(answers);
    if (step.done !== true) {
      this.#open.set(subject, { reading: open.reading, calls: step.value });
      return undefined;
    }
    this.#open.delete(subject);
    return step.value;
  }

  restart(): void {
    this.#open.clear();
  }
}
