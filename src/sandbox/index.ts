/**
 * Boxes for programs that you do not trust, made of namespaces, control groups and filters of system calls.
 *
 * @module nsset/sandbox
 */

export type { SandboxFiles, SandboxNetwork, SandboxOptions } from '../validate/sandbox/sandbox-options.ts'
export type { Refusal } from './refusals.ts'
export { Sandbox } from './sandbox.ts'
