/** Ways in which a value goes wrong: by a finger, by an editor, by a copy of the wrong thing, on purpose. Seeded: the same everywhere. */
import type { Prng } from '../../scripts/devnet/prng.ts';

const ODD_CHARACTERS = [
  '\0',
  '\n',
  '\r\n',
  '\t',
  '\u001b[31m',
  '"',
  "'",
  '\\',
  ',',
  '=',
  '#',
  '$',
  '{',
  '%',
  '%zz',
  '\u00a0',
  '\u202e',
  '٣',
  '０',
  '😀',
  '\ud800',
  '\ufeff',
];
const BOUNDS = [
  '0',
  '-0',
  '-1',
  '1',
  '1e3',
  '0x10',
  '1.',
  '.1',
  '00',
  '1_000',
  'NaN',
  'Infinity',
  '65535',
  '65536',
  '4294967296',
  '9007199254740991',
  '9007199254740993',
  '1e400',
  '9'.repeat(30),
  '9'.repeat(31),
  '0.123456789012345678901',
];
const STRANGE = [
  '__proto__',
  'constructor',
  'toString',
  'null',
  'true',
  '`id`',
  '$(id)',
  '../../../etc/passwd',
  '/dev/zero',
  '/',
  '.',
  '-',
  '*',
  'http://',
  'http://[',
  'ws://a:b:c',
  'file:///etc/passwd',
  'data:,x',
  'javascript:1',
];

type Mutation = (text: string, random: Prng) => string;

const at = (text: string, random: Prng) => Math.floor(random.next() * (text.length + 1));
const splice = (text: string, index: number, remove: number, put = '') => text.slice(0, index) + put + text.slice(index + remove);

const MUTATIONS: readonly Mutation[] = [
  (text, random) => splice(text, at(text, random), 1),
  (text, random) => splice(text, at(text, random), 1, String.fromCharCode(32 + Math.floor(random.next() * 95))),
  (text, random) => splice(text, at(text, random), 0, random.pick(ODD_CHARACTERS)),
  (text, random) => text.slice(0, at(text, random)),
  (text, random) => text.slice(at(text, random)),
  (text, random) => {
    const index = at(text, random);
    return splice(text, index, 2, (text[index + 1] ?? '') + (text[index] ?? ''));
  },
  (text) => text + text,
  (text) => `${text},${text}`,
  (text) => `,${text},,`,
  (text) => text.toUpperCase(),
  (text) => text.toLowerCase(),
  (text) => ` ${text}\t`,
  (text) => `"${text}"`,
  (text) => [...text].reverse().join(''),
  (text) => text.repeat(2_000).slice(0, 50_000),
  () => '',
  () => ' ',
  (_, random) => random.pick(BOUNDS),
  (_, random) => random.pick(STRANGE),
];

export function mutateText(text: string, random: Prng): string {
  return random.pick(MUTATIONS)(text, random);
}

/** A copy with one place of it changed: taken out, put twice, exchanged for something of another kind, or with its text mutated. */
export function mutateJson(json: unknown, random: Prng): unknown {
  if (Array.isArray(json) && json.length > 0 && random.next() < 0.8) {
    const index = Math.floor(random.next() * json.length);
    if (random.next() < 0.15) return [...json, json[index]];
    if (random.next() < 0.15) return json.filter((_, each) => each !== index);
    return json.map((value, each) => (each === index ? mutateJson(value, random) : value));
  }
  if (typeof json === 'object' && json !== null && random.next() < 0.9) {
    const entries = Object.entries(json);
    const [name, value] = random.pick(entries) ?? ['x', 1];
    const others = entries.filter(([each]) => each !== name);
    const choice = random.next();
    if (choice < 0.1) return Object.fromEntries(others);
    if (choice < 0.25) return Object.fromEntries([...others, [mutateText(name, random), value]]);
    return Object.fromEntries([...others, [name, mutateJson(value, random)]]);
  }
  if (typeof json === 'string' && random.next() < 0.7) return mutateText(json, random);
  return random.pick([null, true, 0, -1, 1.5, 2 ** 53, 1e308, '', 'x', '0x', [], {}, [[]], [null], { a: 1 }, `0x${'0'.repeat(40)}`]);
}

/** The text of the document, damaged as files are. */
export function damageJson(json: string, random: Prng): string {
  const twice = /"[^"]+":/.exec(json.slice(at(json, random)))?.[0];
  return random.pick<() => string>([
    () => mutateText(json, random),
    () => `\ufeff${json}`,
    () => json.replace('{', '{"__proto__":{"chainId":1},'),
    () => (twice === undefined ? json : json.replace('{', `{${twice}1,`)),
    () => '['.repeat(100_000),
    () => `${json}${json}`,
    () => json.replaceAll('"', "'"),
    () => json.replace('}', ',}'),
    () => Buffer.from(json, 'utf16le').toString('latin1'),
  ])();
}
