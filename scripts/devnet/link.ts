import type { Address, Hex } from 'viem';
import type { Artifact } from './compile.ts';

/** Creation code with its libraries' addresses (by library name) written in. Throws when one is missing. */
export function link(artifact: Artifact, libraries: Readonly<Record<string, Address>>): Hex {
  let code: string = artifact.bytecode;
  for (const byLibrary of Object.values(artifact.linkReferences)) {
    for (const [library, places] of Object.entries(byLibrary)) {
      const address = libraries[library];
      if (!address) throw new Error(`library ${library} is not deployed`);
      for (const { start, length } of places) {
        const from = 2 + start * 2;
        code = code.slice(0, from) + address.slice(2).toLowerCase() + code.slice(from + length * 2);
      }
    }
  }
  return code as Hex;
}
