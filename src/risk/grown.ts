const LEAST = 64;

type Numbers = Int32Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Float64Array<ArrayBuffer>;

/** The same numbers with room for at least `length`, and half as much again. */
export function grown<T extends Numbers>(numbers: T, length: number, filling: number): T {
  const Kind = numbers.constructor as new (length: number) => T;
  const larger = new Kind(Math.max(LEAST, Math.ceil(length * 1.5)));
  larger.fill(filling, numbers.length);
  larger.set(numbers);
  return larger;
}
