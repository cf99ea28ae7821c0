import type { NativeCapability } from '../../../../index.js'
import { invalidType, invalidValue } from '../../../errors.ts'
import type { Parse } from '../../fields.ts'
import { meant } from '../../nearest.ts'

/** Each name is at the index that is its number in linux/capability.h. */
const CAPABILITIES = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_DAC_READ_SEARCH',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETPCAP',
  'CAP_LINUX_IMMUTABLE',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_BROADCAST',
  'CAP_NET_ADMIN',
  'CAP_NET_RAW',
  'CAP_IPC_LOCK',
  'CAP_IPC_OWNER',
  'CAP_SYS_MODULE',
  'CAP_SYS_RAWIO',
  'CAP_SYS_CHROOT',
  'CAP_SYS_PTRACE',
  'CAP_SYS_PACCT',
  'CAP_SYS_ADMIN',
  'CAP_SYS_BOOT',
  'CAP_SYS_NICE',
  'CAP_SYS_RESOURCE',
  'CAP_SYS_TIME',
  'CAP_SYS_TTY_CONFIG',
  'CAP_MKNOD',
  'CAP_LEASE',
  'CAP_AUDIT_WRITE',
  'CAP_AUDIT_CONTROL',
  'CAP_SETFCAP',
  'CAP_MAC_OVERRIDE',
  'CAP_MAC_ADMIN',
  'CAP_SYSLOG',
  'CAP_WAKE_ALARM',
  'CAP_BLOCK_SUSPEND',
  'CAP_AUDIT_READ',
  'CAP_PERFMON',
  'CAP_BPF',
  'CAP_CHECKPOINT_RESTORE',
] as const

/** The name of a capability, as in capabilities(7). */
export type Capability = (typeof CAPABILITIES)[number]

const capability: Parse<NativeCapability> = (value, name) => {
  if (typeof value !== 'string') throw invalidType(name, "a name of a capability, such as 'CAP_NET_ADMIN'", value)
  const number = CAPABILITIES.indexOf(value as Capability)
  if (number >= 0) return { number, name: value }
  const hint = meant(value, CAPABILITIES) || meant(`CAP_${value}`, CAPABILITIES)
  throw invalidValue(name, `must be a name of capabilities(7), such as 'CAP_NET_ADMIN'${hint}`, value)
}

/** @internal */
export const capabilities: Parse<NativeCapability[]> = (value, name) => {
  if (!Array.isArray(value)) throw invalidType(name, 'an array of names of capabilities', value)
  return Array.from(value, (element, index) => capability(element, `${name}[${index}]`))
}
