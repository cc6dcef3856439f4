/** Reads one Comet whole at a block: its configuration, what it holds, and the accounts that logs revealed. */
import type { Address, Head, ViewAnswer } from '../../lib/types.ts';
import { addressOf, textOf, uintOf } from '../../lib/words.ts';
import { MirrorError, type Reading } from '../../mirror/types.ts';
import { together } from '../../oracles/together.ts';
import { Changes } from '../bounds.ts';
import { type CometFeed, decodeFeed } from './feed.ts';
import { newAccount } from './fold.ts';
import { calls, heldCalls, readAsset, readHeld, readTotals, readUser } from './reads.ts';
import { type Account, assetsOf, type CometAsset, type CometConfig, type CometState, type Curve, MAX_ASSETS, type Token } from './state.ts';

const MAX_DECIMALS = 36n;

export function* anchorComet(comet: Address, known: readonly Address[], block: Head): Reading<CometState> {
  const config = yield* readConfig(comet);
  const answers = yield [
    calls.totalsBasic(comet),
    calls.balanceOf(config.base.address, comet),
    ...config.assets.flatMap(({ address }) => heldCalls(comet, address)),
  ];
  const totals = readTotals(answers[0]);
  const baseBalanceRaw = uintOf(answers[1]);
  if (totals === undefined || baseBalanceRaw === undefined) throw new MirrorError(`${comet} tells no totals`);
  const held = config.assets.map(({ address }, place) => {
    const read = readHeld(answers[2 + 2 * place], answers[3 + 2 * place]);
    if (read === undefined) throw new MirrorError(`${comet} does not tell what it holds of ${address}`);
    return read;
  });
  const accounts = yield* readAccounts(comet, config, known);
  const feeds = yield* readFeeds(comet, config, block);
  const places = new Map(accounts.map(({ address }, place) => [address, place]));
  return { comet, config, totals, baseBalanceRaw, held, accounts, places, changes: new Changes(), feeds, head: block };
}

export function* readConfig(comet: Address): Reading<CometConfig> {
  const [baseWord, feedWord, ...words] = yield [
    ...[calls.baseToken(comet), calls.baseTokenPriceFeed(comet), calls.baseScale(comet), calls.numAssets(comet)],
    ...[calls.storeFrontPriceFactor(comet), calls.targetReserves(comet)],
    ...[calls.supplyKink(comet), calls.supplySlopeLow(comet), calls.supplySlopeHigh(comet), calls.supplyBase(comet)],
    ...[calls.borrowKink(comet), calls.borrowSlopeLow(comet), calls.borrowSlopeHigh(comet), calls.borrowBase(comet)],
  ];
  const [base, priceFeed] = [addressOf(baseWord), addressOf(feedWord)];
  const numbers = words.map((word) => uintOf(word)).filter((word) => word !== undefined);
  if (base === undefined || priceFeed === undefined || numbers.length < words.length) throw new MirrorError(`no Comet at ${comet}`);
  const [scale, count, storeFrontPriceFactor, targetReserves, ...curves] = numbers as [bigint, bigint, bigint, bigint, ...bigint[]];
  if (scale === 0n || count > BigInt(MAX_ASSETS)) throw new MirrorError(`no Comet at ${comet}`);
  const infos = yield Array.from({ length: Number(count) }, (_, place) => calls.assetInfo(comet, place));
  const told = infos.map((info, place) => {
    const read = readAsset(info);
    if (read === undefined) throw new MirrorError(`${comet} does not tell its asset ${place}`);
    return read;
  });
  const [token, ...tokens] = yield* readTokens([base, ...told.map(({ address }) => address)]);
  return {
    base: { ...token!, priceFeed, scale },
    ...{ supply: curveOf(curves.slice(0, 4)), borrow: curveOf(curves.slice(4)), storeFrontPriceFactor, targetReserves },
    assets: told.map((asset, place): CometAsset => ({ ...asset, ...tokens[place]! })),
  };
}

function curveOf([kink, slopeLow, slopeHigh, base]: readonly bigint[]): Curve {
  return { kink: kink!, slopeLow: slopeLow!, slopeHigh: slopeHigh!, base: base! };
}

function* readTokens(addresses: readonly Address[]): Reading<Token[]> {
  const answers = yield addresses.flatMap((token) => [calls.symbol(token), calls.decimals(token)]);
  return addresses.map((address, place) => {
    const decimals = uintOf(answers[2 * place + 1]);
    const known = decimals !== undefined && decimals <= MAX_DECIMALS;
    return { address, symbol: textOf(answers[2 * place]) || address.slice(0, 10), decimals: known ? Number(decimals) : 0 };
  });
}

/** Collateral is asked for where Comet looks for it. */
function* readAccounts(comet: Address, config: CometConfig, known: readonly Address[]): Reading<Account[]> {
  const users = yield known.map((account) => calls.userBasic(comet, account));
  const accounts = known.map((address, place): Account => {
    const read = readUser(users[place]);
    if (read === undefined) throw new MirrorError(`account ${address} of ${comet} does not answer`);
    return { ...newAccount(address, config.assets.length), ...read };
  });
  const asked = accounts.flatMap((account) => assetsOf(account, config).map((asset) => ({ account, asset })));
  const balances: readonly ViewAnswer[] = yield asked.map(({ account, asset }) =>
    calls.userCollateral(comet, account.address, config.assets[asset]!.address),
  );
  for (const [place, { account, asset }] of asked.entries()) {
    const balance = uintOf(balances[place]);
    if (balance === undefined) throw new MirrorError(`collateral of ${account.address} at ${comet} does not answer`);
    account.collateralRaw[asset] = balance;
  }
  return accounts;
}

export function* readFeeds(comet: Address, { base, assets }: CometConfig, block: Head): Reading<Map<Address, CometFeed>> {
  const addresses = [...new Set([base, ...assets].map(({ priceFeed }) => priceFeed))];
  const answers = yield addresses.map((address) => calls.price(comet, address));
  const decoded = yield* together(addresses.map((address) => decodeFeed(comet, address, block)));
  return new Map(
    addresses.map((address, place) => [address, { address, answer: uintOf(answers[place]), decoded: decoded[place] }] as const),
  );
}
