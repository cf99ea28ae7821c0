/**
 * The command `nsset`, for `dist/nsset.js`.
 *
 * @module nsset/command
 */

export { run } from './run.ts'
