/** Reads a control command; `protocol.ts` says what each does. */
import { z } from 'zod';
import type { Command } from './protocol.ts';

const MAX_WAIT_MS = 600_000;

const count = z.number().int().min(0).max(100_000);
const fault = z.strictObject({
  kind: z.enum(['drop', 'delay', 'http429', 'http500', 'silent', 'wrong']),
  method: z.string().min(1).max(100).optional(),
  count: z.number().int().min(1).optional(),
  delayMs: z.number().int().min(0).max(MAX_WAIT_MS).optional(),
  wrong: z.enum(['html', 'text', 'shape']).optional(),
});

const command: z.ZodType<Command> = z.discriminatedUnion('cmd', [
  z.strictObject({ cmd: z.literal('status') }),
  z.strictObject({ cmd: z.literal('seal') }),
  z.strictObject({ cmd: z.literal('hold') }),
  z.strictObject({ cmd: z.literal('resume') }),
  z.strictObject({ cmd: z.literal('missSlots'), count }),
  z.strictObject({ cmd: z.literal('warp'), seconds: z.number().int().min(0).max(1_000_000_000) }),
  z.strictObject({ cmd: z.literal('fault'), fault }),
  z.strictObject({ cmd: z.literal('clearFaults') }),
  z.strictObject({ cmd: z.literal('blocks'), from: z.number().int().min(0) }),
  z.strictObject({ cmd: z.literal('waitForBlock'), number: z.number().int().min(0), timeoutMs: z.number().int().min(1).max(MAX_WAIT_MS) }),
  z.strictObject({ cmd: z.literal('bundles'), number: z.number().int().min(0) }),
  z.strictObject({ cmd: z.literal('reorg'), depth: z.number().int().min(1), transactions: z.enum(['drop', 'return', 'keep']) }),
]);

/** Throws an Error with one clear line. */
export function readCommand(body: string): Command {
  const parsed = command.safeParse(JSON.parse(body));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Error(`${issue!.path.join('.') || 'command'}: ${issue!.message}`);
}
