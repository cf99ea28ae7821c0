/** `LinkList` of github.com/vishvananda/netlink, in a program that times itself: `peers/go/link-list`. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { ChildOf, NamespaceSet } from 'nsset'

const SOURCE = fileURLToPath(new URL('go', import.meta.url))
const PROGRAM = fileURLToPath(new URL('../native/link-list', import.meta.url))

/** Builds the program; undefined, and a line that says so, where there is no Go. */
export function buildLinkList(): string | undefined {
  mkdirSync(new URL('../native', import.meta.url), { recursive: true })
  try {
    execFileSync('go', ['build', '-o', PROGRAM, './link-list'], { cwd: SOURCE, timeout: 300_000 })
    return PROGRAM
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    console.log('Go is missing: nothing is compared with netlink.LinkList')
    return undefined
  }
}

/** The program, started in a set. */
export class LinkList implements AsyncDisposable {
  readonly #child: ChildOf<['pipe', 'pipe', 'inherit']>
  readonly #answers: AsyncIterator<string>

  constructor(program: string, set: NamespaceSet) {
    this.#child = set.spawn(program, [], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#answers = createInterface(this.#child.stdout)[Symbol.asyncIterator]()
  }

  /** The median of so many times, in microseconds. */
  async median(times: number): Promise<number> {
    this.#child.stdin.write(`${times}\n`)
    const { value, done } = await this.#answers.next()
    if (done === true) throw new Error('the program has ended')
    return Number(value)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'exit')
    this.#child.stdin.end()
    await ended
  }
}
