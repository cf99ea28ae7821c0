import { misuse } from '../../errors.ts'

/** @internal A container engine that listens for HTTP requests. */
export interface Engine {
  /** Its name in messages. */
  readonly name: string
  readonly address: { socketPath: string } | { host: string; port: number }
  /** The user named it (by an option or by DOCKER_HOST), so a missing socket is a failure. */
  readonly isNamed: boolean
  /** The caller chose it, so the search ends with its answer. */
  readonly isFinal: boolean
}

/** @internal The engine at a socket that the caller chose. */
export function chosenEngine(socketPath: string): Engine {
  return { name: socketPath, address: { socketPath }, isNamed: true, isFinal: true }
}

/** @internal The engine of DOCKER_HOST, or the engines at the default sockets. */
export function enginesOf(environment: NodeJS.ProcessEnv): Engine[] {
  const host = environment['DOCKER_HOST']
  if (host) return [engineOfHost(host, environment)]
  return usualSockets(environment['XDG_RUNTIME_DIR']).map((socketPath) => ({
    name: socketPath,
    address: { socketPath },
    isNamed: false,
    isFinal: false,
  }))
}

function usualSockets(runtimeDirectory: string | undefined): string[] {
  const ofUser = runtimeDirectory?.startsWith('/')
    ? [`${runtimeDirectory}/podman/podman.sock`, `${runtimeDirectory}/docker.sock`]
    : []
  return ['/var/run/docker.sock', '/run/podman/podman.sock', ...ofUser]
}

function engineOfHost(host: string, environment: NodeJS.ProcessEnv): Engine {
  if (host.startsWith('unix:///')) {
    const socketPath = host.slice('unix://'.length)
    return { name: `DOCKER_HOST ${socketPath}`, address: { socketPath }, isNamed: true, isFinal: false }
  }
  const url = URL.canParse(host) ? new URL(host) : undefined
  if (url?.protocol !== 'tcp:' || url.hostname === '' || !['', '/'].includes(url.pathname)) {
    throw unsupported(host, 'use unix:///PATH or tcp://HOST:PORT; ssh and TLS are not supported')
  }
  if (environment['DOCKER_TLS_VERIFY']) throw unsupported(host, 'DOCKER_TLS_VERIFY requires TLS')
  const address = { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 2375) }
  return { name: `DOCKER_HOST ${url.host}`, address, isNamed: true, isFinal: false }
}

function unsupported(host: string, why: string): Error {
  const shown = host.length > 128 ? `${host.slice(0, 128)}…` : host
  const message = `DOCKER_HOST is '${shown}', which is not supported: ${why}; or set the option socketPath`
  return misuse('ERR_INVALID_ARG_VALUE', message)
}
