import { ByteReader, ByteWriter } from '../../lib/bytes.ts';
import type { Address } from '../../lib/types.ts';
import type { Listing, PoolKey } from './key.ts';

const KIND = { tokens: 0, keys: 1 } as const;
const KEYS_A_PIECE = 500;

export function* keepListings(tokens: Iterable<Address>, listings: Iterable<Listing>): Iterable<Uint8Array> {
  const writer = new ByteWriter();
  writer.byte(KIND.tokens);
  for (const token of tokens) writer.address(token);
  yield writer.take();
  writer.byte(KIND.keys);
  let count = 0;
  for (const { key } of listings) {
    writer.address(key.currency0);
    writer.address(key.currency1);
    writer.number(key.feePips);
    writer.number(key.spacing);
    if (++count % KEYS_A_PIECE !== 0) continue;
    yield writer.take();
    writer.byte(KIND.keys);
  }
  yield writer.take();
}

export function listingsIn(pieces: Iterable<Uint8Array>): { readonly tokens: ReadonlySet<Address>; readonly keys: readonly PoolKey[] } {
  const tokens = new Set<Address>();
  const keys: PoolKey[] = [];
  for (const piece of pieces) {
    const reader = new ByteReader(piece);
    const kind = reader.byte();
    if (kind === KIND.tokens) while (!reader.done) tokens.add(reader.address());
    else if (kind === KIND.keys)
      while (!reader.done)
        keys.push({ currency0: reader.address(), currency1: reader.address(), feePips: reader.number(), spacing: reader.number() });
    else throw new RangeError(`nothing is of kind ${kind}`);
  }
  return { tokens, keys };
}
