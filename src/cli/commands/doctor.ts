import { loadConfig } from '../../config/load.ts';
import type { Check } from '../doctor/check.ts';
import { examine } from '../doctor/doctor.ts';
import { type OutputOptions, print } from '../output.ts';

export async function doctor(options: OutputOptions & { readonly wait: number }): Promise<void> {
  const config = await loadConfig('doctor');
  const checks = await examine(config, process.cwd(), options.wait * 1_000);
  const ok = checks.every((check) => check.ok);
  await print(options, { ok, checks }, () => doctorText(checks));
  if (!ok) process.exitCode = 1;
}

function doctorText(checks: readonly Check[]): string {
  const lines = checks.flatMap(({ name, ok, detail, mend }) => [
    `${ok ? (mend === '' ? 'ok  ' : 'warn') : 'BAD '} ${name}: ${detail}`,
    ...(mend === '' ? [] : [`       ${mend}`]),
  ]);
  const wrong = checks.filter(({ ok }) => !ok).length;
  return [...lines, '', wrong === 0 ? 'all is well' : `${wrong} of ${checks.length} checks want mending`].join('\n');
}
