import { intOf } from '../lib/words.ts';
import type { ViewCheck } from '../mirror/types.ts';
import type { LiveSource } from './sources.ts';
import type { Moment } from './types.ts';

/**
 * A source's formula against its contract's own answer. A difference is mended at once: the source is read from then on.
 *
 * @param at the mirrored block, asked for when everything has been ingested
 * @param refuted told when prices known so far are worthless
 */
export function sourceCheck(name: string, source: LiveSource, at: () => Moment, refuted: () => void = () => {}): ViewCheck | undefined {
  const { audit } = source;
  if (audit === undefined) return undefined;
  return {
    subject: `price of ${name} by ${source.address}`,
    call: audit.call,
    compare: (theirs) => {
      const moment = at();
      const ours = source.answer(moment);
      if (audit.confirm(theirs, moment)) return null;
      refuted();
      return {
        ours: ours.ok ? String(ours.answer) : ours.reason,
        theirs: theirs.ok ? String(intOf(theirs)) : 'reverts',
        mended: 'its formula is given up: read once a block, never moved by a pending update',
      };
    },
  };
}
