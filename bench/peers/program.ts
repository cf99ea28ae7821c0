/**
 * A peer that is a separate program, and times itself: a line of JSON names an operation and how often to run it, and
 * its line has the duration of one call. So the communication with Node.js is in no figure.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import type { NamespaceSet } from 'nsset'
import type { Sample } from '../measure.ts'

/** A request: `do` names one of its operations, the other fields are the operation's. */
export interface Request {
  do: string
  /** How often; the answer is the duration of one. */
  times: number
  [option: string]: unknown
}

/** In microseconds; or an error. */
type Answer = { took: number } | { error: string }

export class PeerProgram implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #answers: AsyncIterator<string>

  /** Started by this process, or in a set. */
  constructor(command: readonly [string, ...string[]], set?: NamespaceSet) {
    const [file, ...args] = command
    const stdio = ['pipe', 'pipe', 'inherit'] as const
    this.#child = set === undefined ? spawn(file, args, { stdio: [...stdio] }) : set.spawn(file, args, { stdio })
    this.#answers = createInterface(this.#child.stdout as Readable)[Symbol.asyncIterator]()
  }

  /** Takes samples of an operation, in microseconds. */
  sample(request: Request): Sample {
    return () => this.ask(request)
  }

  async ask(request: Request): Promise<number> {
    const input = this.#child.stdin as Writable
    input.write(`${JSON.stringify(request)}\n`)
    const { value, done } = await this.#answers.next()
    if (done === true) throw new Error(`${this.#child.spawnfile} has ended, asked to ${request.do}`)
    const answer = JSON.parse(value) as Answer
    if ('error' in answer) throw new Error(`${this.#child.spawnfile}, ${request.do}: ${answer.error}`)
    return answer.took
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'exit')
    ;(this.#child.stdin as Writable).end()
    await ended
  }
}
