/** One JSON object a line. */
export type Log = (event: string, fields?: Record<string, unknown>) => void;

export const logToStdout: Log = (event, fields = {}) => {
  process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`);
};
