import { z } from 'zod';
import { PROTOCOLS } from '../protocols/registry.ts';
import * as read from './parse.ts';

/** What an environment variable's schema tells about itself, for the table, `bailiff env` and the checks. */
export type About = {
  readonly description: string;
  /** The default as it would be written, or in words. */
  readonly default: string;
  readonly required: boolean;
  readonly secret: boolean;
};

type Facts = { readonly default?: string; readonly required?: boolean; readonly secret?: boolean };

function about(description: string, { default: value = 'unset', required = false, secret = false }: Facts): About {
  return { description, default: value, required, secret };
}

/** May be left out. */
function may<T extends z.ZodType<unknown, string>>(schema: T, description: string, facts: Facts = {}) {
  return schema.optional().meta(about(description, facts));
}

/** Has a default, written as the variable would be. */
function or<T extends z.ZodType<unknown, string>>(schema: T, value: string, description: string, facts: Facts = {}) {
  return schema.prefault(value as z.input<T>).meta(about(description, { default: value, ...facts }));
}

/** The one schema of the environment: what is not in it does nothing, and the table of the README is made from it. */
export const environment = z.object({
  RPC_URLS: may(read.rpcUrls, 'Endpoints, comma-separated, in order of preference; ws(s) for subscriptions, http(s) to fall back on.', {
    default: 'none',
    required: true,
    secret: true,
  }),
  CHAIN_ID: may(read.integer(1, 2 ** 49), 'Refuse to start on any other chain.', { default: 'any' }),
  MODE: or(read.oneOf('watch', 'live'), 'watch', '`watch` decides and simulates, and sends nothing; `live` sends.'),
  KEEPER_PRIVATE_KEY: may(read.privateKey, 'The sender’s key. This or a keystore is needed in `live` and for `deploy`.', { secret: true }),
  KEEPER_KEYSTORE: may(read.path, 'A V3 keystore file, instead of the key itself.'),
  KEEPER_KEYSTORE_PASSWORD_FILE: may(read.path, 'The file that holds the keystore’s password.'),
  LANE_PRIVATE_KEYS: may(
    read.privateKeys,
    'Further senders, comma-separated, which work side by side; `deploy` makes them operators of the Executor.',
    {
      secret: true,
    },
  ),
  LANE_TOPUP: or(
    read.nativeAsWei,
    '0',
    'Native tokens, such as 0.05, given to a sender that is short of gas: by another that has them, or unwrapped from profit paid to the keeper’s account. 0 gives none.',
  ),
  EXECUTOR_ADDRESS: may(read.address, 'The deployed Executor; required in `live`.'),
  PERP_EXECUTOR_ADDRESS: may(
    read.address,
    'Another Executor, which has deposited margin at a perp venue and counts it: positions are taken over against that margin. Without it none are. Rewards in a token that it counts stay there.',
  ),
  INVENTORY_EXECUTOR_ADDRESS: may(
    read.address,
    'Another Executor, which counts nothing but wrapped native: what a liquidation seizes beyond what has to be sold at once may be kept there, up to `MAX_INVENTORY_USD`, and is sold over the next blocks. Without it everything is sold at once.',
  ),
  TREASURY_ADDRESS: may(read.address, 'Where `deploy` tells the Executor to send profit; `run` refuses an Executor with another.', {
    default: 'the Executor’s owner',
  }),
  PROTOCOLS: may(read.someOf(PROTOCOLS), `Protocols to work on, comma-separated: ${PROTOCOLS.map((name) => `\`${name}\``).join(', ')}.`, {
    default: 'all deployed on the chain',
  }),
  MORPHO_BAD_DEBT: or(
    read.oneOf('realise', 'leave'),
    'realise',
    'Of a Morpho Blue position whose collateral does not cover its debt: `realise` may seize all of it, which writes the rest of the debt off to the lenders; `leave` seizes all but one unit.',
  ),
  DEPLOYMENTS_FILE: may(read.path, 'JSON that adds or replaces addresses; the whole book of a chain that is not built in.', {
    default: 'the built-in address book',
  }),
  RELAY_URLS: may(read.httpUrls, 'Bundle relays, comma-separated.', { default: 'none', secret: true }),
  RELAY_AUTH_KEY: may(read.privateKey, 'The key that signs requests to relays. It holds no money.', {
    default: 'made once, kept in `DATA_DIR`',
    secret: true,
  }),
  MEV_SHARE_URL: may(read.httpUrl, 'Event stream of order-flow hints: price updates that are not in the public mempool.', {
    default: 'none',
    secret: true,
  }),
  PYTH_URL: may(
    read.httpUrl,
    'Pyth’s price service (Hermes). Where a market’s feed is Pyth’s, a liquidation carries the newest price in its own transaction; the fee comes out of wrapped native tokens left in the Executor.',
    { default: 'none', secret: true },
  ),
  PUBLIC_MEMPOOL: may(
    read.oneOf('never', 'fallback', 'only'),
    '`never`, `fallback` (when no relay takes a bundle) or `only` (no bundles, no bid).',
    {
      default: '`never` when relays are set, else `only`',
    },
  ),
  MIN_PROFIT_USD: or(read.usd8, '5', 'Least expected profit after gas and bid, in USD.'),
  BID_SHARE: or(
    read.shareBps,
    'auto',
    'Share of (gross profit - gas) offered to the builder, 0 to 1. `auto` chooses it for each transaction, by what real rivals pay at its size and by what became of our own bids.',
  ),
  MAX_BASE_FEE_GWEI: or(read.gweiAsWei, '500', 'Send nothing while the base fee is above this.'),
  MAX_GAS_USD_PER_DAY: or(read.usd8, '25000', 'Gas within any 24 hours, what is under way included at its worst.'),
  MAX_LOSS_USD_PER_DAY: or(read.usd8, '1000', 'Sum of losing transactions within any 24 hours, what is under way included at its worst.'),
  MAX_POSITION_USD: or(read.usd8, '10000000', 'Most debt repaid by one liquidation.'),
  MAX_INVENTORY_USD: or(
    read.usd8,
    '100000',
    'Most that positions taken over at perp venues and not closed yet, and collateral kept and not sold yet, are worth, all together. Of positions, what is found to be more is flattened at once, and everything stopped; of collateral, none is added.',
  ),
  MAX_CONSECUTIVE_FAILURES: or(
    read.integer(1, 1_000),
    '10',
    'Transactions mined in a row without profit before sending stops until `resume`.',
  ),
  MAX_FEED_AGE_SECONDS: or(
    read.integer(1, 10 ** 9),
    '604800',
    'Act on no price feed that has been silent for longer, by the chain’s clock; `feedHeartbeats` of DEPLOYMENTS_FILE is stricter for single feeds.',
  ),
  MAX_PRICE_JUMP: or(
    read.share,
    '0.9',
    'Act on no feed whose answer differs more from the one before, as a share of the larger; 1 allows anything.',
  ),
  MAX_POOL_DEVIATION: or(
    read.share,
    '0.9',
    'Act on no pair whose pools’ rate differs more from the oracle’s, as a share of the larger; 1 allows anything.',
  ),
  SEQUENCER_GRACE_SECONDS: or(
    read.integer(0, 10 ** 7),
    '3600',
    'On an L2 with a known uptime feed: act on nothing for so long after its sequencer came back.',
  ),
  ALLOW_TOKENS: may(read.addresses, 'Only these tokens as debt or collateral, comma-separated addresses.', { default: 'any' }),
  DENY_TOKENS: may(read.addresses, 'Never these tokens as debt or collateral.', { default: 'none' }),
  DENY_MARKETS: may(read.words, 'Never these markets: `protocol/market`, `market`, an address, or a Morpho market’s id.', {
    default: 'none',
  }),
  DATA_DIR: or(read.path, './data', 'The ledger and what else outlasts a restart; one keeper a folder.'),
  HTTP_HOST: or(read.host, '127.0.0.1', 'Where dashboard, API and metrics listen.'),
  HTTP_PORT: or(read.integer(0, 65_535), '9464', 'Their port; 0 takes any free one.'),
  HTTP_TOKEN: may(read.secret(16), 'Required for any change by HTTP, and for all but `/healthz` off loopback; at least 16 characters.', {
    secret: true,
  }),
  ALERT_WEBHOOK_URL: may(
    read.httpUrl,
    'Where alerts are posted, as JSON with a `text` for people: positions and inventory that need somebody, an open breaker, a kill, a market that is suspended.',
    { default: 'none', secret: true },
  ),
  LOG_LEVEL: or(read.oneOf('debug', 'info', 'warn', 'error'), 'info', 'Least severe log line written.'),
  LOG_FORMAT: may(read.oneOf('json', 'pretty'), '`json` or `pretty`.', { default: 'pretty on a terminal, else json' }),
});

export type Environment = z.output<typeof environment>;
export type VariableName = keyof Environment;

/** Part of the contract with operators, enforced by a later version: set, they are reported, never ignored. */
export const UNSUPPORTED = ['DATABASE_URL'] as const;

/** Unsupported ones may carry keys too. */
export const UNSUPPORTED_SECRETS: ReadonlySet<string> = new Set(['DATABASE_URL']);

export function aboutVariables(): readonly (About & { readonly name: VariableName })[] {
  return Object.entries(environment.shape).map(([name, schema]) => ({ name: name as VariableName, ...(schema.meta() as About) }));
}
