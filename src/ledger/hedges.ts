/** A hedge as the ledger keeps it: JSON, whose bigints are decimal text. */
import type { Hedge } from '../guard/hedge-types.ts';

type Written = Omit<Hedge, 'sizeRaw' | 'valueUsd8' | 'keepWad' | 'ordered'> & {
  readonly sizeRaw: string;
  readonly valueUsd8: string;
  readonly keepWad: string | null;
  readonly ordered: { readonly block: number; readonly sizeRaw: string } | null;
};

export function hedgeText({ sizeRaw, valueUsd8, keepWad, ordered, ...rest }: Hedge): string {
  const written: Written = {
    ...rest,
    sizeRaw: String(sizeRaw),
    valueUsd8: String(valueUsd8),
    keepWad: keepWad === undefined ? null : String(keepWad),
    ordered: ordered === undefined ? null : { block: ordered.block, sizeRaw: String(ordered.sizeRaw) },
  };
  return JSON.stringify(written);
}

export function hedgeOf(text: string): Hedge {
  const { sizeRaw, valueUsd8, keepWad, ordered, ...rest } = JSON.parse(text) as Written;
  return {
    ...rest,
    sizeRaw: BigInt(sizeRaw),
    valueUsd8: BigInt(valueUsd8),
    keepWad: keepWad === null ? undefined : BigInt(keepWad),
    ordered: ordered === null ? undefined : { block: ordered.block, sizeRaw: BigInt(ordered.sizeRaw) },
  };
}
