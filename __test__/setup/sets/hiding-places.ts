/** Namespaces that are held in one way only, each by a Python program that has entered or opened it. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import type { NamespaceSet } from 'nsset'

export interface HidingPlace extends AsyncDisposable {
  readonly pid: number
  /** What the program has printed: the number of a descriptor or a thread. */
  readonly number: number
}

const START = `
import ctypes, os, socket, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
def unshare(flags):
    if libc.unshare(flags) != 0: raise OSError(ctypes.get_errno(), 'unshare')
`

const END = `
print(number, flush=True)
sys.stdin.read()
os._exit(0)
`

/** Starts a program that sets \`number\` and then waits. The set is that in which it runs. */
export async function hide(code: string, set?: NamespaceSet): Promise<HidingPlace> {
  const args = ['-c', START + code + END]
  const program: ChildProcessByStdio<Writable, Readable, null> =
    set === undefined
      ? spawn('python3', args, { stdio: ['pipe', 'pipe', 'inherit'] })
      : set.spawn('python3', args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const exit = once(program, 'exit')
  const [line] = await Promise.race([once(program.stdout, 'data'), exit.then(() => ['the program has ended'])])
  const number = Number(String(line))
  if (!Number.isInteger(number)) throw new Error(String(line))
  const end = async () => {
    program.stdin.end()
    await exit
  }
  return { pid: Number(program.pid), number, [Symbol.asyncDispose]: end }
}
