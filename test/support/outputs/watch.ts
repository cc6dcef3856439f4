/**
 * Everything that the keepers of a test file write is searched for every secret that they were given: lines on stdout and stderr, log lines of keepers in this
 * process, answers of the API, and the files that are left in DATA_DIR.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Environment, findSecret, secretsOf } from './secrets.ts';

export type Totals = { outputs: number; bytes: number; secrets: number };

/** Searched, and let go of, beyond this. */
const MOST_KEPT = 4_000_000;
/** No secret is longer, so that none is lost between two searches. */
const OVERLAP = 1_000;
/** Whoever closes a descriptor of a file of SQLite's gives up what its process has locked of it. */
const SQLITE = /\.sqlite(-wal)?$/;
/** Locks and an index, of a ledger too: there is nothing to find in them. */
const NOT_LOOKED_AT = /^lock\.sqlite|\.sqlite-shm$/;
const MOST_READ = 256_000_000;

export class OutputWatch {
  readonly leaks: string[] = [];
  readonly #secrets = new Map<string, string>();
  readonly #kept = new Map<string, string>();
  readonly #totals = { outputs: 0, bytes: 0 };

  /** A keeper runs with this environment. */
  uses(env: Environment, folder: string): void {
    for (const [form, name] of secretsOf(env, folder)) this.#secrets.set(form, name);
  }

  /** `source` wrote this, after what it wrote before. */
  wrote(source: string, text: string): void {
    if (!this.#kept.has(source)) this.#totals.outputs++;
    this.#totals.bytes += text.length;
    const kept = (this.#kept.get(source) ?? '') + text;
    this.#kept.set(source, kept.length > MOST_KEPT ? this.#search(source, kept).slice(-OVERLAP) : kept);
  }

  /** What is in the folder now, at any depth of two. */
  left(folder: string): void {
    for (const file of filesIn(folder)) {
      // NOTE: without its lock a reader in this process loses the log's index to the next keeper, and dies of SIGBUS at its next look.
      const bytes = SQLITE.test(file) ? execFileSync('cat', [file], { maxBuffer: MOST_READ }) : readFileSync(file);
      this.#totals.outputs++;
      this.#totals.bytes += bytes.length;
      this.#search(file, bytes);
    }
  }

  /** Searches the rest. */
  finish(): Totals {
    for (const [source, kept] of this.#kept) this.#search(source, kept);
    this.#kept.clear();
    return { ...this.#totals, secrets: new Set(this.#secrets.values()).size };
  }

  #search<T extends string | Buffer>(source: string, output: T): T {
    const found = findSecret(output, this.#secrets);
    if (found !== undefined) this.leaks.push(`${source} holds ${found.variable}, after: ${found.around}`);
    return output;
  }
}

function filesIn(folder: string, depth = 0): readonly string[] {
  let names: readonly string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  return names
    .filter((name) => !NOT_LOOKED_AT.test(name))
    .flatMap((name) => {
      const stats = statSync(join(folder, name), { throwIfNoEntry: false });
      if (stats?.isFile()) return [join(folder, name)];
      return stats?.isDirectory() && depth < 2 ? filesIn(join(folder, name), depth + 1) : [];
    });
}
