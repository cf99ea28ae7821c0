/** The fields of /proc/PID/status: proc_pid_status(5). */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { NamespaceSet, SpawnOptions } from 'nsset'

/** The value of a field, without the blanks around it. */
export function statusField(status: string, name: string): string {
  return new RegExp(`^${name}:[ \\t]*(.*?)[ \\t]*$`, 'm').exec(status)?.[1] ?? ''
}

/** The status of a program that is started with these options. */
export async function statusOf(set: NamespaceSet, options: Omit<SpawnOptions, 'stdio'> = {}): Promise<string> {
  return (await set.execFile('cat', ['/proc/self/status'], options)).stdout
}

/** The sets of capabilities in a status, decoded by capsh(1). */
export function capabilitySetsOf(status: string): Record<string, string> {
  const names = ['Inh', 'Prm', 'Eff', 'Bnd', 'Amb']
  return Object.fromEntries(names.map((name) => [name, decode(statusField(status, `Cap${name}`))]))
}

const decoded = new Map<string, string>()

function decode(hexadecimal: string): string {
  const known = decoded.get(hexadecimal)
  if (known !== undefined) return known
  const text = execFileSync('capsh', [`--decode=${hexadecimal}`], { encoding: 'utf8' })
  const names = text.trim().split('=')[1] ?? ''
  decoded.set(hexadecimal, names)
  return names
}

/** Whether this process has the capability with this number in effect. */
export function hasCapability(number: number): boolean {
  const effective = statusField(readFileSync('/proc/self/status', 'utf8'), 'CapEff')
  return (BigInt(`0x${effective}`) >> BigInt(number)) % 2n === 1n
}
