import { binding } from '../native.ts'

/**
 * Returns the ABI of Landlock that the kernel has, or 0 if it has none or does not enable it. The option `landlock` needs ABI 1 for
 * `read` and `execute`, 3 for `write`, 4 for `connectTcp` and `bindTcp`, 6 for `scoped`, and 9 for
 * `connectUnix`.
 *
 * @example
 * console.log(landlockAbi() >= 4 ? 'ports can be restricted' : 'they cannot')
 *
 * @see landlock(7)
 */
export function landlockAbi(): number {
  return binding().landlockAbi()
}
