import { privateKeyToAddress } from 'viem/accounts';
import type { Purpose } from './config.ts';
import type { DeploymentsFile } from './deploymentsFile.ts';
import type { Environment } from './variables.ts';

/** Says what is missing for this purpose and what contradicts itself; each line names its variable and what to do. */
export function problemsOf(environment: Environment, deployments: DeploymentsFile | undefined, purpose: Purpose): readonly string[] {
  return [
    ...missing(environment, purpose),
    ...contradictions(environment, deployments),
    ...(purpose === 'run' ? unfitToRun(environment) : []),
  ];
}

export function warningsOf(environment: Environment, purpose: Purpose): readonly string[] {
  if (purpose !== 'run') return [];
  const warnings = [];
  if (environment.LANE_TOPUP > 0n && (environment.LANE_PRIVATE_KEYS ?? []).length === 0)
    warnings.push('LANE_TOPUP: there are no further lanes to give to; only profit of the keeper’s own account can be unwrapped');
  if (environment.PUBLIC_MEMPOOL === 'only' && hasRelays(environment)) warnings.push('RELAY_URLS: unused while PUBLIC_MEMPOOL is only');
  return warnings;
}

export function hasRelays(environment: Environment): boolean {
  return (environment.RELAY_URLS ?? []).length > 0;
}

/** True for names and addresses that only this machine reaches. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}

const hasKey = (environment: Environment) => environment.KEEPER_PRIVATE_KEY !== undefined || environment.KEEPER_KEYSTORE !== undefined;
const SET_A_KEY = 'set it, or KEEPER_KEYSTORE and KEEPER_KEYSTORE_PASSWORD_FILE';

function missing(environment: Environment, purpose: Purpose): readonly string[] {
  const problems = [];
  if (purpose !== 'store' && (environment.RPC_URLS ?? []).length === 0) problems.push('RPC_URLS: required: name at least one endpoint');
  if (purpose === 'deploy' && !hasKey(environment)) problems.push(`KEEPER_PRIVATE_KEY: required to deploy: ${SET_A_KEY}`);
  if (purpose === 'run' && environment.MODE === 'live') {
    if (!hasKey(environment)) problems.push(`KEEPER_PRIVATE_KEY: required in MODE=live: ${SET_A_KEY}`);
    if (environment.EXECUTOR_ADDRESS === undefined) problems.push('EXECUTOR_ADDRESS: required in MODE=live: `bailiff deploy` prints it');
  }
  return problems;
}

function contradictions(environment: Environment, deployments: DeploymentsFile | undefined): readonly string[] {
  const problems = [];
  const {
    KEEPER_PRIVATE_KEY: key,
    KEEPER_KEYSTORE: keystore,
    KEEPER_KEYSTORE_PASSWORD_FILE: password,
    LANE_PRIVATE_KEYS: lanes = [],
  } = environment;
  if (key !== undefined && keystore !== undefined) problems.push('KEEPER_KEYSTORE: KEEPER_PRIVATE_KEY is set too: keep one of them');
  if (keystore !== undefined && password === undefined) problems.push('KEEPER_KEYSTORE_PASSWORD_FILE: required with KEEPER_KEYSTORE');
  if (keystore === undefined && password !== undefined) problems.push('KEEPER_KEYSTORE: required with KEEPER_KEYSTORE_PASSWORD_FILE');
  if (key !== undefined && lanes.some((lane) => privateKeyToAddress(lane.reveal()) === privateKeyToAddress(key.reveal())))
    problems.push('LANE_PRIVATE_KEYS: holds the key of KEEPER_PRIVATE_KEY: leave it out there');
  const denied = environment.DENY_TOKENS ?? new Set();
  for (const token of environment.ALLOW_TOKENS ?? [])
    if (denied.has(token)) problems.push(`DENY_TOKENS: ${token} is in ALLOW_TOKENS too: take it out of one`);
  const { INVENTORY_EXECUTOR_ADDRESS: inventory } = environment;
  if (inventory !== undefined && [environment.EXECUTOR_ADDRESS, environment.PERP_EXECUTOR_ADDRESS].includes(inventory))
    problems.push('INVENTORY_EXECUTOR_ADDRESS: has other work already: deploy one of its own, or unset it');
  if (environment.ALLOW_TOKENS?.size === 0) problems.push('ALLOW_TOKENS: allows no token at all: name some, or unset it');
  if (environment.PROTOCOLS?.length === 0) problems.push('PROTOCOLS: names none: name some, or unset it');
  if (environment.CHAIN_ID !== undefined && deployments?.chainId !== undefined && deployments.chainId !== environment.CHAIN_ID)
    problems.push(`DEPLOYMENTS_FILE: is of chain ${deployments.chainId}, CHAIN_ID says ${environment.CHAIN_ID}`);
  return problems;
}

function unfitToRun(environment: Environment): readonly string[] {
  const problems = [];
  const live = environment.MODE === 'live';
  if (live && environment.PUBLIC_MEMPOOL === 'never' && !hasRelays(environment))
    problems.push('RELAY_URLS: required while PUBLIC_MEMPOOL is never: nothing could be sent');
  if (live && environment.PUBLIC_MEMPOOL === 'fallback' && !hasRelays(environment))
    problems.push('RELAY_URLS: required while PUBLIC_MEMPOOL is fallback; without relays use PUBLIC_MEMPOOL=only');
  if (!isLoopback(environment.HTTP_HOST) && environment.HTTP_TOKEN === undefined)
    problems.push('HTTP_TOKEN: required when HTTP_HOST is not loopback: set one, or HTTP_HOST=127.0.0.1');
  return problems;
}
