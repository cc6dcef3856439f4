import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { explainError } from '../lib/errors.ts';
import type { Address } from '../lib/types.ts';
import { address } from './parse.ts';

const block = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const named = { name: z.string().min(1).max(64), fromBlock: block };

/** Names appear in logs, limits and the ledger: one meaning each. */
function markets<T extends z.ZodRawShape>(shape: T) {
  const market = z.strictObject({ ...named, ...shape });
  return z
    .array(market)
    .refine((list) => new Set(list.map((each) => (each as { name: string }).name)).size === list.length, 'names the same market twice')
    .optional();
}

/** The file's format: a contract with operators. Addresses come out in lower case. */
const format = z.strictObject({
  chainId: z.int().min(1).optional(),
  name: z.string().min(1).max(64).optional(),
  wrappedNative: address.optional(),
  multicall3: address.optional(),
  'aave-v3': markets({ poolAddressesProvider: address }),
  'morpho-blue': markets({ morpho: address }),
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
  'uniswap-v3': z.array(z.strictObject({ factory: address, fromBlock: block })).optional(),
  'uniswap-v2': z.array(z.strictObject({ factory: address, fromBlock: block.optional() })).optional(),
  bridgeTokens: z.array(address).optional(),
  usdFeeds: z
    .record(z.string(), address)
    .transform((feeds, context) => {
      const parsed = Object.entries(feeds).map(([token, feed]): [Address, Address] => {
        const read = address.safeParse(token);
        if (!read.success)
          context.addIssue({ code: 'custom', message: `the token of each feed ${read.error.issues[0]?.message}`, path: [token] });
        return [read.data ?? '0x', feed];
      });
      return Object.fromEntries(parsed) as Readonly<Record<Address, Address>>;
    })
    .optional(),
});

export type DeploymentsFile = z.output<typeof format>;

export type DeploymentsResult =
  | { readonly ok: true; readonly deployments: DeploymentsFile }
  | { readonly ok: false; readonly problems: readonly string[] };

const LARGEST_BYTES = 4_000_000;

/** Reads and checks the file. Every problem names the place in it. */
export function readDeploymentsFile(file: string): DeploymentsResult {
  let json: unknown;
  try {
    const text = readFileSync(file, 'utf8');
    if (text.length > LARGEST_BYTES) return { ok: false, problems: [`${file} is too large to be an address book`] };
    json = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof SyntaxError ? `is not JSON (${error.message})` : `cannot be read (${explainError(error)})`;
    return { ok: false, problems: [`${file} ${reason}`] };
  }
  const parsed = format.safeParse(json);
  if (parsed.success) return { ok: true, deployments: parsed.data };
  return {
    ok: false,
    problems: parsed.error.issues.map((issue) => `${file}: ${issue.path.length === 0 ? '' : `${issue.path.join('.')}: `}${issue.message}`),
  };
}
