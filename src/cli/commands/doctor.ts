import { type Command, InvalidArgumentError } from 'commander';
import { loadConfig } from '../../config/load.ts';
import type { Check } from '../doctor/check.ts';
import { type OutputOptions, print } from '../output.ts';

const USUAL_WAIT_S = 30;

export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('checks what a run depends on, and says what to mend; sends nothing')
    .option('--wait <seconds>', 'how long an endpoint has to show a new block', parseSeconds, USUAL_WAIT_S)
    .option('--json', 'one JSON document on stdout')
    .action(async (options: OutputOptions & { wait: number }) => {
      const config = await loadConfig('doctor');
      const { examine } = await import('../doctor/doctor.ts');
      const checks = await examine(config, process.cwd(), options.wait * 1_000);
      const ok = checks.every((check) => check.ok);
      await print(options, { ok, checks }, () => doctorText(checks));
      if (!ok) process.exitCode = 1;
    });
}

function doctorText(checks: readonly Check[]): string {
  const lines = checks.flatMap(({ name, ok, detail, mend }) => [
    `${ok ? 'ok  ' : 'BAD '} ${name}: ${detail}`,
    ...(ok ? [] : [`       ${mend}`]),
  ]);
  const wrong = checks.filter(({ ok }) => !ok).length;
  return [...lines, '', wrong === 0 ? 'all is well' : `${wrong} of ${checks.length} checks want mending`].join('\n');
}

function parseSeconds(text: string): number {
  if (!/^\d{1,4}$/.test(text)) throw new InvalidArgumentError('It must be a whole number of seconds.');
  return Number(text);
}
