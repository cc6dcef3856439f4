/** What of a deployment is held against its own views, at the mirrored block. */
import type { ViewAnswer, ViewCall } from '../../lib/types.ts';
import { intOf, uintOf } from '../../lib/words.ts';
import type { ViewCheck } from '../../mirror/types.ts';
import type { Slot } from '../types.ts';
import type { Lens } from './lens.ts';
import { capacityAt } from './liquidation.ts';
import { calls } from './reads.ts';
import { type Account, isExposed, type PerpMarket, type SynthetixState } from './state.ts';

/** Every how many checks one goes to a market's window instead of an account. */
const MARKET_EVERY = 6;

/**
 * @param near slots to look at first; the others follow in turn
 * @param lens asked for once the block is ingested
 */
export function auditChecks(state: SynthetixState, lens: () => Lens, near: readonly Slot[], limit: number, seed: number): ViewCheck[] {
  const exposed = [...state.accounts.entries()].flatMap(([slot, account]) => (isExposed(account) ? [slot] : []));
  const turn = exposed.map((_, place) => exposed[(seed + place) % exposed.length]!);
  const slots = [...new Set([...near.filter((slot) => isExposed(state.accounts[slot]!)), ...turn])];
  const markets = [...state.markets.values()];
  const checks: ViewCheck[] = [];
  for (let place = 0; checks.length < limit && (place < slots.length || place < markets.length); place++) {
    const slot = slots[place];
    if (slot !== undefined) checks.push(...accountChecks(state, state.accounts[slot]!, lens));
    const market = markets[(seed + place) % Math.max(1, markets.length)];
    if (market !== undefined && place % MARKET_EVERY === 0 && place / MARKET_EVERY < markets.length)
      checks.push(windowCheck(state, market, lens));
  }
  return checks.slice(0, limit);
}

function accountChecks({ contracts }: SynthetixState, account: Account, lens: () => Lens): ViewCheck[] {
  const { perpsMarket: perps } = contracts;
  const standing = () => {
    const found = lens().standing(account);
    return found.ok ? found : undefined;
  };
  const id = account.id;
  const margin = check(`margin of account ${id}`, calls.availableMargin(perps, id), () => standing()?.availableWad, intOf);
  if (account.positions.size > 0)
    return [
      margin,
      check(
        `requirement of account ${id}`,
        calls.requiredMargins(perps, id),
        () => standing()?.requiredWad,
        (answer) => uintOf(answer, 1),
      ),
    ];
  const verdict = () => {
    const found = standing();
    return found && BigInt(account.debt > 0n && found.availableWad < found.requiredWad);
  };
  return [margin, check(`verdict on account ${id}`, calls.canLiquidateMargin(perps, id), verdict)];
}

function windowCheck({ contracts }: SynthetixState, market: PerpMarket, lens: () => Lens): ViewCheck {
  const capacity = () => capacityAt(market, BigInt(lens().at.timestamp));
  return check(`window of ${market.symbol}`, calls.capacity(contracts.perpsMarket, market.id), capacity);
}

function check(
  subject: string,
  call: ViewCall,
  ours: () => bigint | undefined,
  read: (answer: ViewAnswer) => bigint | undefined = (answer) => uintOf(answer),
): ViewCheck {
  return {
    subject,
    call,
    compare: (answer) => {
      const [one, other] = [ours(), read(answer)];
      // Where a price is too old for the views as well, there is nothing to compare.
      return one === other || other === undefined ? null : { ours: String(one), theirs: String(other) };
    },
  };
}
