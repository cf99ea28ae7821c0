import { invalidValue } from './errors.ts'
import type { NamespaceSet } from './namespace-set.ts'
import { binding } from './native.ts'
import { parsePath, parseText } from './paths.ts'

/** @internal Where iproute2 has the names, in the mount namespace that the thread stands in. */
export function netnsDirectory(): string {
  return process.platform === 'linux' ? binding().netnsDirectory() : '/run/netns'
}

/** @internal */
export function parseDirectory(directory: unknown, name = 'options.directory'): string | Buffer {
  return directory === undefined ? netnsDirectory() : parsePath(directory, name)
}

/** @internal One component of a path. */
export function parseNetnsName(value: unknown, name = 'name'): string {
  const text = parseText(value, name)
  if (text === '' || text === '.' || text === '..') throw invalidValue(name, "must not be empty, '.' or '..'", text)
  if (text.includes('/')) throw invalidValue(name, "must not contain '/'", text)
  if (Buffer.byteLength(text) > 255) throw invalidValue(name, 'must have at most 255 bytes', text)
  return text
}

const names = new WeakMap<NamespaceSet, string>()

/** @internal Remembers by which name a set was opened. */
export function rememberNetnsName(set: NamespaceSet, name: string): NamespaceSet {
  names.set(set, name)
  return set
}

/** @internal The name by which a set was opened, if it was. */
export function netnsNameOf(set: NamespaceSet): string | undefined {
  return names.get(set)
}
