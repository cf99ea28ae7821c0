/** A Docker engine for a test: all its files are in a directory that is removed with it. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { json, text } from 'node:stream/consumers'
import { cgroupsCalled, watchDirectories } from '../guards/leftovers.ts'
import { busyboxRoot } from '../programs/busybox-root.ts'
import { privateMounts } from '../sets/private-mounts.ts'
import { temporaryDirectory } from '../sets/temporary-directory.ts'

/** It ends after this many seconds, even if the test hangs. */
const LIFE_LIMIT = 120
const REQUEST_LIMIT = 20_000

export interface Dockerd extends AsyncDisposable {
  readonly socketPath: string
  readonly pid: number
  /** One request of the Engine API; throws for any status but success. */
  ask<T>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object | Buffer): Promise<T>
  /** Creates and starts a container that runs `command` from busybox; returns its id. */
  run(name: string, command: string[], config?: object, hostConfig?: object): Promise<string>
  create(name: string | undefined, command: string[], config?: object, hostConfig?: object): Promise<string>
}

const IMAGE = 'nsset-busybox'

export async function startDockerd(dockerd: string, busybox: string): Promise<Dockerd> {
  const directory = temporaryDirectory()
  const removeLeftovers = watchDirectories('/run/docker', '/run/containerd', ...(await cgroupsCalled('docker')))
  const socketPath = directory.file('docker.sock')
  const pidfile = directory.file('pid')
  // Without the configuration in /etc/docker.
  writeFileSync(directory.file('daemon.json'), '{}')
  const mounts = privateMounts()
  const [file, args] = mounts.inside(directory.path, dockerd, [
    ...['--iptables=false', '--ip6tables=false', '--bridge=none', '--storage-driver=vfs', '--log-level=warn'],
    ...['--config-file', directory.file('daemon.json'), '--data-root', directory.file('data')],
    ...['--exec-root', directory.file('exec'), '--pidfile', pidfile, '--host', `unix://${socketPath}`],
  ])
  const daemon = spawn('timeout', ['--kill-after=10', String(LIFE_LIMIT), file, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const complaints = text(daemon.stderr)
  const ask: Dockerd['ask'] = (method, path, body) => askEngine(socketPath, method, path, body)
  const create: Dockerd['create'] = async (name, command, config, hostConfig) => {
    const query = name === undefined ? '' : `?name=${name}`
    const HostConfig = { NetworkMode: 'none', ...hostConfig }
    const body = { Image: IMAGE, Cmd: command, ...config, HostConfig }
    return (await ask<{ Id: string }>('POST', `/containers/create${query}`, body)).Id
  }
  const clear = async (): Promise<void> => {
    await end(daemon)
    mounts[Symbol.dispose]()
    await removeLeftovers()
    directory[Symbol.dispose]()
  }
  const stop = async (): Promise<void> => {
    try {
      const all = await ask<{ Id: string }[]>('GET', '/containers/json?all=true')
      for (const { Id } of all) await ask('DELETE', `/containers/${Id}?force=true`)
    } finally {
      await clear()
    }
  }
  try {
    await answers(daemon, ask, complaints)
    const root = busyboxRoot(directory, busybox)
    const archive = execFileSync('tar', ['-C', root, '-c', '.'], { maxBuffer: 64 << 20, timeout: 20_000 })
    await ask('POST', `/images/create?fromSrc=-&repo=${IMAGE}`, archive)
  } catch (error) {
    await clear()
    throw error
  }
  return {
    socketPath,
    pid: Number(readFileSync(pidfile, 'utf8')),
    ask,
    create,
    run: async (name, command, config, hostConfig) => {
      const id = await create(name, command, config, hostConfig)
      await ask('POST', `/containers/${id}/start`)
      return id
    },
    [Symbol.asyncDispose]: stop,
  }
}

async function answers(daemon: ChildProcess, ask: Dockerd['ask'], complaints: Promise<string>): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (daemon.exitCode !== null) throw new Error(`dockerd does not start: ${(await complaints).slice(-500)}`)
    try {
      await ask('GET', '/version')
      return
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
  throw new Error('dockerd does not answer')
}

async function end(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return
  const ended = once(daemon, 'exit')
  // timeout(1) passes it on, and kills what ignores it.
  daemon.kill('SIGTERM')
  await ended
}

async function askEngine<T>(socketPath: string, method: string, path: string, body?: object | Buffer): Promise<T> {
  if (!existsSync(socketPath)) throw new Error(`${socketPath} does not exist yet`)
  const isBytes = Buffer.isBuffer(body)
  const headers = { 'Content-Type': isBytes ? 'application/x-tar' : 'application/json', Host: 'docker' }
  const sent = request({ socketPath, method, path, headers, agent: false, signal: AbortSignal.timeout(REQUEST_LIMIT) })
  sent.end(body === undefined || isBytes ? body : JSON.stringify(body))
  const [response] = await once(sent, 'response')
  if (response.statusCode >= 300) throw new Error(`${method} ${path}: ${response.statusCode} ${await text(response)}`)
  if (response.statusCode === 204) response.resume()
  return (response.statusCode === 204 ? undefined : await json(response)) as T
}
