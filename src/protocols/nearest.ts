/**
 * Those of least health, the least first, at most `most`. One pass, and nothing is kept of the others: it is asked for in every block.
 *
 * @param healthOf undefined for what does not count, or was never judged
 * @param counts asked of those alone that would be among them
 */
export function nearest<T>(
  all: Iterable<T>,
  healthOf: (one: T) => number | undefined,
  most: number,
  counts: (one: T) => boolean = () => true,
): readonly T[] {
  const kept: { readonly one: T; readonly health: number }[] = [];
  for (const one of all) {
    const health = healthOf(one);
    if (health === undefined || (kept.length === most && health >= kept[most - 1]!.health) || !counts(one)) continue;
    let at = kept.length;
    while (at > 0 && kept[at - 1]!.health > health) at--;
    kept.splice(at, 0, { one, health });
    kept.length = Math.min(kept.length, most);
  }
  return kept.map(({ one }) => one);
}
