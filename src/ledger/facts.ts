/** Keys of the facts that more than one part of the program knows. */

/** Number of the last block processed, decimal. */
export const HEAD_BLOCK = 'head.block';
/** Number of the first block that `run` ever processed on this ledger, decimal. */
export const FIRST_BLOCK = 'first.block';
/** The private key that signs requests to relays, when the operator gave none. */
export const RELAY_AUTH_KEY = 'relay-auth-key';
