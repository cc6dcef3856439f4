import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compileUnit } from '../../scripts/devnet/compile.ts';
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
