import type { NamespaceFacts, NamespaceHolder, ProcessHolder } from './holders.ts'

/** The most holders of a namespace that a line names. */
const MOST_NAMED = 3

/** @internal Describes a namespace in one line. */
export function oneLine(namespace: NamespaceFacts): string {
  const { id, ownerUid, names } = namespace
  const uid = ownerUid === undefined ? [] : [`uid ${ownerUid}`]
  const words = [...uid, ...names.map(({ name }) => shortened(name)), ...heldBy(namespace.holders)]
  return printable(`${id} ${words.join(', ')}`)
}

/** @internal Describes what holds a namespace: the processes first, and namespaces below it only if nothing else does. */
export function heldBy(holders: readonly NamespaceHolder[]): string[] {
  const processes = holders.filter((holder): holder is ProcessHolder => holder.type === 'process')
  const others = holders.filter(({ type }) => type !== 'process' && type !== 'namespace')
  const named = [...(processes.length === 0 ? [] : [describeProcesses(processes)]), ...shorten(others.map(describe))]
  if (named.length > 0 || holders.length === 0) return named
  return shorten(holders.map(describe))
}

function describeProcesses(processes: readonly ProcessHolder[]): string {
  const [first] = processes
  const named = first === undefined ? '' : `${first.command} ${first.pid}`
  return processes.length === 1 ? named : `${processes.length} processes (${named}, …)`
}

function shorten(texts: readonly string[]): string[] {
  if (texts.length <= MOST_NAMED) return [...texts]
  return [...texts.slice(0, MOST_NAMED), `and ${texts.length - MOST_NAMED} more`]
}

function describe(holder: NamespaceHolder): string {
  switch (holder.type) {
    case 'process':
      return `${holder.command} ${holder.pid}`
    case 'children':
      return `children of ${holder.command} ${holder.pid}`
    case 'thread':
      return `thread ${holder.tid} of ${holder.command} ${holder.pid}`
    case 'descriptor':
    case 'socket':
      return `${holder.type} ${holder.fd} of ${holder.command} ${holder.pid}`
    case 'mount':
      return `mount ${holder.path}`
    case 'namespace':
      return `${holder.id} below it`
  }
}

/** A process chooses its name: what would control a terminal, or end or reorder the line, is shown as a code. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
}

/** Ids of containers are shown with twelve digits, as engines show them. */
function shortened(name: string): string {
  return /^[0-9a-f]{64}$/.test(name) ? name.slice(0, 12) : name
}
