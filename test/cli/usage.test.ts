import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { envShape } from '../../src/cli/shapes.ts';
import { environmentMarkdown } from '../../src/config/table.ts';
import { aboutVariables } from '../../src/config/variables.ts';
import { bailiff, documentOf } from './cli.ts';

const COMMANDS = ['run', 'scan', 'explain', 'report', 'doctor', 'deploy', 'pause', 'resume', 'kill', 'env'];

describe('usage', () => {
  test('help lists every command, and each has --json', async () => {
    const help = await bailiff(['--help']);
    expect(help.code).toBe(0);
    for (const command of COMMANDS) expect(help.stdout).toMatch(new RegExp(`^ {2}${command} `, 'm'));
    const each = await Promise.all(COMMANDS.map((command) => bailiff([command, '--help'])));
    for (const { code, stdout } of each) {
      expect(code).toBe(0);
      expect(stdout).toContain('--json');
    }
  });

  test.each([
    [[], 'name a command'],
    [['liquidate'], "unknown command 'liquidate'"],
    [['run', '--accounts', 'nowhere.txt'], '--accounts: nowhere.txt does not exist'],
    [['scan', '--fast'], "unknown option '--fast'"],
    [['scan', '--limit', '0'], 'a whole number from 1'],
    [['explain'], "missing required argument 'account'"],
    [['explain', '0x1234'], 'must be an address'],
    [['report', '--since', 'yesterday'], 'neither a block number'],
    [['deploy', '--owner', 'me'], 'must be an address'],
    [['pause', 'now'], 'too many arguments'],
    [['pause', '--after-kill'], "unknown option '--after-kill'"],
  ])('%j is one line on stderr, nothing on stdout, exit 2', async (args, message) => {
    const { code, stdout, stderr } = await bailiff(args);
    expect(stderr).toMatch(/^error: [^\n]+\n$/);
    expect(stderr).toContain(message);
    expect([code, stdout]).toEqual([2, '']);
  });

  test.each(['run', 'scan', 'doctor', 'deploy', 'report', 'pause'])(
    '%s with a bad environment exits 2, every problem in one line',
    async (command) => {
      const { code, stdout, stderr } = await bailiff([command], {
        MIN_PROFIT_USD: 'much',
        HTTP_PORT: 'high',
        DATABASE_URL: 'postgres://x:secret-password@y/z',
      });
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(/^error: [^\n]+\n$/);
      for (const name of ['MIN_PROFIT_USD', 'HTTP_PORT', 'DATABASE_URL']) expect(stderr).toContain(`${name}: `);
      expect(stderr).not.toContain('secret-password');
    },
  );
});

describe('env', () => {
  test('the document has each variable of the schema, in the shape that scripts know', async () => {
    const document = envShape.parse(documentOf(await bailiff(['env', '--json'])));
    expect(document.map(({ name }) => name)).toEqual(aboutVariables().map(({ name }) => name));
    expect(document.find(({ name }) => name === 'RPC_URLS')).toMatchObject({ required: true, secret: true });
    expect(document.find(({ name }) => name === 'MIN_PROFIT_USD')).toMatchObject({ default: '5', required: false, secret: false });
  });

  test('the table for people names each variable once', async () => {
    const { stdout } = await bailiff(['env']);
    for (const { name } of aboutVariables()) expect(stdout.match(new RegExp(`^${name} `, 'gm')), name).toHaveLength(1);
  });

  test('the README has the table that the schema makes (`bailiff env --markdown`)', () => {
    const readme = readFileSync(fileURLToPath(new URL('../../README.md', import.meta.url)), 'utf8');
    const [, table] = /<!-- env -->\n([\s\S]*?)\n<!-- \/env -->/.exec(readme) ?? [];
    expect(table?.trim()).toBe(environmentMarkdown());
  });
});
