const IS_ASCII = /^\p{ASCII}*$/u
const IS_NAME = /^[\w.-]*$/
const ENDS_IN_DOT = /[.\u3002\uff0e\uff61]$/
const ENDS_IN_NUMBER = /(?:^|\.)(?:\d+|0x[\da-f]*)\.?$/i

/**
 * @internal Returns the ASCII form of a host name: as written, or converted by IDNA if it has other characters; undefined if it is not
 * a host name. `domainToASCII` parses its argument as a URL and converts a name whose last label is a number to an IPv4 address.
 * So the name must not contain URL syntax, and gets another last label; a name must not become an address.
 */
export function asciiOf(name: string): string | undefined {
  if (IS_ASCII.test(name)) return name
  if (!IS_NAME.test(name.replaceAll(/\P{ASCII}/gu, ''))) return undefined
  const suffix = ENDS_IN_DOT.test(name) ? 'x' : '.x'
  const ascii = process.getBuiltinModule('node:url').domainToASCII(name + suffix)
  if (!ascii.endsWith('.x')) return undefined
  const own = ascii.slice(0, -suffix.length)
  return ENDS_IN_NUMBER.test(own) ? undefined : own
}
