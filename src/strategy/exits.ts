import type { Address } from '../lib/types.ts';
import type { Frontier } from '../liquidity/frontier.ts';
import type { Depth, Exchange, Fill, InputAmount, NoFill } from '../liquidity/types.ts';

/** How the seized collateral becomes the owed debt and what remains becomes the numeraire. */
export type Exit = {
  readonly ok: true;
  readonly fills: readonly Fill[];
  /** Numeraire left once the loan and its fee are repaid; below zero when the sale does not even cover them. */
  readonly grossRaw: bigint;
  readonly after: Depth;
  /** What a unit more of the amount leaves more, where that seizes and owes so much more: undefined, or absent, where it is not known. */
  slope?(seizes: number, owes: number): number | undefined;
  /** Done while the loan is out, one after another: brings at least what is owed. */
  readonly inner: readonly Leg[];
  /** Done when the loan is repaid: sells what is left. */
  readonly outer: Leg | undefined;
};

/** A fill, and how much of its input the Executor puts in. Steps are made of it only once it is chosen. */
export type Leg = { readonly fill: Fill; readonly input: InputAmount };

export type ExitRequest = {
  readonly debtAsset: Address;
  readonly collateralAsset: Address;
  readonly numeraire: Address;
  readonly seizedRaw: bigint;
  /** Loan plus fee, in the debt asset. */
  readonly owedRaw: bigint;
  readonly depth: Depth;
  /** Pools that are locked while the loan is out. */
  readonly avoid: readonly Address[];
};

/** What is exchanged into what. */
export type ExitTokens = Pick<ExitRequest, 'debtAsset' | 'collateralAsset' | 'numeraire'>;

/** What no exchange of an amount at a depth beats; undefined where that is not known. */
export type FrontierOf = (tokenIn: Address, tokenOut: Address, exact: 'in' | 'out') => Frontier | undefined;

/** One way to do it. What it leaves is concave in the amount, as pools are; the better of two ways is not. */
export type Way = {
  quote(venue: Exchange, request: ExitRequest): Exit | NoFill;
  /** About the most that it can leave of two amounts, before gas; undefined where that is not known. */
  most(frontierOf: FrontierOf, tokens: ExitTokens): Most | undefined;
};

export type Most = (seized: number, owed: number) => number;

/** Never empty. */
export function waysOut({ debtAsset, collateralAsset, numeraire }: ExitTokens): readonly Way[] {
  if (collateralAsset === debtAsset) return [keepDebtAsset];
  if (debtAsset === numeraire) return [sellAll];
  // With the numeraire as collateral, selling all of it for debt would only pay the pools twice.
  if (collateralAsset === numeraire) return [buyDebt];
  return [overNumeraire, buyDebt, sellAll];
}

/**
 * Everything seized is sold for the numeraire, and exactly what is owed is bought with that; the remainder is the profit. Pools that have moved meanwhile take of
 * the profit, where a path over the numeraire, whose second swap is told its amount, would find less there than planned.
 */
const overNumeraire: Way = {
  quote(venue, request) {
    const { collateralAsset, debtAsset, numeraire, avoid } = request;
    const sale = venue.quoteIn(collateralAsset, numeraire, request.seizedRaw, request.depth, avoid);
    if (!sale.ok) return sale;
    const depth = request.depth.after(sale);
    const purchase = venue.quoteOut(numeraire, debtAsset, request.owedRaw, depth, avoid);
    if (!purchase.ok) return purchase;
    return {
      ok: true,
      fills: [sale, purchase],
      grossRaw: sale.amountOutRaw - purchase.amountInRaw,
      get after() {
        return depth.after(purchase);
      },
      slope(seizes, owes) {
        const [sold, bought] = [sale.margin, purchase.margin];
        return areApart(sale, purchase) ? sold && bought && seizes * sold - owes / bought : undefined;
      },
      inner: [
        { fill: sale, input: 'gain' },
        { fill: purchase, input: 'planned' },
      ],
      outer: undefined,
    };
  },
  most(frontierOf, { debtAsset, collateralAsset, numeraire }) {
    const [sale, purchase] = [frontierOf(collateralAsset, numeraire, 'in'), frontierOf(numeraire, debtAsset, 'out')];
    return sale && purchase && ((seized, owed) => sale.at(seized) - purchase.at(owed));
  },
};

