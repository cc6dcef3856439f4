import type { OracleBounds } from '../guard/oracle.ts';
import type { Limits } from '../guard/types.ts';
import type { Secret, SecretUrl } from '../lib/secret.ts';
import type { Address, Hex } from '../lib/types.ts';
import type { BidShare } from '../strategy/bids/policy.ts';
import type { DeploymentsFile } from './deploymentsFile.ts';
import type { Environment } from './variables.ts';

/** What a command needs of the environment. `store`: DATA_DIR alone (report, pause, resume, kill). */
export type Purpose = 'run' | 'scan' | 'deploy' | 'doctor' | 'store';

/** Everything that the operator decides, checked and typed. */
export type Config = {
  readonly mode: 'watch' | 'live';
  readonly chain: ChainConfig;
  readonly keys: KeyConfig;
  /** Given to a lane that is short of gas; 0 for nothing. */
  readonly laneTopUpWei: bigint;
  readonly executor: Address | undefined;
  /** Another one, for what is seized and kept to be sold; undefined: nothing is kept. */
  readonly inventory: Address | undefined;
  /** Undefined: the Executor's owner. */
  readonly treasury: Address | undefined;
  readonly relays: RelayConfig;
  /** Where signed prices are had that our own transactions can carry. */
  readonly pythUrl: SecretUrl | undefined;
  /** Where alerts are posted. */
  readonly alertWebhook: SecretUrl | undefined;
  readonly choices: ChoicesConfig;
  readonly strategy: StrategyConfig;
  readonly limits: Limits;
  readonly maxInventoryUsd8: bigint;
  /** Heartbeats of single feeds are in the address book. */
  readonly oracle: Omit<OracleBounds, 'heartbeatSeconds'>;
  /** Absolute. */
  readonly dataDir: string;
  readonly http: HttpConfig;
  readonly log: LogConfig;
  /** For the operator, one line each; nothing that stops anything. */
  readonly warnings: readonly string[];
};

export type ChainConfig = {
  /** In order of preference. Empty for a purpose that asks no chain. */
  readonly rpcUrls: readonly SecretUrl[];
  readonly chainId: number | undefined;
  readonly deployments: DeploymentsFile | undefined;
};

/** About protocols; `protocols` undefined: all that the address book has. */
export type ChoicesConfig = {
  readonly protocols: Environment['PROTOCOLS'];
  readonly morphoBadDebt: Environment['MORPHO_BAD_DEBT'];
  readonly perpExecutor: Environment['PERP_EXECUTOR_ADDRESS'];
};

export type KeyConfig = { readonly keeper: Secret<Hex> | undefined; readonly lanes: readonly Secret<Hex>[] };

export type RelayConfig = {
  readonly urls: readonly SecretUrl[];
  /** Undefined: made once and kept in the ledger. */
  readonly authKey: Secret<Hex> | undefined;
  /** Where private price updates are announced. */
  readonly mevShareUrl: SecretUrl | undefined;
  readonly publicMempool: 'never' | 'fallback' | 'only';
};

export type StrategyConfig = {
  readonly minProfitUsd8: bigint;
  /** Share of (gross - gas) for the builder; 0 under PUBLIC_MEMPOOL=only, where nobody could be bid to. */
  readonly bidShare: BidShare;
};

export type HttpConfig = { readonly host: string; readonly port: number; readonly token: Secret | undefined };

export type LogConfig = {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** Undefined: pretty on a terminal, otherwise json. */
  readonly format: 'json' | 'pretty' | undefined;
};
