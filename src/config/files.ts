import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { explainError } from '../lib/errors.ts';

export type FileText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly absent: boolean; readonly reason: string };

/** Others than the owner may read it. False when there is none, or none that this user may look at. */
export function isReadableByAll(file: string): boolean {
  try {
    return (statSync(file).mode & 0o004) !== 0;
  } catch {
    return false;
  }
}

/**
 * The text of a file that the operator names, without a byte order mark. `reason` completes a sentence that begins with the file, and does not repeat its
 * name: what was named by mistake may be the secret itself.
 */
export function readText(file: string, mostBytes: number): FileText {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return { ok: false, absent: true, reason: 'no such file or directory' };
    return { ok: false, absent: false, reason: `cannot be read (${reasonOf(error)})` };
  }
  try {
    const bytes = readUpTo(descriptor, mostBytes + 1);
    if (bytes.length > mostBytes) return { ok: false, absent: false, reason: `has more than ${mostBytes} bytes: is it the right file?` };
    return { ok: true, text: bytes.toString('utf8').replace(/^\uFEFF/, '') };
  } catch (error) {
    return { ok: false, absent: false, reason: `cannot be read (${reasonOf(error)})` };
  } finally {
    closeSync(descriptor);
  }
}

/** NOTE: not by its size, which a pipe or a device does not tell. */
function readUpTo(descriptor: number, most: number): Buffer {
  const chunks: Buffer[] = [];
  let left = most;
  while (left > 0) {
    const chunk = Buffer.allocUnsafe(Math.min(left, 65_536));
    const count = readSync(descriptor, chunk);
    if (count === 0) break;
    chunks.push(chunk.subarray(0, count));
    left -= count;
  }
  return Buffer.concat(chunks);
}

function reasonOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EISDIR') return 'it is a folder';
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied';
  return code ?? explainError(error);
}
