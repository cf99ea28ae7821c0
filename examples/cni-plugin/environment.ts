import { CniError, CODES } from './errors.ts'

const VALID = {
  CNI_CONTAINERID: /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/,
  // The kernel's own rule for names of links.
  CNI_IFNAME: /^(?!\.{1,2}$)[^\s/:]{1,15}$/,
  CNI_NETNS: /./,
}

/** Variables that the runtime sets; throws an error that names those which are missing or invalid. */
export function variables<N extends keyof typeof VALID>(...names: N[]): Record<N, string> {
  const invalid = names.filter((name) => !VALID[name].test(process.env[name] ?? ''))
  if (invalid.length > 0) throw new CniError(CODES.invalidEnvironment, `missing or invalid: ${invalid.join(', ')}`)
  return Object.fromEntries(names.map((name) => [name, process.env[name]])) as Record<N, string>
}
