/** Namespaces that are held in one way only, each by a Python program that has entered or opened it. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { NamespaceSet, NS } from 'nsset'
import { isRoot } from './privilege.ts'

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

/** A thread alone is in a uts namespace; its number is printed. */
export const LONE_THREAD = `
def enter():
    global number
    unshare(${NS.UTS})
    number = threading.get_native_id()
    ready.set()
    time.sleep(60)
ready = threading.Event()
threading.Thread(target=enter, daemon=True).start()
ready.wait()
`

/** Nothing but a socket holds the network; its descriptor is printed. `network` is the inode number of the network. */
export const SOCKET_ELSEWHERE = `
home = os.open('/proc/self/ns/net', os.O_RDONLY)
unshare(${NS.NET})
network = os.stat('/proc/self/ns/net').st_ino
number = socket.socket().detach()
if libc.setns(home, 0) != 0: raise OSError(ctypes.get_errno(), 'setns')
os.close(home)
`

/** The children of the program will be in the pid namespace, in which no process is yet. */
export const CHILDREN_ELSEWHERE = `
unshare(${NS.USER | NS.PID})
number = 0
`

/** Prints the inode number of the pid namespace for the program's children, where the kernel tells it (Linux 6.11). */
export const PID_NAMESPACE_FOR_CHILDREN = `
import fcntl
PIDFD_GET_PID_FOR_CHILDREN_NAMESPACE = 0xff06
opened = fcntl.ioctl(os.pidfd_open(os.getpid()), PIDFD_GET_PID_FOR_CHILDREN_NAMESPACE)
number = os.fstat(opened).st_ino
os.close(opened)
`

/** Opens a namespace that a child has made and then leaves to the descriptor, which is printed. */
export function heldByDescriptor(kind: string, flag: number): string {
  const user = isRoot ? 0 : NS.USER
  return `
ready, go = os.pipe(), os.pipe()
child = os.fork()
if child == 0:
    unshare(${flag | user})
    os.write(ready[1], b'.')
    os.read(go[0], 1)
    os._exit(0)
os.read(ready[0], 1)
number = os.open(f'/proc/{child}/ns/${kind}', os.O_RDONLY)
os.write(go[1], b'.')
os.waitpid(child, 0)
`
}

/** The id of a namespace that a descriptor of the program holds. */
export function namespaceOfDescriptor({ pid, number }: HidingPlace): string {
  using set = NamespaceSet.fromPath(`/proc/${pid}/fd/${number}`)
  return set.id()
}

/** Mounts its uts namespace at a path, and goes to another one. */
export function mountsOwnUts(path: string): string {
  return `
open('${path}', 'w').close()
if libc.mount(b'/proc/self/ns/uts', b'${path}', None, 4096, None) != 0: raise OSError(ctypes.get_errno(), 'mount')
unshare(${NS.UTS})
number = 0
`
}

/** A descriptor holds a pid namespace, and that one holds the pid namespace above it, whose inode number is printed. */
export const PID_NAMESPACE_ABOVE = `
import fcntl, signal
def fork_into_pid_namespace(flags):
    unshare(flags)
    return os.fork()
def only_child(pid):
    while True:
        pids = open(f'/proc/{pid}/task/{pid}/children').read().split()
        if pids: return int(pids[0])
        time.sleep(0.01)
outer = os.fork()
if outer == 0:
    if fork_into_pid_namespace(${NS.USER | NS.PID}) == 0:
        if fork_into_pid_namespace(${NS.PID}) == 0: time.sleep(60)
        os.wait()
        os._exit(0)
    os.wait()
    os._exit(0)
first = only_child(outer)
below = os.open(f'/proc/{only_child(first)}/ns/pid', os.O_RDONLY)
NS_GET_PARENT = 0xb702
above = fcntl.ioctl(below, NS_GET_PARENT)
number = os.fstat(above).st_ino
os.close(above)
os.kill(first, signal.SIGKILL)
os.waitpid(outer, 0)
`
