/** What of a Comet is held against its own views, at the mirrored block. */
import { WAD } from '../../lib/math.ts';
import type { ViewAnswer, ViewCall } from '../../lib/types.ts';
import { intOf, uintOf } from '../../lib/words.ts';
import type { ViewCheck } from '../../mirror/types.ts';
import { type Lens, standingOf } from './lens.ts';
import { quoteDown, termsOf } from './liquidation.ts';
import { calls } from './reads.ts';
import { type Account, type CometState, reserveOf } from './state.ts';

/** Every how many checks one goes to the market instead of an account. */
const MARKET_EVERY = 4;
const ACCOUNT_KINDS = 3;

/**
 * @param accounts to look at, in this order
 * @param lens asked for once the block is ingested: the mirrored block, and the same without the interest since the last accrual
 */
export function auditChecks(
  state: CometState,
  accounts: readonly Account[],
  lens: (accrued: boolean) => Lens,
  limit: number,
  seed: number,
): ViewCheck[] {
  const market = [reservesCheck(state, lens), ...[...state.config.assets.keys()].flatMap((place) => storeChecks(state, place, lens))];
  const forMarket = Math.min(market.length, Math.ceil(limit / MARKET_EVERY));
  // Consecutive over blocks, so that everything has its turn.
  const checks = Array.from({ length: forMarket }, (_, i) => market[(seed * forMarket + i) % market.length]!);
  const all = limit - forMarket >= accounts.length * ACCOUNT_KINDS;
  for (const [turn, account] of accounts.entries()) {
    const own = [debtCheck(state, account, lens), verdictCheck(state, account, lens), collateralCheck(state, account, seed + turn)];
    checks.push(...(all ? own : [own[(seed + turn) % ACCOUNT_KINDS]!]));
    if (checks.length >= limit) break;
  }
  return checks.slice(0, limit);
}

function reservesCheck({ comet }: CometState, lens: (accrued: boolean) => Lens): ViewCheck {
  return check('reserves', calls.reserves(comet), () => lens(true).reserves, intOf);
}

function storeChecks(state: CometState, place: number, lens: (accrued: boolean) => Lens): ViewCheck[] {
  const { comet, config } = state;
  const { address, symbol } = config.assets[place]!;
  const quote = () => {
    const terms = termsOf(lens(true), place);
    return terms === undefined ? undefined : quoteDown(terms, config.base.scale);
  };
  return [
    check(`reserves of ${symbol}`, calls.collateralReserves(comet, address), () => reserveOf(state, place)),
    check(`quote of ${symbol}`, calls.quote(comet, address, config.base.scale), quote),
  ];
}

function debtCheck({ comet }: CometState, account: Account, lens: (accrued: boolean) => Lens): ViewCheck {
  return check(`debt of ${account.address}`, calls.borrowBalance(comet, account.address), () => lens(true).borrowedRaw(account));
}

/** NOTE: the view looks at indices as they were stored, unlike what is judged. */
function verdictCheck({ comet }: CometState, account: Account, lens: (accrued: boolean) => Lens): ViewCheck {
  return check(`verdict on ${account.address}`, calls.isLiquidatable(comet, account.address), () => {
    const standing = standingOf(account, lens(false));
    return standing.ok ? BigInt(standing.healthFactorWad < WAD) : undefined;
  });
}

function collateralCheck({ comet, config }: CometState, account: Account, turn: number): ViewCheck {
  const place = turn % config.assets.length;
  const { address, symbol } = config.assets[place]!;
  const call = calls.userCollateral(comet, account.address, address);
  return check(`${symbol} of ${account.address}`, call, () => account.collateralRaw[place]);
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
      const [one, other] = [String(ours()), String(read(answer))];
      return one === other ? null : { ours: one, theirs: other };
    },
  };
}
