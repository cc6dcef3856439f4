// Contracts of protocols whose packages cannot be installed whole: what they depend on is not in the registry, or is
// pinned to a place outside it. Their artifacts and sources need none of it, so the tarballs alone are fetched, checked and unpacked.
// Plain JavaScript, like setup.mjs.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

export const PACKAGES = [
  {
    name: '@venusprotocol/venus-protocol',
    version: '10.3.0',
    integrity: 'sha512-qGvjvUgYhK5REF/Cj4Lg4FNBMrEscnSSxr4sHL4WDlb2woPucvqLfGkw/f3XKFanf+lWD1G4K0Gzpdc430+BeQ==',
  },
  {
    name: '@perp/curie-contract',
    version: '2.8.4',
    integrity: 'sha512-fTHxpzzuHlSyCEvI6T8Ya10Oz3Y4T06YTiCciR/4uvR9rx/9Afmm8nDLJ85ZwXiA0edce9bPUkE/ZcKY4xkJEw==',
  },
  {
    name: '@perp/perp-oracle-contract',
    version: '0.6.7',
    integrity: 'sha512-Pqoy4dlcMoy5oEbWOnaHbS1CQTee0ZbfEc//fS2ze0o1IVCrvhP1S+wS+6ZZtJ6Oz1RGPtGnF/F98Av7SHlVaA==',
  },
  {
    name: '@synthetixio/perps-market',
    version: '3.13.0',
    integrity: 'sha512-d0OvbGj7zHZ9eTdhNGsi8XrzojePwRlhjeRzaU9ZVvtJAKuqnwUNe+KtS0aWc723k7SOTG3aTKBUCnG44yIkWA==',
  },
  {
    name: '@synthetixio/core-contracts',
    version: '3.1.1',
    integrity: 'sha512-6Y9Jp9gL1MRMDh6BNy+TmFEBqfRKENkO7w82WKp7MTEPdoDipdBIm0/Q+mYLp7K92o6mM53rj2UY5xi+B8EVcQ==',
  },
  {
    name: '@synthetixio/core-modules',
    version: '3.1.1',
    integrity: 'sha512-fYudtku306qhON4g7Se7LCzesJi0rzSbh4jpoangaBnp2ksI1gGl86ltydjqYHHhpd8+HuBd71R3tox75aFqzQ==',
  },
  {
    name: '@synthetixio/oracle-manager',
    version: '3.13.0',
    integrity: 'sha512-ed2XdIVl04hByia1IiEVD2ARWBgsoJw4Sx7jlNS0FVvj4SlwXu0DMA/l1VM5otEEl8loxdPH/wKXO3utveuM8g==',
  },
  {
    name: '@synthetixio/spot-market',
    version: '3.13.0',
    integrity: 'sha512-alkACZMUlDRpTrnYAtmLpxx7a0G0u2uUpWHy439Hh3A7NPxINlmlMYUTOt1p2NEUzFhtVFdrNdmN7JPBHg1eeg==',
  },
];

/** Debugging data and what was deployed where: most of a tarball, and of no use to a local chain. */
const LEFT_OUT = ['*.dbg.json', 'package/deployments', 'package/typechain', 'package/artifacts/build-info'];

/** Where a package's files are after `fetchPackages`: `.cache/packages/NAME-VERSION`. */
export function packageFolder(root, { name, version }) {
  return join(root, '.cache', 'packages', `${name.replace(/^@/, '').replace('/', '-')}-${version}`);
}

/**
 * Fetches what is not there yet, each package atomically: a folder that exists is whole.
 * `run(command, args, what)` runs a program and ends the process with one clear line when that fails.
 */
export function fetchPackages(root, run) {
  for (const wanted of PACKAGES) {
    const folder = packageFolder(root, wanted);
    if (existsSync(folder)) continue;
    const what = `fetching ${wanted.name} ${wanted.version}`;
    process.stderr.write(`setup: ${what}, once\n`);
    mkdirSync(join(folder, '..'), { recursive: true });
    const workshop = mkdtempSync(join(folder, '..', 'fetching-'));
    try {
      run('npm', ['pack', '--silent', '--pack-destination', workshop, `${wanted.name}@${wanted.version}`], what);
      const tarball = join(workshop, readdirSync(workshop)[0]);
      const integrity = `sha512-${createHash('sha512').update(readFileSync(tarball)).digest('base64')}`;
      if (integrity !== wanted.integrity) {
        throw new Error(`the registry's ${wanted.name} ${wanted.version} is not the package that was pinned (${integrity})`);
      }
      run('tar', ['-xzf', tarball, '-C', workshop, ...LEFT_OUT.map((pattern) => `--exclude=${pattern}`)], what);
      renameSync(join(workshop, 'package'), folder);
    } finally {
      rmSync(workshop, { recursive: true, force: true });
    }
  }
}
