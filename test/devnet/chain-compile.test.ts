import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compileUnit } from '../../scripts/devnet/compile.ts';
import { withFileLock } from '../../scripts/devnet/file-lock.ts';
import { link } from '../../scripts/devnet/link.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FOLDER = '.cache/compile-test';
const LIBRARY = '0x00000000000000000000000000000000000000ab';
const source = (name: string, text: string) =>
  writeFileSync(join(ROOT, FOLDER, name), `// SPDX-License-Identifier: MIT\npragma solidity ^0.8.0;\n${text}`);
const compile = (name: string, ...entries: string[]) =>
  compileUnit({
    name,
    solc: 'solc-0.8.27',
    entries: entries.map((entry) => `${FOLDER}/${entry}`),
    remappings: { 'here/': `${FOLDER}/` },
    settings: { optimizer: { enabled: true, runs: 200 } },
  });

beforeEach(() => mkdirSync(join(ROOT, FOLDER), { recursive: true }));
afterEach(() => rmSync(join(ROOT, FOLDER), { recursive: true }));

describe('compileUnit', () => {
  it('follows relative and remapped imports, and returns the entries’ contracts alone', async () => {
    source('Base.sol', 'contract Base { uint256 public kept; }');
    source('Lib.sol', 'library Lib { function twice(uint256 x) external pure returns (uint256) { return 2 * x; } }');
    source(
      'Top.sol',
      "import './Base.sol';\nimport {Lib} from 'here/Lib.sol';\ncontract Top is Base { function f(uint256 x) external pure returns (uint256) { return Lib.twice(x); } }",
    );
    const unit = await compile('imports', 'Top.sol');
    expect(Object.keys(unit)).toEqual(['Top']);
    expect(unit['Top']!.linkReferences).toHaveProperty([`${FOLDER}/Lib.sol`, 'Lib']);
    expect(() => link(unit['Top']!, {})).toThrow('library Lib is not deployed');
    expect(link(unit['Top']!, { Lib: LIBRARY })).toMatch(/^0x[0-9a-f]*00ab[0-9a-f]*$/);
  }, 60_000);

  it('compiles again when an imported source changes', async () => {
    source('Base.sol', 'contract Base { uint256 public kept; }');
    source('Top.sol', "import './Base.sol';\ncontract Top is Base {}");
    const before = await compile('change', 'Top.sol');
    source('Base.sol', 'contract Base { uint256 public lost; }');
    const after = await compile('change', 'Top.sol');
    expect(before['Top']!.abi).toMatchObject([{ name: 'kept' }]);
    expect(after['Top']!.abi).toMatchObject([{ name: 'lost' }]);
  }, 60_000);

  it('throws the compiler’s own words, or the name of a source that is missing', async () => {
    source('Bad.sol', 'contract Bad { uint256 x = "no"; }');
    await expect(compile('bad', 'Bad.sol')).rejects.toThrow(/bad does not compile:[\s\S]*TypeError/);
    source('Lost.sol', "import './Gone.sol';");
    await expect(compile('lost', 'Lost.sol')).rejects.toThrow(`lost: no source ${FOLDER}/Gone.sol`);
  }, 60_000);
});

describe('withFileLock', () => {
  const file = join(ROOT, FOLDER, 'some.lock');

  it('admits one at a time, and leaves no file', async () => {
    let inside = 0;
    const most: number[] = [];
    const work = async () => {
      most.push(++inside);
      await new Promise(setImmediate);
      inside -= 1;
    };
    await Promise.all([withFileLock(file, 5_000, work), withFileLock(file, 5_000, work), withFileLock(file, 5_000, work)]);
    expect(most).toEqual([1, 1, 1]);
    expect(existsSync(file)).toBe(false);
  });

  it('takes over from a process that is gone, waits in vain for one that is not', async () => {
    const { pid } = spawnSync('true');
    writeFileSync(file, String(pid));
    expect(await withFileLock(file, 5_000, async () => 'mine')).toBe('mine');
    writeFileSync(file, String(process.pid));
    await expect(withFileLock(file, 50, async () => 'mine')).rejects.toThrow(/held by another process/);
  });
});
