/** A flag's value as a whole number within bounds; throws what is wrong with it, in one line. */
export function whole(values: Readonly<Record<string, unknown>>, flag: string, low: number, high: number): number {
  const text = String(values[flag]);
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < low || number > high)
    throw new Error(`--${flag} must be a whole number from ${low} to ${high}, not ${JSON.stringify(text)}`);
  return number;
}
