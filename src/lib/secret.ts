import { inspect } from 'node:util';

const HIDDEN = '***';
/** Shorter texts would blot out innocent ones; a key is never that short. */
const SHORTEST = 8;
/** Path segments: `/ethereum` is no key. */
const SHORTEST_SEGMENT = 16;

/** Texts that must never be written anywhere, with what stands in their place. */
const known = new Map<string, string>();
/** The same, longest first: a secret may be a part of another. Made anew when one was added. */
let longestFirst: readonly (readonly [string, string])[] | undefined;

/** A value that prints `***` wherever it ends up by accident: in a log, a message, a JSON document. */
export class Secret<T extends string = string> {
  readonly #value: T;

  /** @param shown what stands in the value's place where it turns up inside other text */
  constructor(value: T, shown = HIDDEN) {
    this.#value = value;
    remember(value, shown);
  }

  reveal(): T {
    return this.#value;
  }

  toString(): string {
    return HIDDEN;
  }

  toJSON(): string {
    return HIDDEN;
  }

  [inspect.custom](): string {
    return HIDDEN;
  }
}

/** A URL that may carry a key; its host is fit to be shown. */
export class SecretUrl extends Secret {
  readonly host: string;
  readonly protocol: string;

  /** Throws when the text is not a URL; the message does not repeat it. */
  constructor(text: string) {
    if (!URL.canParse(text)) throw new TypeError('not a URL');
    const url = new URL(text);
    const shown = `${url.protocol}//${url.host}/${HIDDEN}`;
    super(text, shown);
    this.host = url.host;
    this.protocol = url.protocol;
    // NOTE: libraries print a URL with credentials, slash or query changed, so each part that may be a key is remembered too.
    remember(url.href, shown);
    remember(url.href.replace(/\/$/, ''), shown);
    for (const part of [url.username, url.password, ...url.searchParams.values(), ...url.search.split(/[?&=]/)]) remember(part, HIDDEN);
    for (const segment of url.pathname.split('/')) if (segment.length >= SHORTEST_SEGMENT) remember(segment, HIDDEN);
  }
}

/** The text with every secret made so far taken out. The last line of defence: third parties' errors repeat URLs. */
export function scrub(text: string): string {
  let clean = text;
  longestFirst ??= [...known].sort(([a], [b]) => b.length - a.length);
  for (const [secret, shown] of longestFirst) if (clean.includes(secret)) clean = clean.replaceAll(secret, shown);
  return clean;
}

/** A text that `scrub` takes out from now on, though it became no `Secret`: a value that was refused, say. Texts of fewer than 8 characters stay. */
export function hide(text: string): void {
  remember(text, HIDDEN);
}

function remember(value: string, shown: string): void {
  if (value.length < SHORTEST) return;
  const forms = new Set([value, JSON.stringify(value).slice(1, -1)]);
  const [, digits] = /^(?:0x)?([0-9a-fA-F]{64})$/.exec(value) ?? [];
  if (digits !== undefined) for (const form of [digits, digits.toLowerCase(), digits.toUpperCase()]) forms.add(form);
  for (const form of forms) {
    if (known.has(form)) continue;
    known.set(form, shown);
    longestFirst = undefined;
  }
}
