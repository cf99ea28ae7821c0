/**
 * A peer that is a program of its own, and times itself: a line of JSON says what it is to do and how often, and its
 * line says what one call took. So the way from Node to it is in no figure.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import type { NamespaceSet } from 'nsset'
import type { Sample } from '../measure.ts'

/** What it is asked: `do` names one of its operations, the rest is the operation's. */
export interface Request {
  do: string
  /** How often; the answer is the time of one. */
  times: number
  [option: string]: unknown
}

/** In microseconds; or what went wrong. */
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
