const IS_ASCII = /^\p{ASCII}*$/u
const IS_NAME = /^[\w.-]*$/
const ENDS_IN_DOT = /[.\u3002\uff0e\uff61]$/
const ENDS_IN_NUMBER = /(?:^|\.)(?:\d+|0x[\da-f]*)\.?$/i

/**
 * @internal A host's name as it is asked for: as it is written, or by IDNA where it is of another alphabet. Nothing for what is none.
 * `domainToASCII` reads its argument as a URL, which it therefore may not resemble, and makes an IPv4 address of a last label that is
 * a number, which no last label is here. A name is no address in disguise.
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
