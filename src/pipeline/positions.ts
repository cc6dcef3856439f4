import type { Moment } from '../oracles/types.ts';
import type { PositionView, Protocol } from '../protocols/types.ts';
import type { ExecutionRisk } from '../strategy/risk.ts';
import type { Decision, Plan, SkipReason } from '../strategy/types.ts';

/** One position as it stands, and what is decided about it: a plan, or why nothing is sent (`healthy` for most). */
export type PositionRow = {
  readonly protocol: string;
  readonly market: string;
  /** Undefined while it cannot be judged. */
  readonly healthFactorWad: bigint | undefined;
  readonly liquidatable: boolean;
  readonly view: PositionView;
  readonly verdict: { readonly plan: Plan; readonly risk: ExecutionRisk | undefined } | { readonly skip: SkipReason };
};

/** The positions with debt, worst health first, those that cannot be judged last. `riskOf` is asked for those within the limit alone. */
export function positionRows(
  protocols: readonly Protocol[],
  at: Moment,
  decisions: readonly Decision[],
  riskOf: (plan: Plan) => ExecutionRisk | undefined,
  limit = Number.POSITIVE_INFINITY,
): readonly PositionRow[] {
  const judged = protocols.flatMap((protocol) =>
    Array.from(protocol.slots(), (slot) => {
      const verdict = protocol.judge(slot, at);
      return { protocol, slot, verdict, healthFactorWad: verdict.kind === 'unknown' ? undefined : verdict.healthFactorWad };
    }),
  );
  judged.sort((a, b) => compare(a.healthFactorWad, b.healthFactorWad));
  const decided = new Map(decisions.map((decision) => [keyOf(decision), decision]));
  return judged.slice(0, limit).map(({ protocol, slot, verdict, healthFactorWad }) => {
    const account = protocol.accountOf(slot);
    const market = protocol.marketOf(slot);
    const decision = decided.get(`${protocol.name}/${market}/${account}`);
    return {
      protocol: protocol.name,
      market,
      healthFactorWad,
      liquidatable: verdict.kind === 'liquidatable',
      view: protocol.view(slot, at),
      verdict:
        decision === undefined
          ? { skip: undecided(verdict) }
          : decision.kind === 'plan'
            ? { plan: decision.plan, risk: riskOf(decision.plan) }
            : { skip: decision.skip },
    };
  });
}

function undecided(verdict: ReturnType<Protocol['judge']>): SkipReason {
  if (verdict.kind === 'unknown') return { reason: 'unknown-health', figures: { cause: verdict.reason } };
  if (verdict.kind === 'healthy') return { reason: 'healthy', figures: { healthFactorWad: String(verdict.healthFactorWad) } };
  return { reason: 'cooling-down', figures: { cause: 'became liquidatable since the last block was decided' } };
}

function keyOf(decision: Decision): string {
  const { protocol, market, account } = decision.kind === 'plan' ? decision.plan.candidate : decision.candidate;
  return `${protocol}/${market}/${account}`;
}

function compare(a: bigint | undefined, b: bigint | undefined): number {
  if (a === b) return 0;
  if (a === undefined) return 1;
  if (b === undefined) return -1;
  return a < b ? -1 : 1;
}
