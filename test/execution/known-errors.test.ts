import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type AbiParameter, encodeErrorResult, parseAbiItem, toFunctionSelector } from 'viem';
import { describe, expect, it } from 'vitest';
import { decodeExecutorError } from '../../src/execution/decode-executor.ts';
import { protocolErrors } from '../../src/execution/known-errors.ts';
import type { Hex } from '../../src/lib/types.ts';
import { refusals } from '../../src/protocols/aave-v3/errors.ts';
import { PRE_LIQUIDATION_ERRORS } from '../../src/protocols/morpho-blue/pre-liquidation.ts';
import { REFUSALS } from '../../src/protocols/registry.ts';

const { resolve } = createRequire(import.meta.url);
const aave = join(dirname(resolve('@aave-dao/aave-v3-origin/package.json')), 'src/contracts/protocol/libraries');
const openZeppelin = dirname(resolve('@openzeppelin/contracts/package.json'));
const preLiquidation = fileURLToPath(new URL('../../scripts/devnet/morpho/contracts/PreLiquidationDouble.sol', import.meta.url));

const errorsIn = (file: string) =>
  [...readFileSync(file, 'utf8').matchAll(/^ *error (\w+\([^)]*\));/gm)].map(([, signature]) => signature!);
const selectorOf = (signature: string) => toFunctionSelector(signature);
const textOf = (reason: string): Hex =>
  encodeErrorResult({ abi: [parseAbiItem('error Error(string)')], errorName: 'Error', args: [reason] });

describe('errors of the protocols', () => {
  it('of Aave and of tokens are all in the sources that they are said to be of', () => {
    const sources = [
      join(aave, 'helpers/Errors.sol'),
      join(openZeppelin, 'interfaces/draft-IERC6093.sol'),
      join(openZeppelin, 'token/ERC20/utils/SafeERC20.sol'),
      join(openZeppelin, 'utils/math/SafeCast.sol'),
      preLiquidation,
      resolve('@pythnetwork/pyth-sdk-solidity/PythErrors.sol'),
    ];
    const there = new Set(sources.flatMap(errorsIn).map(selectorOf));
    const others = new Set(REFUSALS.flatMap((one) => (one === refusals ? [] : one.errors)).map(selectorOf));
    const ours = protocolErrors.flatMap((error) => (error.type === 'error' ? [signatureOf(error)] : [])).map(selectorOf);
    expect(ours.filter((selector) => !there.has(selector) && !others.has(selector))).toEqual([]);
    expect([...refusals.errors, ...PRE_LIQUIDATION_ERRORS].filter((signature) => !there.has(selectorOf(signature)))).toEqual([]);
  });

  it('have every one that a liquidation or a flash loan can be refused with', () => {
    const sources = ['LiquidationLogic', 'FlashLoanLogic'].map((name) => readFileSync(join(aave, `logic/${name}.sol`), 'utf8'));
    const validations = readFileSync(join(aave, 'logic/ValidationLogic.sol'), 'utf8');
    for (const name of ['validateLiquidationCall', 'validateFlashloan', 'validateFlashloanSimple']) sources.push(bodyOf(validations, name));
    const raised = sources.flatMap((source) => [...source.matchAll(/Errors\.(\w+)\(/g)].map(([, name]) => name!));
    expect(raised).toContain('HealthFactorNotBelowThreshold');
    const umbrellaOnly = ['CallerNotUmbrella', 'ReserveNotInDeficit', 'UserCannotHaveDebt'];
    for (const name of new Set(raised)) {
      if (!umbrellaOnly.includes(name)) expect(decodeExecutorError(selectorOf(`${name}()`))).toBe(`${name}()`);
    }
  });

  it('come with their arguments', () => {
    const data = encodeErrorResult({
      abi: [parseAbiItem('error ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed)')],
      args: ['0x00000000000000000000000000000000000000a1', 1n, 2n],
    });
    expect(decodeExecutorError(data)).toBe('ERC20InsufficientBalance(0x00000000000000000000000000000000000000A1, 1, 2)');
  });

  it('are told of a number where Aave says one, and of nothing else', () => {
    expect(decodeExecutorError(textOf('45'))).toBe('Error(45: HEALTH_FACTOR_NOT_BELOW_THRESHOLD)');
    expect(decodeExecutorError(textOf('103'))).toBe('Error(103: MUST_NOT_LEAVE_DUST)');
    for (const text of ['STF', '4', '045', 'constructor', '']) expect(decodeExecutorError(textOf(text))).toBe(`Error(${text})`);
  });
});

function signatureOf({ name, inputs }: { name: string; inputs: readonly AbiParameter[] }): string {
  return `${name}(${inputs.map(({ type }) => type).join(',')})`;
}

function bodyOf(source: string, name: string): string {
  const start = source.indexOf(`function ${name}(`);
  return source.slice(start, source.indexOf('\n  function ', start + 1));
}
