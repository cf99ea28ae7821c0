import { NamespaceError } from 'nsset'

/** The codes of the specification, and those of this plugin from 100 on. */
export const CODES = {
  incompatibleVersion: 1,
  unsupportedField: 2,
  unknownContainer: 3,
  invalidEnvironment: 4,
  io: 5,
  undecodable: 6,
  invalidConfiguration: 7,
  tryAgainLater: 11,
  notAvailable: 50,
  noAddressLeft: 100,
  alreadyAttached: 101,
  changed: 102,
} as const

/** What the plugin reports to the runtime. */
export class CniError extends Error {
  readonly code: number
  readonly details: string | undefined

  constructor(code: number, message: string, details?: string) {
    super(message)
    this.code = code
    this.details = details
  }
}

/** What a function returns, or undefined if what it looks for does not exist. */
export function ifThere<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || (code === 'ENODEV' && error instanceof NamespaceError)) return undefined
    throw error
  }
}
