// Installs what the scripts need, once per lockfile. Plain JavaScript: it runs on the machine's own Node (>= 20), before Node 24 is there.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fetchPackages } from './packages.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const at = (...parts) => join(root, ...parts);
const manifest = JSON.parse(readFileSync(at('package.json'), 'utf8'));
const wantedNode = manifest.devDependencies.node;
const stamp = at('node_modules', '.bailiff-setup');
const fingerprint = createHash('sha256')
  .update(readFileSync(at('package-lock.json')))
  .digest('hex');

function run(command, args, what, env = process.env) {
  const { status, error } = spawnSync(command, args, { cwd: root, env, stdio: ['ignore', 2, 2] });
  if (error) throw new Error(`${what}: ${command} could not be started (${error.message}); install ${command} and try again`);
  if (status !== 0) throw new Error(`${what}: ${command} ${args[0]} exited ${status}; its own lines above say why`);
}

const npm = (args, env, what) => run('npm', args, what, env);

// NOTE: npm leaves out optional packages whose `engines` do not fit the Node it runs on, Hardhat's native part among them.
// So `npm ci` itself has to run on a new Node, which the registry has as a package.
function environmentOfNewNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 22 || (major === 22 && minor >= 12)) return process.env;
  const bin = at('.node', 'node_modules', 'node', 'bin');
  if (!existsSync(join(bin, 'node'))) {
    process.stderr.write(`setup: fetching Node ${wantedNode}, once\n`);
    mkdirSync(at('.node'), { recursive: true });
    npm(
      ['install', '--prefix', at('.node'), '--no-save', '--no-audit', '--no-fund', '--loglevel=error', `node@${wantedNode}`],
      process.env,
      'fetching Node',
    );
  }
  return { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };
}

try {
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== fingerprint) {
    const env = environmentOfNewNode();
    process.stderr.write('setup: installing dependencies, once (about a minute)\n');
    npm(['ci', '--no-audit', '--no-fund', '--loglevel=error'], env, 'installing dependencies');
    writeFileSync(stamp, fingerprint);
  }
  fetchPackages(root, run);
} catch (error) {
  process.stderr.write(`error: ${error.message}\n`);
  process.exit(1);
}
