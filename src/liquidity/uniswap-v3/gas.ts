/** Gas of v3 pools, run by the Executor. */

export const SWAP_GAS = 120_000n;
export const CROSSED_TICK_GAS = 25_000n;
export const PAUSE_GAS = 3_000n;
export const FLASH_GAS = 70_000n;
