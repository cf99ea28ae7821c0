/** A Podman for a test: all its files are in a directory that is removed with it. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { cgroupsCalled, watchDirectories } from '../guards/leftovers.ts'
import { eventually } from '../guards/resources.ts'
import { busyboxRoot } from '../programs/busybox-root.ts'
import { privateMounts } from '../sets/private-mounts.ts'
import { temporaryDirectory } from '../sets/temporary-directory.ts'

/** The service ends after this many seconds, even if the test hangs. */
const LIFE_LIMIT = 60

export interface Podman extends AsyncDisposable {
  /** Runs `podman ...args`, and returns its output. */
  podman(...args: string[]): string
  /** Starts busybox with these arguments; returns the container's id. */
  run(name: string, ...command: string[]): string
  /** The same without starting it. */
  create(name: string, ...command: string[]): string
  /** Starts the service of the Engine API, and returns its socket. */
  serve(): Promise<string>
}

export async function ownPodman(program: string, busybox: string): Promise<Podman> {
  const directory = temporaryDirectory()
  const removeLeftovers = watchDirectories('/run/runc', ...(await cgroupsCalled('libpod_parent')))
  const root = busyboxRoot(directory, busybox)
  const own = [
    ...['--root', directory.file('storage'), '--runroot', directory.file('run'), '--tmpdir', directory.file('tmp')],
    ...['--storage-driver', 'vfs', '--cgroup-manager', 'cgroupfs', '--events-backend', 'none'],
  ]
  const mounts = privateMounts()
  const podman = (...args: string[]): string =>
    execFileSync(...mounts.inside(directory.path, program, [...own, ...args]), {
      encoding: 'utf8',
      timeout: 30_000,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  const limits = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1024:1024']
  const services: AsyncDisposable[] = []
  let hasStarted = false
  const make = (words: string[], name: string, command: string[]): string => {
    const id = podman(...words, '--network', 'none', ...limits, '--name', name, '--rootfs', root, ...command).trim()
    hasStarted = true
    return id
  }
  return {
    podman,
    run: (name, ...command) => make(['run', '--detach'], name, command),
    create: (name, ...command) => make(['create'], name, command),
    serve: async () => {
      const socketPath = directory.file('podman.sock')
      const words = [...own, 'system', 'service', '--time', '0', `unix://${socketPath}`]
      const [file, args] = mounts.inside(directory.path, program, words)
      const service = spawn('timeout', ['--kill-after=5', String(LIFE_LIMIT), file, ...args], { stdio: 'ignore' })
      const ended = once(service, 'exit')
      services.push({
        [Symbol.asyncDispose]: async () => {
          service.kill('SIGTERM')
          await ended
        },
      })
      await eventually(
        () => existsSync(socketPath),
        (isThere) => isThere,
        10_000,
      )
      return socketPath
    },
    [Symbol.asyncDispose]: async () => {
      for (const service of services) await service[Symbol.asyncDispose]()
      try {
        if (hasStarted) podman('rm', '--force', '--all', '--time', '0')
      } finally {
        mounts[Symbol.dispose]()
        await removeLeftovers()
        directory[Symbol.dispose]()
      }
    },
  }
}
