/** Tokens that do not simply move what they are told to move: found out by a transfer from one of their pools and back, in a call that changes nothing. */
import { type Acted, type Acting, asking, toldBy } from '../chain/actions/callAs.ts';
import type { Address, ViewAnswer } from '../lib/types.ts';
import { uintOf, viewCall } from '../lib/words.ts';

const balanceOf = viewCall('function balanceOf(address)');
const transfer = viewCall('function transfer(address,uint256)');

/** A share of what the pool holds: so much that a fee shows, and no round number, so that a token which counts in shares of its own shows too. */
const PART = 997n;
/** Words of what is asked, in order. */
const SENT = 2;
const SENT_BACK = 5;

/** The holder is a pool, the recipient the Executor: who moves the token in every exchange, in both directions. */
export type Trial = { readonly token: Address; readonly holder: Address; readonly amountRaw: bigint; readonly recipient: Address };

/** Undefined where the pool holds too little to try with. */
export function trialOf(token: Address, holder: Address, heldRaw: bigint, recipient: Address): Trial | undefined {
  const amountRaw = heldRaw / PART;
  return amountRaw === 0n ? undefined : { token, holder, amountRaw, recipient };
}

export function actingOf({ token, holder, amountRaw, recipient }: Trial): Acting {
  const balances = [balanceOf(token, holder), balanceOf(token, recipient)];
  const back = asking(recipient, [transfer(token, holder, amountRaw)]);
  return {
    as: holder,
    with: [recipient],
    calls: [...balances, transfer(token, recipient, amountRaw), ...balances, back, ...balances],
  };
}

/** What is odd about the token; undefined when nothing is, or when the trial could not be made. */
export function oddityIn(acted: Acted, { amountRaw }: Trial): string | undefined {
  if (acted === 'unknown') return undefined;
  if (acted === 'spent') return 'its transfer takes all gas';
  const held = [0, 3, 6].map((place) => uintOf(acted[place]));
  const own = [1, 4, 7].map((place) => uintOf(acted[place]));
  if (!all(held) || !all(own)) return 'it does not tell balances';
  return (
    fault(acted[SENT], amountRaw, held[0]! - held[1]!, own[1]! - own[0]!) ??
    fault(toldBy(acted[SENT_BACK], 1)?.[0], amountRaw, own[1]! - own[2]!, held[2]! - held[1]!)
  );
}

function fault(answer: ViewAnswer | undefined, amountRaw: bigint, leftRaw: bigint, arrivedRaw: bigint): string | undefined {
  if (!answer?.ok) return 'its transfer fails';
  if (arrivedRaw !== amountRaw) return `of ${amountRaw} sent ${arrivedRaw} arrive`;
  if (leftRaw !== amountRaw) return `${amountRaw} sent cost the sender ${leftRaw}`;
  // Some old tokens answer nothing at all, and everybody is used to that.
  return uintOf(answer) === 0n ? 'its transfer answers false' : undefined;
}

function all(words: readonly (bigint | undefined)[]): words is readonly bigint[] {
  return words.every((word) => word !== undefined);
}
