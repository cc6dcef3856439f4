/**
 * Gas of v4 pools, for judging profit; what is sent is simulated. Measured as that of v3 pools (uniswap-v3/gas.ts) on the PoolManager of `@uniswap/v4-core` 1.0.2;
 * test/liquidity/uniswap-v4/steps.test.ts measures again.
 */

/** A swap within one tick, between tokens: 84,000, and 18,000 more where the Executor holds none of the output token. */
export const SWAP_GAS = 105_000n;
/** What wrapping or unwrapping the native token adds, at most. */
export const NATIVE_GAS = 18_000n;
/** An initialised tick crossed. */
export const CROSSED_TICK_GAS = 25_000n;
/** The end of a bitmap word passed. */
export const PAUSE_GAS = 7_500n;
