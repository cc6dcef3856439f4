/** What the keeper is told to keep to; nothing of ordinary size reaches them. */
export const LIMITS = { MAX_GAS_USD_PER_DAY: '25000', MAX_LOSS_USD_PER_DAY: '50', MAX_POSITION_USD: '200000' } as const;
