const LEAST = 64;
/** Above this the room that is left empty would be large. */
const LARGE = 100_000;

type Numbers =
  | Int32Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>
  | BigUint64Array<ArrayBuffer>;

/** The same numbers with room for at least `length`, and some more; zeros where nothing was. */
export function grown<T extends Numbers>(numbers: T, length: number): T {
  const Kind = numbers.constructor as new (length: number) => T;
  const larger = new Kind(Math.max(LEAST, Math.ceil(length * (length > LARGE ? 1.125 : 1.5))));
  (larger as { set(from: Numbers): void }).set(numbers);
  return larger;
}