/** Collateral and debt are one asset: no exchange while the loan is out. */
const keepDebtAsset: Way = {
  quote(venue, request) {
    return sellRest(venue, request, request.debtAsset, request.seizedRaw - request.owedRaw, [], (seizes, owes) => seizes - owes);
  },
  most(frontierOf, { debtAsset, numeraire }) {
    const rest = mostOfRest(frontierOf, debtAsset, numeraire);
    return rest && ((seized, owed) => rest(seized - owed));
  },
};

/** Everything seized is sold for the debt asset; the remainder of that is the profit. */
const sellAll: Way = {
  quote(venue, request) {
    const sale = venue.quoteIn(request.collateralAsset, request.debtAsset, request.seizedRaw, request.depth, request.avoid);
    if (!sale.ok) return sale;
    const slope = (seizes: number, owes: number) => sale.margin && seizes * sale.margin - owes;
    return sellRest(venue, request, request.debtAsset, sale.amountOutRaw - request.owedRaw, [{ fill: sale, input: 'gain' }], slope);
  },
  most(frontierOf, { debtAsset, collateralAsset, numeraire }) {
    const [sale, rest] = [frontierOf(collateralAsset, debtAsset, 'in'), mostOfRest(frontierOf, debtAsset, numeraire)];
    return sale && rest && ((seized, owed) => rest(sale.at(seized) - owed));
  },
};

/** Exactly what is owed is bought with collateral; the remainder of the collateral is the profit, exchanged once. */
const buyDebt: Way = {
  quote(venue, request) {
    const purchase = venue.quoteOut(request.collateralAsset, request.debtAsset, request.owedRaw, request.depth, request.avoid);
    if (!purchase.ok) return purchase;
    const slope = (seizes: number, owes: number) => purchase.margin && seizes - owes / purchase.margin;
    const inner = [{ fill: purchase, input: 'planned' }] as const;
    return sellRest(venue, request, request.collateralAsset, request.seizedRaw - purchase.amountInRaw, inner, slope);
  },
  most(frontierOf, { debtAsset, collateralAsset, numeraire }) {
    const [purchase, rest] = [frontierOf(collateralAsset, debtAsset, 'out'), mostOfRest(frontierOf, collateralAsset, numeraire)];
    return purchase && rest && ((seized, owed) => rest(seized - purchase.at(owed)));
  },
};

function sellRest(
  venue: Exchange,
  request: ExitRequest,
  token: Address,
  restRaw: bigint,
  inner: readonly Leg[],
  slope: NonNullable<Exit['slope']>,
): Exit | NoFill {
  const fills = inner.map(({ fill }) => fill);
  const depth = fills.reduce((before, fill) => before.after(fill), request.depth);
  if (token === request.numeraire) return { ok: true, fills, grossRaw: restRaw, after: depth, slope, inner, outer: undefined };
  if (restRaw <= 0n) return { ok: false, reason: 'too-thin' };
  // The loan is repaid by then, so even the lender's pool is free again; avoiding it keeps the quote simple and costs little.
  const sale = venue.quoteIn(token, request.numeraire, restRaw, depth, request.avoid);
  if (!sale.ok) return sale;
  return {
    ok: true,
    fills: [...fills, sale],
    grossRaw: sale.amountOutRaw,
    // Of the many that are looked at, one is carried out.
    get after() {
      return depth.after(sale);
    },
    slope(seizes, owes) {
      const [rest, sold] = [slope(seizes, owes), sale.margin];
      return rest !== undefined && sold && fills.every((fill) => areApart(fill, sale)) ? rest * sold : undefined;
    },
    inner,
    outer: { fill: sale, input: 'gain' },
  };
}

function areApart(a: Fill, b: Fill): boolean {
  return !a.pools.some((pool) => b.pools.includes(pool));
}

function mostOfRest(frontierOf: FrontierOf, token: Address, numeraire: Address): ((rest: number) => number) | undefined {
  if (token === numeraire) return (rest) => rest;
  const sale = frontierOf(token, numeraire, 'in');
  return sale && ((rest) => sale.at(rest));
}
