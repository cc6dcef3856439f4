/**
 * Gas of v3 pools, for judging profit; what is sent is simulated. Measured on the pools of `@uniswap/v3-core` 1.0.1 under Prague rules, as
 * the difference that a step makes to `Executor.execute` (calldata included), with plain OpenZeppelin tokens; test/liquidity/router.test.ts
 * measures again. Tokens behind proxies or with hooks cost more.
 */

/** A swap within one tick: 98,000 where the Executor holds some of the output token already, 121,400 where it holds none. Two hops
 * in one transaction share warm storage and clear the bridge token's balance: 150,000 to 210,000 together. */
export const SWAP_GAS = 123_000n;
/** An initialised tick crossed: 24,400, but 58,000 the first time ever, when its counters leave 0. */
export const CROSSED_TICK_GAS = 25_000n;
/** The end of a bitmap word passed: 7,300. */
export const PAUSE_GAS = 7_500n;
/** A loan of one token and its repayment: 70,000. */
export const FLASH_GAS = 72_000n;
