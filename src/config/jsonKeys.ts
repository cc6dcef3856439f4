/**
 * The keys that JSON names twice in one object, and keys that no object may have, each with its place: JSON.parse keeps the last and tells nobody. Assumes
 * valid JSON.
 */
export function repeatedKeys(json: string): readonly string[] {
  const found: string[] = [];
  /** One for each open object or list: the keys seen (undefined in a list), and where it is. */
  const open: { readonly seen: Set<string> | undefined; at: string | number }[] = [];
  let text: string | undefined;
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]:,]/gs)) {
    const inner = open.at(-1);
    if (token === '{' || token === '[') open.push({ seen: token === '{' ? new Set() : undefined, at: 0 });
    else if (token === '}' || token === ']') open.pop();
    else if (token === ',' && inner !== undefined && typeof inner.at === 'number') inner.at++;
    else if (token === ':' && inner?.seen !== undefined && text !== undefined) {
      inner.at = text;
      if (inner.seen.has(text) || text === '__proto__') found.push(open.map(({ at }) => at).join('.'));
      inner.seen.add(text);
    } else if (token.startsWith('"')) text = JSON.parse(token) as string;
  }
  return found;
}
