import { z } from 'zod';
import type { Address } from '../lib/types.ts';
import { readText } from './files.ts';
import { repeatedKeys } from './jsonKeys.ts';
import { address } from './parse.ts';

const block = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
/** Names appear in logs, in lists with commas (DENY_MARKETS, in any case) and in the ledger: one meaning each. */
const name = z
  .string()
  .regex(/^[^\p{C},/\s](?:[^\p{C},/]{0,62}[^\p{C},/\s])?$/u, 'must be 1 to 64 characters, no comma, slash or line break');
const named = { name, fromBlock: block };

function markets<T extends z.ZodRawShape>(shape: T) {
  const market = z.strictObject({ ...named, ...shape });
  return z
    .array(market)
    .refine((list) => areDistinct(list.map((each) => (each as { name: string }).name.toLowerCase())), {
      error: 'names the same market twice',
      abort: true,
    })
    .refine((list) => areDistinct(list.map((each) => addressesOf(each, shape))), 'has the same contracts twice, under two names')
    .optional();
}

/** Where pools are made, one contract each: its field, and what else is told of it. */
function makersOfPools<K extends string, T extends z.ZodRawShape>(field: K, what: string, shape: T) {
  const venue = z.strictObject({ [field]: address, ...shape } as Record<K, typeof address> & T);
  return z
    .array(venue)
    .refine((list) => areDistinct(list.map((each) => (each as Record<string, unknown>)[field] as string)), `names the same ${what} twice`)
    .optional();
}

function areDistinct(texts: readonly string[]): boolean {
  return new Set(texts).size === texts.length;
}

/** Of the fields that every entry has. */
function addressesOf(market: object, shape: z.ZodRawShape): string {
  return Object.entries(shape)
    .filter(([, type]) => !(type instanceof z.ZodOptional))
    .map(([key]) => (market as Record<string, unknown>)[key])
    .join();
}

/** An object whose keys are addresses; they come out in lower case too. */
function byAddress<T extends z.ZodType>(what: string, once: 'token' | 'feed', value: T) {
  return z.record(z.string(), value).transform((entries, context) => {
    const parsed = Object.entries(entries).map(([key, each]): [Address, z.output<T>] => {
      const read = address.safeParse(key);
      if (!read.success) context.addIssue({ code: 'custom', message: `the ${what} ${read.error.issues[0]?.message}`, path: [key] });
      return [read.data ?? '0x', each];
    });
    if (!areDistinct(parsed.map(([key]) => key))) context.addIssue({ code: 'custom', message: `names the same ${once} twice` });
    return Object.fromEntries(parsed) as Readonly<Record<Address, z.output<T>>>;
  });
}

/** The file's format: a contract with operators. Addresses come out in lower case. */
const format = z.strictObject({
  chainId: z.int().min(1).optional(),
  name: name.optional(),
  wrappedNative: address.optional(),
  multicall3: address.optional(),
  'aave-v3': markets({ poolAddressesProvider: address }),
  'morpho-blue': markets({ morpho: address, preLiquidationFactory: address.optional() }),
  'compound-v2': markets({ comptroller: address }),
  'compound-v3': markets({ comet: address }),
  'perp-v2': markets({
    clearingHouse: address,
    vault: address,
    accountBalance: address,
    clearingHouseConfig: address,
    marketRegistry: address,
  }),
  'synthetix-v3-perps': markets({ perpsMarket: address }),
  'uniswap-v4': makersOfPools('poolManager', 'manager', { fromBlock: block }),
  'uniswap-v3': makersOfPools('factory', 'factory', { fromBlock: block }),
  'uniswap-v2': makersOfPools('factory', 'factory', { fromBlock: block.optional() }),
  bridgeTokens: z.array(address).optional(),
  usdFeeds: byAddress('token of each feed', 'token', address).optional(),
  feedHeartbeats: byAddress('feed of each heartbeat', 'feed', z.int().min(1).max(1_000_000_000)).optional(),
  sequencerUptimeFeed: address.optional(),
});

export type DeploymentsFile = z.output<typeof format>;

export type DeploymentsResult =
  | { readonly ok: true; readonly deployments: DeploymentsFile }
  | { readonly ok: false; readonly problems: readonly string[] };

const LARGEST_BYTES = 4_000_000;
const MOST_PROBLEMS = 20;
const LONGEST_SHOWN = 48;

/** Reads and checks the file. Every problem names the place in it, and none repeats a value: the wrong file may have been named. */
export function readDeploymentsFile(file: string): DeploymentsResult {
  const read = readText(file, LARGEST_BYTES);
  if (!read.ok) return refused([read.absent ? `${read.reason}: relative paths start at the working directory` : read.reason]);
  let json: unknown;
  try {
    json = JSON.parse(read.text);
  } catch (error) {
    return refused([`is not JSON${placeOf(error, read.text)}`]);
  }
  const repeated = repeatedKeys(read.text).map((place) => `${shown(place)}: is there twice, or is no key at all: keep one`);
  const parsed = format.safeParse(json, { error: wordsOf });
  if (parsed.success && repeated.length === 0) return { ok: true, deployments: parsed.data };
  const issues = (parsed.error?.issues ?? []).map(
    (issue) => `${issue.path.length === 0 ? '' : `${shown(issue.path.join('.'))}: `}${issue.message}`,
  );
  return refused([...repeated, ...issues]);
}

function refused(problems: readonly string[]): DeploymentsResult {
  const more = problems.length - MOST_PROBLEMS;
  return { ok: false, problems: more <= 0 ? problems : [...problems.slice(0, MOST_PROBLEMS), `and ${more} more problems`] };
}

/** Zod's words speak to programmers; where it has none of ours, they stand. */
const wordsOf: z.core.$ZodErrorMap = (issue) => {
  if (issue.code === 'invalid_type')
    return issue.input === undefined ? 'is missing: add it' : `must be ${KINDS[issue.expected] ?? issue.expected}`;
  if (issue.code === 'unrecognized_keys')
    return `unknown key ${issue.keys
      .slice(0, 5)
      .map((key) => `"${shown(key)}"`)
      .join(', ')}: mend its spelling or take it out`;
  if (issue.code === 'too_small') return `must be at least ${issue.minimum}`;
  if (issue.code === 'too_big') return `must be at most ${issue.maximum}`;
  return undefined;
};

const KINDS: Readonly<Record<string, string>> = {
  object: 'an object: { … }',
  record: 'an object: { … }',
  array: 'a list: [ … ]',
  string: 'a text in quotes',
  number: 'a number',
  int: 'a whole number',
};

/** A key of the file, fit for a message: short, in one line, and no private key that was pasted there. */
function shown(key: string): string {
  const clean = key.replace(/[0-9a-fA-F]{64}/g, '***').replace(/\p{C}/gu, '?');
  return clean.length > LONGEST_SHOWN ? `${clean.slice(0, LONGEST_SHOWN)}…` : clean;
}

/** NOTE: not the parser's own words, which quote the file. */
function placeOf(error: unknown, text: string): string {
  const [, position] = /at position (\d+)/.exec(error instanceof Error ? error.message : '') ?? [];
  if (text.trim() === '') return ': it is empty';
  if (position === undefined) return ': check that it is whole';
  const before = text.slice(0, Number(position)).split('\n');
  return `: mend line ${before.length}, column ${(before.at(-1) ?? '').length + 1}`;
}
